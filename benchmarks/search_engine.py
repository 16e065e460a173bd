"""Time one engine on a generated corpus: build, pages, matches, suggestions, updates, a swap.

    python -m benchmarks.search_engine ENGINE DOCUMENTS [--pages 2000] [--reuse] [--parts PART ...]

ENGINE is an address as in SEARCH_URL (``embedded:/a/folder``); its index is replaced unless it is
reused. Every part runs in a process of its own, as builder, web process and worker do, so that
memory and caches are theirs. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

from benchmarks import search_corpus as corpus
from benchmarks.measuring import Clocked, folder_size, heading, memory, row, spread, timed
from search import expansion, matching, query, rebuild, searching, suggest
from search.address import open_engine
from search.engine import Engine
from search.errors import SearchUnavailable
from search.schema import Document, Filters
from search.searching import Results

Answer = TypeVar("Answer")

_SPAWN = multiprocessing.get_context("spawn")
_PARTS = ("build", "read", "throughput", "visibility", "swap")
_WARM = 50
_ROUNDS = 30
_SWAPS = 20
_KNOWN = 200
_PATIENCE_SECONDS = 30.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Run all parts one after the other and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", help="an engine's address, as in SEARCH_URL")
    parser.add_argument("documents", type=int)
    parser.add_argument("--pages", type=int, default=2000, help="pages to time")
    parser.add_argument("--reuse", action="store_true", help="take the index as it is")
    parser.add_argument("--parts", nargs="+", choices=_PARTS, default=_PARTS, help="all, or some")
    given = parser.parse_args(arguments)
    heading("measure", f"{given.documents:,} documents", "asked for")
    if "build" in given.parts and not given.reuse:
        _apart(_build, given.engine, given.documents)
    if "read" in given.parts:
        _apart(_read, given.engine, given.pages)
    if "throughput" in given.parts:
        for processes in (1, 2):
            _throughput(given.engine, given.pages, processes)
    if "visibility" in given.parts:
        _visibility(given.engine, given.documents)
    if "swap" in given.parts:
        _swap_under_load(given.engine, given.documents)


def ask(engine: Engine, typed: str, *, bridge: bool = True) -> Results:
    """Answer a query as the search page does: 20 results, six facets, the expert's words."""
    understood = query.parse(typed)
    most = searching.load_settings().most_terms
    terms = expansion.expand(understood.free, most=most) if bridge else ()
    return searching.search(
        engine, understood, corpus.SCOPE, Filters(), facets=corpus.FACETS, terms=terms
    )


def _apart(part: Callable[..., Answer], *given: object) -> Answer:
    """Run a part in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=_SPAWN) as pool:
        return pool.submit(part, *given).result()


def _build(address: str, count: int) -> None:
    engine = open_engine(address)
    documents = Clocked(corpus.documents(count))
    began = time.perf_counter()
    made = rebuild.build(engine, documents, expected=count)
    took = time.perf_counter() - began - documents.seconds
    before = engine.swap(made)
    if before is not None:
        engine.drop(before)
    row("build, without making the texts", f"{took:.1f} s, {count / took:,.0f} documents/s", "")
    scheme, _, rest = address.partition(":")
    if scheme == "embedded":
        size = folder_size(Path(rest.removeprefix("//")) / made)
        row("index", f"{size:.0f} MiB, {size / count * 300_000:.0f} per 300,000", "≤ 600 MB")
    row("builder, peak memory", f"{memory()[0]:.0f} MiB", "")


def _read(address: str, pages: int) -> None:
    """Time what a web process answers, one question at a time."""
    # A web process holds the marketplace besides; its memory is what is to be measured.
    importlib.import_module("marketplace.app")
    engine = open_engine(address)
    typed = list(corpus.queries(pages + _WARM))
    timed(lambda words: ask(engine, words), typed[:_WARM])
    times = timed(lambda words: ask(engine, words), typed[_WARM:])
    row("search page, p50 / p95 / p99", times.told(), "300,000: ≤ 3 / 15; 1,000,000: p99 ≤ 40")
    seekers = list(corpus.needs(pages // 4 + _WARM))
    timed(lambda seeker: matching.match(engine, seeker, corpus.SCOPE), seekers[:_WARM])
    times = timed(lambda seeker: matching.match(engine, seeker, corpus.SCOPE), seekers[_WARM:])
    row("match of a need, p50 / p95 / p99", times.told(), "300,000: p50 ≤ 40, p99 ≤ 80")
    beginnings = list(corpus.prefixes(pages))
    times = timed(lambda begun: suggest.suggest(engine, begun, corpus.SCOPE), beginnings)
    row("suggestions, p50 / p95 / p99", times.told(), "")
    peak, own = memory()
    row("web process, peak memory", f"{peak:.0f} MiB, of it not mapped {own:.0f}", "≤ 600 MB")


def _throughput(address: str, pages: int, processes: int) -> None:
    """Let processes answer pages at the same time, each others."""
    with ProcessPoolExecutor(processes, mp_context=_SPAWN) as pool:
        parts = [pool.submit(_answer_pages, address, pages, n, processes) for n in range(processes)]
        spans = [part.result() for part in parts]
    # Processes start a little apart; what counts is from the first page to the last.
    took = max(end for _, end in spans) - min(begin for begin, _ in spans)
    row(f"pages per second, {processes} process(es)", f"{pages / took:.0f}", "")


def _answer_pages(address: str, pages: int, part: int, parts: int) -> tuple[float, float]:
    engine = open_engine(address)
    typed = list(corpus.queries(pages))
    timed(lambda words: ask(engine, words), typed[:_WARM])
    began = time.monotonic()
    timed(lambda words: ask(engine, words), typed[part::parts])
    return began, time.monotonic()


@dataclass(frozen=True)
class _Reader:
    """A process that reads, and the end of the pipe that leads to it."""

    process: multiprocessing.process.BaseProcess
    pipe: Connection

    @classmethod
    def started(cls, work: Callable[..., None], *given: object) -> _Reader:
        """Start a reader and wait until it has answered for the first time."""
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(target=work, args=(theirs, *given), daemon=True)
        process.start()
        ours.recv()
        return cls(process, ours)

    def ended(self) -> object:
        """Tell the reader to stop and return what it reports."""
        self.pipe.send(None)
        report = self.pipe.recv()
        self.process.join()
        return report


def _visibility(address: str, count: int) -> None:
    """Change a document again and again and see when another process finds the new text."""
    engine = open_engine(address)
    reader = _Reader.started(_watch, address)
    changed = corpus.document(0, of=count)
    committed, seen = [], []
    for number in range(_ROUNDS):
        marker = f"marker{time.time_ns()}x{number}"
        reader.pipe.send(marker)
        reader.pipe.recv()  # it looks from now on
        began = time.monotonic()
        with engine.writing():
            engine.upsert([replace(changed, title=f"{changed.title} {marker}")])
            engine.commit()
            done = time.monotonic()
        found = reader.pipe.recv()
        assert isinstance(found, float)
        committed.append((done - began) * 1000)
        seen.append((found - done) * 1000)
    reader.ended()
    engine.upsert([changed])
    row("upsert and commit, p50 / max", spread(committed, at=(50, 100)), "")
    visible = [max(0.0, late) for late in seen]  # often found before the writer has closed
    row("commit → visible, p50 / max", spread(visible, at=(50, 100)), "≤ 1 s")


def _watch(pipe: Connection, address: str) -> None:
    """Search for each marker until it is found, and send the moment."""
    engine = open_engine(address)
    pipe.send(engine.health().documents)
    while (marker := pipe.recv()) is not None:
        understood = query.parse(marker)
        pipe.send("looking")
        until = time.monotonic() + _PATIENCE_SECONDS
        while not searching.count(engine, understood, corpus.SCOPE, Filters()):
            if time.monotonic() > until:
                raise TimeoutError(f"{marker} was not seen within {_PATIENCE_SECONDS:.0f} s")
        pipe.send(time.monotonic())
    pipe.send("ended")


def _swap_under_load(address: str, count: int) -> None:
    """Rebuild and swap to and fro while another process reads; count errors and missing hits."""
    engine = open_engine(address)
    reader = _Reader.started(_read_on, address, count)
    report = rebuild.rebuild(engine, lambda: corpus.documents(count))
    if report.before is not None:
        for _ in range(_SWAPS // 2):
            engine.swap(report.before)
            time.sleep(0.1)
            engine.swap(report.generation)
            time.sleep(0.1)
    answered = reader.ended()
    row(f"a rebuild and {_SWAPS} swaps under load", answered, "no error, no missing hit")
    if report.before is not None:
        engine.drop(report.before)


def _read_on(pipe: Connection, address: str, count: int) -> None:
    """Find known documents until told to stop; report how often one was missing."""
    engine = open_engine(address)
    known = list(_known(count))
    pages = errors = missing = 0
    pipe.send(engine.health().documents)
    while not pipe.poll():
        document = known[pages % len(known)]
        pages += 1
        try:
            found = ask(engine, f'"{document.title}"')
            held = engine.get([document.id], corpus.SCOPE)
        except SearchUnavailable:
            errors += 1
        else:
            missing += not found.total or document.id not in held
    pipe.send(f"{pages:,} pages, {errors} errors, {missing} missing")


def _known(count: int) -> Iterator[Document]:
    for number in range(0, count, max(1, count // _KNOWN)):
        yield corpus.document(number, of=count)


if __name__ == "__main__":
    main()
