"""What people type is understood, and junk does no harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import query, searching
from search.engine import Engine
from search.query import Notice
from search.schema import Filters
from tests.search.conftest import EVERYTHING


def test_words_phrases_exclusions_and_filters() -> None:
    asked = query.parse('低温 脱硝 “锰铈复合” -铸造 -"钒 钛" 地区:历城 分类号:b01j23')
    assert asked.words == ("低温", "脱硝")
    assert asked.phrases == ("锰铈复合",)
    assert asked.excluded == ("铸造", "钒 钛")
    assert asked.filters.values == {"region": frozenset({"历城"}), "ipc": frozenset({"B01J23"})}


def test_labels_turn_words_into_values_and_unknown_ones_stay_words() -> None:
    labels = {"region": {"历城区": "370112"}}
    known = query.parse("脱硝 地区:历城", labels=labels)
    assert known.filters.values == {"region": frozenset({"370112"})}
    unknown = query.parse("脱硝 地区:东京", labels=labels)
    assert not unknown.filters
    assert "东京" in unknown.free
    assert (Notice.UNKNOWN_VALUE, "东京") in unknown.notices


def test_an_unknown_field_is_plain_text() -> None:
    asked = query.parse("foo:bar")
    assert asked.words == ("foo", "bar")
    assert not asked.filters


def test_question_words_carry_nothing_unless_they_are_all() -> None:
    assert query.parse("怎么除垢").words == ("除垢",)
    assert query.parse("怎么").words == ("怎么",)


def test_a_hyphen_inside_a_word_excludes_nothing() -> None:
    assert query.parse("dna-pcr").excluded == ()


JUNK = [
    "",
    " \t\n",
    "，。！？",
    '"""""',
    '"没关上',
    "-",
    "- -",
    "a:" * 300,
    "*" * 5000,
    "(((((" + "+" * 100,
    "😀😀 emoji",
    "<script>alert(1)</script>",
    "x" * 10_000,
    "脱" * 10_000,
    "地区:",
    "\x00\x1b[31m",
    "' OR 1=1 --",
    "a" + "\u0301" * 2000,
    "\ud800\udfff",
]


@pytest.mark.parametrize("typed", JUNK)
def test_junk_gets_an_answer(engine: Engine, typed: str) -> None:
    asked = query.parse(typed)
    results = searching.search(engine, asked, EVERYTHING, asked.filters, facets=["region"])
    searching.nearest(engine, asked, EVERYTHING)
    assert results.total >= 0
    assert len(asked.words) <= query.MAX_UNITS


def test_a_long_query_is_cut_and_says_so() -> None:
    asked = query.parse("脱硝" * 1000)
    assert len(asked.shown) == query.MAX_CHARACTERS
    assert asked.notices[0][0] is Notice.CUT


def test_only_punctuation_says_so() -> None:
    assert query.parse("，。!").notices[0][0] is Notice.ONLY_PUNCTUATION


@given(st.text(max_size=200))
def test_parsing_never_fails_and_is_stable(typed: str) -> None:
    asked = query.parse(typed)
    again = query.parse(asked.shown)
    assert (again.words, again.phrases, again.excluded) == (
        asked.words,
        asked.phrases,
        asked.excluded,
    )
    assert isinstance(asked.filters, Filters)
