"""How demands become tantivy queries: quickly, whatever is common, and with the same hits."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

import pytest

from search import rebuild
from search.engine import Ask, Unit
from search.engines import tantivy_queries as queries
from search.engines.embedded import EmbeddedEngine
from search.schema import Document
from tests.search.conftest import EVERYTHING

LETTERS = ("a1", "b1", "c1", "d1", "e1", "f1")
UNITS = tuple(Unit(letter, ((letter,),)) for letter in LETTERS)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedEngine:
    """An index with one document for every choice of letters."""
    engine = EmbeddedEngine(tmp_path_factory.mktemp("index"))
    engine.swap(
        rebuild.build(
            engine,
            [
                Document(id=f"need:{number}", kind="need", title=" ".join(chosen) or "none")
                for number, chosen in enumerate(
                    itertools.chain.from_iterable(
                        itertools.combinations(LETTERS, size) for size in range(len(LETTERS) + 1)
                    )
                )
            ],
        )
    )
    return engine


def told(frequencies: Mapping[str, int]) -> queries.Frequency:
    return lambda name, term: frequencies.get(term, 1)


@pytest.mark.parametrize("common", range(len(LETTERS) + 1))
@pytest.mark.parametrize("minimum", range(1, len(LETTERS) + 1))
def test_what_is_looked_up_changes_no_hit(
    index: EmbeddedEngine, common: int, minimum: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = {letter: 10 ** (5 + place) for place, letter in enumerate(LETTERS[:common])}
    scored = queries.scored
    monkeypatch.setattr(queries, "scored", lambda ask, _: scored(ask, told(size)))
    ask = Ask(scope=EVERYTHING, units=UNITS, minimum=minimum, words={"a1": 1.0})
    expected = {
        chosen
        for held in range(minimum, len(LETTERS) + 1)
        for chosen in itertools.combinations(LETTERS, held)
    }
    hits = index.search(ask, limit=100)
    assert {tuple(hit.document.title.split()) for hit in hits.hits} == expected
    assert hits.total == len(expected)


def test_a_list_much_longer_than_the_others_is_looked_up_not_gone_through() -> None:
    ask = Ask(scope=EVERYTHING, units=UNITS, minimum=3)
    gone_through = re.compile(r"\(Should, TermQuery\([^()]*\([^()]*\"a1\"")
    assert gone_through.search(str(queries.admitted(ask, told({}))))
    assert not gone_through.search(str(queries.admitted(ask, told({"a1": 100_000}))))
