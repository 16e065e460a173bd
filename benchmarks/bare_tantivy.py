"""Time the search page beside bare tantivy, turn by turn in one run: our overhead as a ratio.

    python -m benchmarks.bare_tantivy FOLDER DOCUMENTS [--pages 2000] [--reuse]

The bare side knows the same words and grams, and nothing of ours: no scope, no tiers but "all
words, else any", no shared scorer, no lexicon, no passages, documents as they are stored. Its page
has the same 20 documents and six facets. Both indexes are made in FOLDER unless they are reused.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import tantivy
from tantivy import Occur, Query

from benchmarks import search_corpus as corpus
from benchmarks.measuring import Clocked, Times, heading, row
from benchmarks.search_engine import ask
from search import rebuild, text
from search.address import open_engine
from search.schema import Document

STORED = ("id", "title", "body")

_WARM = 50
_PAGE = 20
_HEAP_BYTES = 64_000_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Make both indexes, ask both every query, print both and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("documents", type=int)
    parser.add_argument("--pages", type=int, default=2000, help="pages to time")
    parser.add_argument("--reuse", action="store_true", help="take both indexes as they are")
    given = parser.parse_args(arguments)
    ours = open_engine(f"embedded:{given.folder / 'ours'}")
    bare = given.folder / "bare"
    heading("measure", f"{given.documents:,} documents", "of bare tantivy")
    if not given.reuse:
        shutil.rmtree(bare, ignore_errors=True)
        documents = Clocked(corpus.documents(given.documents))
        began = time.perf_counter()
        build(bare, documents)
        fast = time.perf_counter() - began - documents.seconds
        row("bare tantivy, build with analysis", f"{fast:.1f} s", 1)
        documents = Clocked(corpus.documents(given.documents))
        began = time.perf_counter()
        ours.swap(rebuild.build(ours, documents, expected=given.documents))
        slow = time.perf_counter() - began - documents.seconds
        row("search/, build", f"{slow:.1f} s", f"{slow / fast:.2f}")
    searcher = opened(bare).searcher()
    compare(
        {
            "bare tantivy": partial(page, searcher),
            "search/, without the lexicon": partial(ask, ours, bridge=False),
            "search/, as the page asks": partial(ask, ours),
        },
        list(corpus.queries(given.pages + _WARM)),
    )


def compare(sides: dict[str, Callable[[str], object]], typed: Sequence[str]) -> None:
    """Ask all sides each query in turn, so that whatever else the machine does meets them alike.

    The ratio is of the processor's time.
    """
    times = {name: Times() for name in sides}
    for number, words in enumerate(typed):
        for name, side in sides.items():
            if number < _WARM:
                side(words)
            else:
                times[name].note(side, words)
    first = next(iter(times.values()))
    for name, taken in times.items():
        row(f"{name}, p50 / p95 / p99", taken.told(), taken.ratio(first))


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for name in corpus.FACETS:
        builder.add_text_field(name, tokenizer_name="raw", fast=True, index_option="basic")
    for name in ("w", "g"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    for name in STORED:
        builder.add_bytes_field(name, stored=True, indexed=False)
    return builder.build()


SCHEMA = _schema()


def build(folder: Path, documents: Iterable[Document]) -> None:
    """Make the bare index."""
    folder.mkdir(parents=True)
    index = tantivy.Index(SCHEMA, path=str(folder))
    writer = index.writer(heap_size=_HEAP_BYTES, num_threads=1)
    for document in documents:
        normal = text.norm("\n".join((document.title, *document.keywords, document.body)))
        stored = tantivy.Document()
        for name in STORED:
            stored.add_bytes(name, getattr(document, name).encode())
        stored.add_text("w", " ".join(text.words(normal)))
        stored.add_text("g", " ".join(text.grams(normal)))
        for name in corpus.FACETS:
            for value in document.facet_values(name):
                stored.add_text(name, value)
        writer.add_document(stored)
    writer.commit()
    writer.wait_merging_threads()


def opened(folder: Path) -> tantivy.Index:
    """Open the bare index for reading."""
    return tantivy.Index(SCHEMA, path=str(folder), reuse=True)


def page(searcher: tantivy.Searcher, typed: str) -> tuple[int, list[Any], dict[str, Any]]:
    """Answer a query: all words, else any; 20 documents and six facets."""
    normal = text.norm(typed)
    words = [Query.term_query(SCHEMA, "w", word) for word in text.words(normal)]
    scored = [(Occur.Should, query) for query in words]
    grams = text.grams(normal)
    scored += [(Occur.Should, Query.term_query(SCHEMA, "g", gram)) for gram in grams]
    every = [(Occur.Must, Query.const_score_query(query, 0.0)) for query in words]
    asked = Query.boolean_query([*every, *scored])
    found = searcher.search(asked, _PAGE, True)
    if len(found.hits) < _PAGE:
        asked = Query.boolean_query(scored)
        found = searcher.search(asked, _PAGE, True)
    documents = [searcher.doc(address).to_dict() for _, address in found.hits]
    wanted = {name: {"terms": {"field": name, "size": 500}} for name in corpus.FACETS}
    counted = searcher.aggregate(asked, wanted)
    return len(found.hits), documents, counted


if __name__ == "__main__":
    main()
