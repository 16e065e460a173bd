"""What stands between our tokens and a Meilisearch server: encoding, filters, lists."""

from __future__ import annotations

import itertools
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search import suggest, text
from search.engine import Ask, Expansion, Hit, Statistics
from search.engines import meilisearch_filters as filters
from search.engines import meilisearch_lists as lists
from search.engines.meilisearch_documents import (
    LONGEST,
    averages,
    decode,
    encode,
    pair,
    placed,
    read,
    write,
)
from search.engines.stored import analyse
from search.schema import Document
from tests.search.conftest import CORPUS, EVERYTHING

TOKENS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
# Two of these together are never so long that they become a digest.
HALVES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
SURVIVES = re.compile(r"[a-z0-9]+")


@settings(deadline=None)
@given(TOKENS)
def test_an_encoded_token_survives_every_normalisation_and_comes_back(token: str) -> None:
    encoded = encode(token)
    assert SURVIVES.fullmatch(encoded)
    assert unicodedata.normalize("NFKD", encoded.strip()).lower() == encoded
    assert decode(encoded) == token


@settings(deadline=None)
@given(TOKENS, TOKENS)
def test_different_tokens_are_encoded_differently(first: str, second: str) -> None:
    assert (encode(first) == encode(second)) == (first == second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("x", "x0078"),  # the escape itself
        ("A", "a"),
        ("é", "e\u0301"),
        ("①", "1"),
        ("ﬁ", "fi"),
        ("脱硝", "x8131x785d"),
        ("a" * 500, "a" * 501),  # longer than the server keeps apart
        ("脱" * 200, "脱" * 199 + "硝"),
    ],
)
def test_tokens_that_a_normalisation_would_make_one_stay_two(first: str, second: str) -> None:
    assert encode(first) != encode(second)
    assert len(encode(first)) <= LONGEST


@settings(deadline=None)
@given(HALVES, HALVES)
def test_what_begins_so_is_encoded_to_what_begins_so(beginning: str, rest: str) -> None:
    assert encode(beginning + rest).startswith(encode(beginning))
    assert decode(encode(beginning) + encode(rest)) == beginning + rest


@settings(deadline=None)
@given(TOKENS, TOKENS, TOKENS, TOKENS)
def test_pairs_keep_their_two_halves_apart(a: str, b: str, c: str, d: str) -> None:
    assert (pair(a, b) == pair(c, d)) == ((a, b) == (c, d))


def test_a_document_comes_back_from_what_is_stored() -> None:
    for document in CORPUS:
        held = analyse(document)
        lengths = len(held.words), len(held.grams)
        assert read(write(document)) == Hit(document, 0.0, held.borders, *lengths, held.plain)


def test_places_are_ordered_by_length_and_give_id_and_length_back() -> None:
    places = sorted(str(write(document)["place"]) for document in CORPUS)
    lengths = {encode(document.id): len(analyse(document).grams) for document in CORPUS}
    assert [placed(place) for place in places] == sorted(lengths.items(), key=lambda item: item[1])


def test_no_stored_value_is_longer_than_the_server_keeps_apart() -> None:
    long = Document(
        id="i" * 900, kind="k", title="\ufdfa" * 24, keywords=("ß" * 600, "脱硝 " + "q" * 700)
    )
    stored = write(long)
    for name in ("w", "g", "twice", "across", *suggest.VOCABULARIES):
        assert all(len(value) <= LONGEST for value in stored[name])
    assert len(stored["id"]) <= LONGEST
    assert len(stored["place"]) <= 468


def test_neighbours_across_a_mark_are_kept_and_those_across_parts_are_not() -> None:
    stored = write(Document(id="1", kind="k", title="低，温脱", body="硝 mosfet"))
    assert stored["across"] == [pair("低", "温"), pair("硝", "mosfet")]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 99_999), st.integers(0, 99_999)), min_size=1, max_size=30))
def test_counted_digits_give_the_averages(lengths: list[tuple[int, int]]) -> None:
    counted: dict[str, int] = {}
    for words, grams in lengths:
        for kind, number in (("w", words), ("g", grams)):
            for power, digit in enumerate(reversed(str(number))):
                if digit != "0":
                    key = f"{kind}{power}{digit}"
                    counted[key] = counted.get(key, 0) + 1
    expected = tuple(sum(part) / len(lengths) for part in zip(*lengths, strict=True))
    assert averages(counted, len(lengths)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("count", "minimum"), [(count, m) for count in range(1, 9) for m in range(1, count + 1)]
)
def test_at_least_so_many_of_the_clauses(count: int, minimum: int) -> None:
    names = [f"c{number}" for number in range(count)]
    meaning = compile(filters.at_least(minimum, names).lower(), "filter", "eval")
    for values in itertools.product((False, True), repeat=count):
        held = dict(zip(names, values, strict=True))
        assert eval(meaning, held) == (sum(values) >= minimum)


def test_the_longest_query_stays_within_some_thousand_conditions() -> None:
    for minimum in range(1, 25):
        assert filters.at_least(minimum, ["c"] * 24).count("c") < 5_000


def test_a_value_cannot_end_its_quotes() -> None:
    clause = filters.one_of("region", ['" OR kind = "need', "\\"])
    assert clause.count('"') == 4
    assert "OR" not in clause


def test_weighty_terms_are_listed_first_and_frequent_ones_with_their_repetitions() -> None:
    ask = Ask(
        scope=EVERYTHING,
        words={"催化剂": 1.0, "没有": 1.0},
        grams={"脱硝": 1.0},
        expansions=(Expansion("阻垢", ("阻垢",), 8.0),),
    )
    counted = Statistics(100_000, 50.0, 100.0, {"催化剂": 9_000}, {"脱硝": 20, "阻垢": 300})
    planned = lists.plan(ask, counted, 100_000)
    assert [(entry.clause, entry.occurrences, entry.valued) for entry in planned] == [
        (filters.all_of("g", ["阻垢"]), 1, True),
        (filters.one_of("g", ["脱硝"]), 1, True),
        (filters.one_of("w", ["催化剂"]), 1, False),
        (filters.one_of("twice", ["催化剂"]), 2, False),
    ]
    narrow = lists.plan(ask, counted, 900)
    assert [entry.valued for entry in narrow] == [True, True, True]


def test_lists_add_up_and_a_repetition_counts_instead_of_the_single_occurrence() -> None:
    listings = [
        lists.Listing("rare", 5.0),
        lists.Listing("common", 2.0),
        lists.Listing("common again", 2.0, 2),
    ]
    listed = [[("a", 10)], [("a", 10), ("b", 10), ("c", 10)], [("c", 10), ("d", 90)]]
    assert lists.best(listings, listed, 10.0, 10) == ["a", "c", "b", "d"]
    assert lists.best(listings, listed, 10.0, 2) == ["a", "c"]


def test_phrases_of_two_units_need_their_gram_or_their_meeting_across_a_mark() -> None:
    clause = filters.phrase(text.unigrams("低温"))
    assert clause == f'((g = "{encode("低温")}" OR across = "{pair("低", "温")}"))'
