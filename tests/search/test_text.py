"""Analysis: the tokens that everything rests on."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import text


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("ＬＥＤ灯", "led灯"),
        ("180℃", "180°c"),
        ("零\u200b宽\u202e字符", "零宽字符"),
        ("a\x00b", "ab"),
        ("\ud800孤", "?孤"),
    ],
)
def test_normal_form(typed: str, normal: str) -> None:
    assert text.norm(typed) == normal


def test_words_are_dictionary_words_without_guesses() -> None:
    assert text.words("低温脱硝催化剂") == ["低温", "脱", "硝", "催化剂"]
    assert text.words("，。！?") == []


def test_grams_keep_latin_words_and_numbers_whole() -> None:
    assert text.grams("除垢sic12.5") == ["除", "垢", "除垢", "sic12.5"]


def test_cover_demands_the_bigrams_of_a_word() -> None:
    assert text.cover("脱硝剂") == ("脱硝", "硝剂")
    assert text.cover("硝") == ("硝",)
    assert text.cover("led灯") == ("led", "灯")


def test_boilerplate_is_frequent_in_needs_and_rare_in_documents() -> None:
    needs = [f"我公司希望解决第{n}种催化剂问题" for n in range(120)]
    documents = [f"催化剂{n}的制备" for n in range(120)]
    found = text.boilerplate(needs, documents)
    assert {"希望", "公司"} <= found
    assert "催化剂" not in found
    assert text.boilerplate(needs[:50], documents) == frozenset()


@given(st.text(max_size=60))
def test_analysis_survives_anything_and_is_stable(typed: str) -> None:
    normal = text.norm(typed)
    assert text.norm(normal) == text.norm(text.norm(normal))
    for token in (*text.words(normal), *text.grams(normal), *text.unigrams(normal)):
        assert token
        assert not any(character.isspace() for character in token)
        assert text.GAP not in token


@given(
    st.text(alphabet="低温脱硝催化剂ab1 ", max_size=20), st.text(alphabet="低温脱硝ab", max_size=4)
)
def test_cover_holds_wherever_the_word_stands(around: str, word: str) -> None:
    held = set(text.grams(text.norm(around + "，" + word)))
    assert set(text.cover(word)) <= held


@pytest.mark.parametrize(
    "original",
    [
        "低温，１８０℃：去除率９２％！",
        "（甲）；乙？～－",
        "Ａ\u3000℃\u0301，\u200b丙",
        "é e\u0301 ﬁ ²",
    ],
)
def test_wide_forms_become_what_nfkc_makes_of_them(original: str) -> None:
    seen = original.replace("\u200b", "")
    assert text.norm(original) == unicodedata.normalize("NFKC", seen).lower()


def test_words_that_name_nothing_are_told_from_those_that_do() -> None:
    for word in ("因此", "非常", "关于", "他们", "已经", "每天"):
        assert not text.names_something(word), word
    for word in ("遥测", "断裂", "供货", "高效", "轴承"):
        assert text.names_something(word), word
