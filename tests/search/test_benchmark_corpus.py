"""The corpus of the benchmarks: the same for everybody, and of the announced sizes."""

from __future__ import annotations

import subprocess
import sys

from benchmarks import search_corpus as corpus

_TELL = (
    "from benchmarks import search_corpus as c; print(*c.documents(3), *c.needs(2), *c.queries(5))"
)


def test_another_process_makes_the_same_corpus() -> None:
    """Hashes of strings differ between processes; nothing may follow from them."""
    told = subprocess.run(
        [sys.executable, "-c", _TELL],
        env={"PYTHONHASHSEED": "7", "PYTHONPATH": ".", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout
    made = (*corpus.documents(3), *corpus.needs(2), *corpus.queries(5))
    assert told.rstrip("\n") == " ".join(map(str, made))


def test_a_document_follows_from_its_number_alone() -> None:
    streamed = list(corpus.documents(60))
    assert streamed[7] == corpus.document(7, of=60)
    assert streamed[7].body != corpus.document(7, of=60, version=1).body
    assert len({document.body for document in streamed}) == 60


def test_texts_have_the_lengths_of_real_ones() -> None:
    assert all(200 <= len(document.body) <= 300 for document in corpus.documents(200))
    assert all(60 <= len(need.text) <= 250 for need in corpus.needs(200))
    assert all(1 <= len(typed.split()) <= 4 for typed in corpus.queries(200))
