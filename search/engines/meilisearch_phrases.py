"""Exact phrases of three and more units, which no filter can tell: read again here, word by word.

A filter finds the documents in which every two neighbours of the phrase stand together. Those are
few, and mostly hold the phrase; they are read and the phrase is looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from search import text
from search.engine import Ask
from search.engines import meilisearch_filters as filters
from search.engines.meilisearch_client import Connection, as_unavailable, question
from search.engines.meilisearch_documents import read
from search.engines.stored import searchable
from search.schema import Document

# So many documents are read for one phrase; with more, what is told is a lower bound.
MOST_READ = 1_000


@dataclass(frozen=True)
class Admitted:
    """The filter for what an ask admits; ``exact`` is False where it admits too few."""

    clause: str
    exact: bool = True


def admit(connection: Connection, index: str, ask: Ask) -> Admitted:
    """Return what an ask admits, its long phrases looked up.

    Where a phrase's neighbours stand in too many documents, only those that were read are
    admitted, and of an excluded phrase all of them are shut out.
    """
    clause, exact = filters.admitted(ask), True
    for wanted, needles in ((True, ask.phrases), (False, ask.excluded)):
        for needle in needles:
            if len(needle) < 3:
                continue
            possible = filters.both(filters.within(ask.scope), filters.phrase(needle))
            holding, whole = _holding(connection, index, possible, needle)
            exact = exact and whole
            if wanted:
                clause = filters.both(filters.one_of("id", holding), clause)
            elif whole:
                clause = filters.both(clause, f"NOT {filters.one_of('id', holding)}")
            else:
                clause = filters.both(clause, f"NOT {filters.phrase(needle)}")
    return Admitted(clause, exact)


def _holding(
    connection: Connection, index: str, clause: str, needle: Sequence[str]
) -> tuple[list[str], bool]:
    """Return the ids of the documents that hold the phrase, and whether all were read."""
    answer = connection.search([question(index, clause, limit=MOST_READ)])[0]
    with as_unavailable():
        documents = [read(hit).document for hit in answer.hits]
    holding = [document.id for document in documents if _holds(document, needle)]
    return holding, (answer.estimated_total_hits or 0) <= MOST_READ


def _holds(document: Document, needle: Sequence[str]) -> bool:
    parts = map(text.unigrams, searchable(document))
    return any(text.contains(part, list(needle)) for part in parts)
