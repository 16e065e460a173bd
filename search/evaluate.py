"""Measure relevance: ``python -m search.evaluate run|score``.

Reads documents, queries and judgements from files and prints figures; changes nothing.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from search import address, matching, query, rebuild, searching, text
from search.engine import Engine
from search.features import Seeker
from search.schema import Document, Filters, Scope

_KIND = "achievement"
_SCOPE = Scope(kinds=frozenset({_KIND}))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the two commands and return the exit status."""
    options = _options().parse_args(arguments)
    if options.command == "run":
        return _run(options)
    return _score(options)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m search.evaluate", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="index documents, ask queries, write a TREC run")
    run.add_argument("--engine", default="embedded", help="embedded, or an engine's address")
    run.add_argument("--encoder", default="", help="package.module:factory of a dense encoder")
    run.add_argument("--docs", type=Path, required=True)
    run.add_argument("--queries", type=Path, required=True)
    run.add_argument("--mode", choices=("search", "match"), required=True)
    run.add_argument("--top", type=int, default=100)
    run.add_argument("--out", type=Path, required=True)
    run.add_argument("--tag", default="marketplace")
    run.add_argument("--without-expansion", action="store_true")
    score = commands.add_parser("score", help="compare a run with judgements")
    score.add_argument("--run", type=Path, required=True)
    score.add_argument("--qrels", type=Path, required=True)
    score.add_argument("--by-query", action="store_true")
    return parser


def _run(options: argparse.Namespace) -> int:
    documents = [_document(row) for row in _rows(options.docs)]
    asked = list(_rows(options.queries))
    with tempfile.TemporaryDirectory() as folder:
        where = f"embedded:{folder}" if options.engine == "embedded" else options.engine
        engine = address.open_engine(where)
        if options.encoder:
            engine = address.with_encoder(engine, options.encoder, Path(folder, "vectors"))
        began = time.perf_counter()
        made = rebuild.build(engine, documents, expected=len(documents))
        engine.swap(made)
        _say(f"{len(documents)} documents in {time.perf_counter() - began:.1f} s")
        _ask_all(engine, documents, asked, options)
    return 0


def _ask_all(
    engine: Engine,
    documents: list[Document],
    asked: list[dict[str, Any]],
    options: argparse.Namespace,
) -> None:
    common = text.boilerplate(
        (row["text"] for row in asked), (f"{d.title} {d.body}" for d in documents)
    )
    settings = matching.load_settings()
    times: list[float] = []
    began = time.perf_counter()
    with options.out.open("w", encoding="utf-8") as out:
        for row in asked:
            start = time.perf_counter()
            if options.mode == "search":
                ranked = _search(engine, row, options)
            else:
                ranked = _match(engine, row, common, settings, options)
            times.append(time.perf_counter() - start)
            for place, (document_id, score) in enumerate(ranked[: options.top], start=1):
                out.write(f"{row['id']} Q0 {document_id} {place} {score:.6f} {options.tag}\n")
    took = time.perf_counter() - began
    times.sort()
    shares = {f"p{p}": times[min(len(times) - 1, len(times) * p // 100)] for p in (50, 95, 99)}
    latency = " ".join(f"{name} {value * 1000:.1f} ms" for name, value in shares.items())
    _say(f"{len(asked)} queries, {latency}, {len(asked) / took:.0f} queries/s")


def _search(
    engine: Engine, row: dict[str, Any], options: argparse.Namespace
) -> list[tuple[str, float]]:
    understood = query.parse(row["text"])
    scope = _scope(row)
    # One order for the whole run: every place that is written must be by the same score.
    weights = searching.load_settings()
    weights = replace(weights, reranked=max(weights.reranked, options.top))
    results = searching.search(
        engine, understood, scope, Filters(), limit=options.top, settings=weights
    )
    return [(found.hit.document.id, found.hit.score) for found in results.found]


def _match(
    engine: Engine,
    row: dict[str, Any],
    common: frozenset[str],
    settings: matching.Settings,
    options: argparse.Namespace,
) -> list[tuple[str, float]]:
    seeker = Seeker(
        text=row["text"],
        industry=tuple(row.get("discipline", ())),
        ipc=tuple(row.get("ipc", ())),
    )
    matches = matching.match(
        engine,
        seeker,
        _scope(row),
        settings=settings,
        common=common,
        expand=not options.without_expansion,
        limit=options.top,
        most_per_owner=None,
    )
    return [(match.document.id, match.score) for match in matches]


def _scope(row: dict[str, Any]) -> Scope:
    without = frozenset({row["self"]}) if row.get("self") else frozenset()
    return Scope(kinds=_SCOPE.kinds, without_ids=without)


def _document(row: dict[str, Any]) -> Document:
    return Document(
        id=row["id"],
        kind=_KIND,
        title=row.get("title", ""),
        body=row.get("abstract", ""),
        industry=tuple(row.get("discipline", ())),
        ipc=tuple(row.get("ipc", ())),
        region=row.get("region", ""),
        owner_id=row.get("applicant", ""),
    )


def _score(options: argparse.Namespace) -> int:
    judged: dict[str, dict[str, int]] = defaultdict(dict)
    for line in _lines(options.qrels):
        query_id, document_id, grade = line.split("\t")
        judged[query_id][document_id] = int(grade)
    ranked: dict[str, list[str]] = defaultdict(list)
    for line in _lines(options.run):
        query_id, _, document_id, *_ = line.split()
        ranked[query_id].append(document_id)
    figures = {name: judged_figures(ranked[name], judged[name]) for name in judged}
    if options.by_query:
        for name, row in sorted(figures.items()):
            _say(name + "\t" + "\t".join(f"{key} {value:.4f}" for key, value in row.items()))
    for key in ("ndcg@10", "mrr@10", "recall@10", "recall@100", "recall_good@100"):
        values = [row[key] for row in figures.values() if not math.isnan(row[key])]
        if values:
            _say(f"{key}\t{sum(values) / len(values):.4f}\t({len(values)} queries)")
    return 0


def judged_figures(ranked: list[str], grades: dict[str, int]) -> dict[str, float]:
    """Return the figures of one query; a recall without any relevant document is not a number.

    ``recall_good`` counts only the grades 2 and 3.
    """
    gains = [2.0 ** grades.get(name, 0) - 1.0 for name in ranked[:10]]
    ideal = sorted((2.0**grade - 1.0 for grade in grades.values()), reverse=True)[:10]
    best = _discounted(ideal)
    first = next((place for place, gain in enumerate(gains, start=1) if gain > 0), None)
    return {
        "ndcg@10": _discounted(gains) / best if best else math.nan,
        "mrr@10": (1.0 / first if first else 0.0) if best else math.nan,
        "recall@10": _recall(ranked[:10], grades, 1),
        "recall@100": _recall(ranked[:100], grades, 1),
        "recall_good@100": _recall(ranked[:100], grades, 2),
    }


def _discounted(gains: list[float]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, start=1))


def _recall(ranked: list[str], grades: dict[str, int], least: int) -> float:
    relevant = {name for name, grade in grades.items() if grade >= least}
    return len(relevant.intersection(ranked)) / len(relevant) if relevant else math.nan


def _lines(path: Path) -> Iterator[str]:
    packed = path.read_bytes()
    whole = gzip.decompress(packed) if path.suffix == ".gz" else packed
    for line in whole.decode("utf-8").split("\n"):
        if line.strip():
            yield line.strip()


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    for line in _lines(path):
        yield json.loads(line)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
