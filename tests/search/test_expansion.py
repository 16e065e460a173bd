"""The bridge: from everyday words to professional terms, by triggers and by likeness."""

from __future__ import annotations

from pathlib import Path

import pytest

from search import expansion
from search.expansion import load_settings
from search.likeness import Likeness, Weights

WEIGHTS = Weights(k1=1.2, b=0.25, character_weight=0.3)


def proposed(typed: str) -> list[str]:
    return [term.text for term in expansion.expand(typed)]


def grams(said: str) -> dict[str, float]:
    return dict.fromkeys([*said, *(said[n : n + 2] for n in range(len(said) - 1))], 1.0)


def test_the_text_most_alike_comes_first_and_has_the_whole_share() -> None:
    likeness = Likeness([["地库", "没信号"], ["路灯", "不亮"], ["手机", "信号差"]], WEIGHTS)
    found = likeness.nearest(grams("地库里手机没信号"), most=5, least_share=0.1)
    assert [number for number, _ in found] == [0, 2]
    assert found[0][1] == 1.0
    assert 0.1 < found[1][1] < 1.0


def test_a_small_share_and_the_number_are_cut() -> None:
    likeness = Likeness([["地库", "没信号"], ["手机", "信号差"]], WEIGHTS)
    asked = grams("地库里手机没信号")
    assert len(likeness.nearest(asked, most=1, least_share=0.0)) == 1
    assert len(likeness.nearest(asked, most=5, least_share=0.99)) == 1
    assert likeness.nearest(grams("xyz"), most=5, least_share=0.0) == []


def test_rare_pairs_say_more_than_common_ones() -> None:
    common = [["水管", "漏"] for _ in range(20)]
    likeness = Likeness([*common, ["砷", "地下水"], ["水管", "结垢"]], WEIGHTS)
    best, *_ = likeness.nearest(grams("水管结垢"), most=3, least_share=0.0)
    assert best == (21, 1.0)


def test_words_that_set_no_trigger_off_still_lead_to_the_term() -> None:
    typed = "地下停车场手机没信号"
    assert "直放站" in proposed(typed)
    term = next(term for term in expansion.expand(typed) if term.text == "直放站")
    assert "地下" in term.because
    assert term.industry


def test_what_several_entries_propose_weighs_more() -> None:
    typed = "红绿灯停电就瞎"
    first, *others = expansion.expand(typed)
    assert first.text == "交通信号灯"
    assert first.weight > 1.0  # the most that a single entry can give
    assert all(first.weight > other.weight for other in others)


def test_switched_off_and_typed_terms_are_not_proposed() -> None:
    typed = "红绿灯停电就瞎"
    without = frozenset({"交通信号灯"})
    assert "交通信号灯" not in [t.text for t in expansion.expand(typed, without=without)]
    assert "交通信号灯" not in proposed("交通信号灯停电就瞎")


def test_the_number_of_terms_is_bounded() -> None:
    typed = "我厂锅炉结垢，水泵漏水，电机发烫，皮带跑偏，轴承异响，烟气超标，焊缝开裂" * 5
    assert len(expansion.expand(typed)) <= load_settings().most_terms
    assert len(expansion.expand(typed, most=4)) == 4
    assert expansion.expand("") == ()
    assert expansion.expand("，。！") == ()


def test_talk_about_the_company_leads_to_less_than_the_problem() -> None:
    plain = expansion.expand("循环水管道老结垢")
    talk = expansion.expand("本公司成立于1998年，员工300人，获得市先进单位称号。循环水管道老结垢")
    assert {term.text for term in plain[:5]} <= {term.text for term in talk[:12]}


def test_the_fields_of_a_text_are_named_with_their_share() -> None:
    fields = expansion.fields("红绿灯停电就瞎，路口乱成一锅粥")
    assert "交通" in fields[0][0]
    assert 0.0 < sum(share for _, share in fields) <= 1.0
    assert [share for _, share in fields] == sorted((s for _, s in fields), reverse=True)
    assert expansion.fields("") == ()


def test_the_lexicon_covers_the_trades_and_each_entry_has_its_field() -> None:
    entries = expansion.load()
    assert len(entries) >= 3_000
    assert all(entry.industry and entry.terms and entry.triggers for entry in entries)
    assert len({entry.industry for entry in entries}) >= 100


def test_a_line_that_cannot_be_understood_names_its_place(tmp_path: Path) -> None:
    (tmp_path / "broken.txt").write_text("[水]\n水管漏 => 管道泄漏\n没有箭头\n", "utf-8")
    with pytest.raises(ValueError, match=r"broken\.txt:3"):
        expansion.load(tmp_path)
