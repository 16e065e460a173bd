"""The text check: what is named, and what is left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from marketplace.achievements.rules import AchievementContent, Comparison
from marketplace.achievements.text_parameters import text_knowledge
from marketplace.achievements.text_rules import Remark, RemarkKind, check_text

KNOWN = text_knowledge()
GOOD = AchievementContent(
    title="低温脱硝催化剂：180 ℃ 去除率 92 %",
    problem="焦化烟气温度低，选择性催化还原（SCR）要先把烟气加热到 300 ℃。",
    solution="以二氧化钛为载体，SCR 反应在 180 ℃ 进行。",
    benefit="每万立方米烟气少用燃气 38 立方米，能耗降低 40 %",
    comparison=(Comparison("去除率", "92", "%", "钒钛催化剂", "61", None),),
)


def found(content: AchievementContent) -> list[tuple[RemarkKind, str, str]]:
    return [(r.kind, r.field, r.quote) for r in check_text(content, KNOWN)]


def test_a_text_that_a_reader_can_judge_is_left_alone() -> None:
    assert found(GOOD) == []


def test_a_claim_without_a_number_is_named() -> None:
    content = replace(GOOD, benefit="技术国际领先，效果显著。能耗降低 40 %")
    assert found(content) == [
        (RemarkKind.EMPTY_CLAIM, "benefit", "国际领先"),
        (RemarkKind.EMPTY_CLAIM, "benefit", "效果显著"),
    ]


def test_better_than_what_is_asked() -> None:
    assert found(replace(GOOD, comparison=())) == [(RemarkKind.NO_COMPARISON, "benefit", "降低")]
    half = replace(
        GOOD, comparison=(*GOOD.comparison, Comparison("寿命", "24000", "h", "", "", None))
    )
    assert found(half) == [(RemarkKind.NO_COMPARISON, "comparison", "寿命")]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("采用 MOFS 吸附", ["MOFS"]),
        ("采用金属有机框架（MOFS）吸附", []),
        ("采用 MOFS（金属有机框架）吸附", []),
        ("由 PLC 控制，LED 照明", []),
        ("采用 MOFS 吸附，MOFS 可再生", ["MOFS"]),
        ("型号 XJ200 与 TiO2", []),
    ],
)
def test_an_abbreviation_is_explained_once(text: str, named: list[str]) -> None:
    content = replace(GOOD, solution=text, problem="烟气温度低，需要加热到 300 ℃。")
    assert [q for k, _f, q in found(content) if k is RemarkKind.ABBREVIATION] == named


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("功率 150 马力", ["马力"]),
        ("开足马力攻关", []),
        ("功率 30 KW", ["KW"]),
        ("功率 30 kW", []),
        ("压力 3 mpa", ["mpa"]),
        ("浓度 20 ppm", ["ppm"]),
        ("长 5 英寸，转速 3000 rpm", ["英寸", "rpm"]),
    ],
)
def test_a_wrong_unit_is_named_where_it_measures(text: str, named: list[str]) -> None:
    content = replace(GOOD, solution=text)
    assert [q for k, _f, q in found(content) if k is RemarkKind.UNIT] == named


def test_a_wrong_unit_in_the_table_is_named_with_its_line() -> None:
    content = replace(GOOD, comparison=(Comparison("转速", "3000", "rpm", "旧机型", "1500", None),))
    (remark,) = check_text(content, KNOWN)
    assert remark == Remark(RemarkKind.UNIT, "comparison", "转速 rpm", "写作 r/min")
