"""What of a need's text counts, by place in the original text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import core, expansion, text
from search.core import Kind

NEED = (
    "我们是绍兴一家织布厂，成立二十多年（以前拿过区里的纳税奖）。功率因数才0.78，求能自动调的柜子！"
)


def said(stretches: tuple[core.Stretch, ...], written: str) -> list[tuple[str, Kind]]:
    return [(written[s.start : s.end], s.kind) for s in stretches]


def test_what_is_asked_and_what_is_wrong_is_told_from_talk() -> None:
    assert said(core.stretches(NEED), NEED) == [
        ("我们是绍兴一家织布厂", Kind.TALK),
        ("成立二十多年", Kind.TALK),
        ("以前拿过区里的纳税奖", Kind.TALK),
        ("功率因数才0.78", Kind.PROBLEM),
        ("求能自动调的柜子", Kind.ASK),
    ]


@pytest.mark.parametrize(
    ("clause", "kind"),
    [
        ("去年产值九千万", Kind.TALK),
        ("厂里二百多号人", Kind.TALK),
        ("给两家整机厂配套", Kind.TALK),
        ("干了二十多年", Kind.TALK),
        ("领导很重视", Kind.TALK),
        ("预算一两百万", Kind.TALK),
        ("麻烦在那股浓水", Kind.PROBLEM),
        ("焊缝一百多处漏气", Kind.PROBLEM),
        ("机床用了十年精度差", Kind.PROBLEM),
        ("有没有一缺相就停的小盒子", Kind.ASK),
        ("预算五万能不能改造", Kind.ASK),
        ("希望不用停产", Kind.ASK),
    ],
)
def test_numbers_about_the_company_are_talk_and_numbers_of_the_trouble_are_not(
    clause: str, kind: Kind
) -> None:
    assert core.kind_of(clause) is kind


def test_marks_alone_are_no_clauses() -> None:
    assert core.stretches("，。！") == ()


@given(st.text(alphabet="水垢求，。 （）\n公司成立于1998年Ａ", max_size=60))
def test_stretches_are_the_clauses_in_their_places(written: str) -> None:
    found = core.stretches(written)
    assert [written[s.start : s.end] for s in found] == text.clauses(written)
    places = [place for s in found for place in (s.start, s.end)]
    assert places == sorted(places)


def test_every_pattern_is_one_that_compiles() -> None:
    for name in ("talk.regex", "ask.regex"):
        assert expansion.patterns(name).search("") is None, "a pattern that fits everything"
