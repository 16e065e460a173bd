"""Rows into achievements and needs: what is taken, noted, refused; how columns are recognised."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from marketplace.achievements.rules import WHOLE_SHARE, IPKind, LegalStatus
from marketplace.exchange.row_rules import ReadRow, read_achievement, read_need, title_of
from marketplace.exchange.rules import ImportKind, check_mapping, recognise, unit_of
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.trade import TechnologyField, TradingMode
from tests.import_files import PATENT_HEADER, application_number

TODAY = date(2024, 3, 15)


def achievement(unit: str = "元", **changed: str) -> ReadRow:
    values: dict[str, str] = {
        "title": "一种低压降整流装置",
        "number": application_number(1),
        "kind": "发明专利",
        "filed_year": "2019",
        "owners": "泉城理工大学",
        "ipc_main": "H02M7/12",
        "ipc": "H02M7/12; B60Q 1/04",
    }
    return read_achievement(
        values | changed,
        organisation_id=7,
        organisation_name="泉城理工大学",
        today=TODAY,
        unit=unit,
    )


def need(**changed: str) -> ReadRow:
    values = {
        "problem": "铅锌矿石中的银和硫难以综合回收，每年损失约三百万元。",
        "discipline": "矿业工程",
    }
    return read_need(values | changed, today=TODAY, unit="万元")


def test_the_columns_of_a_patent_export_are_recognised() -> None:
    found = recognise(ImportKind.ACHIEVEMENTS, PATENT_HEADER)
    assert {PATENT_HEADER[at]: key for key, at in found.items()} == {
        "申请号": "number",
        "专利名称": "title",
        "专利类型": "kind",
        "申请年": "filed_year",
        "申请(专利权)人": "owners",
        "国省代码": "region",
        "主分类号": "ipc_main",
        "分类号": "ipc",
    }


@pytest.mark.parametrize(
    "header", ["申请（专利权）人", " 申请(专利权)人 ", "专利权人", "完成单位", "*权利人"]
)
def test_a_column_has_many_names(header: str) -> None:
    assert recognise(ImportKind.ACHIEVEMENTS, ["名称", header])["owners"] == 1


def test_a_missing_required_column_is_named_with_what_is_there() -> None:
    header = ["编号", "日期"]
    with pytest.raises(RuleBroken) as caught:
        check_mapping(ImportKind.ACHIEVEMENTS, header, recognise(ImportKind.ACHIEVEMENTS, header))
    message = caught.value.problems[0].message
    assert "没有找到“名称”一列" in message
    assert "编号、日期" in message


def test_one_column_cannot_say_two_things() -> None:
    with pytest.raises(RuleBroken, match="用了两次"):
        check_mapping(ImportKind.NEEDS, ["需求"], {"problem": 0, "title": 0})


def test_a_patent_becomes_what_is_known_of_it() -> None:
    row = achievement()
    right = row.content.ip_rights[0]
    assert (right.kind, right.filed_year) == (IPKind.INVENTION, 2019)
    assert right.legal_status is LegalStatus.UNKNOWN
    assert row.content.ipc == ("H02M7/12", "B60Q1/04")
    assert row.content.field is TechnologyField.ENERGY
    assert row.content.owners[0].organisation_id == 7
    assert row.content.owners[0].share == WHOLE_SHARE
    assert row.key == f"right:{application_number(1)[2:].replace('.', '')}"
    assert "还缺" in row.reason
    assert not row.notes


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"title": ""}, "名称是空的"),
        ({"title": "长" * 101}, "最多 100 个"),
        ({"number": "x" * 61}, "不像申请号"),
    ],
)
def test_what_cannot_be_an_achievement_is_refused(changed: dict[str, str], words: str) -> None:
    assert words in achievement(**changed).refused


def test_a_wrong_check_digit_refuses_the_row() -> None:
    right = application_number(1)
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    assert f"校验位应为 {right[-1]}" in achievement(number=wrong).refused


@pytest.mark.parametrize(
    ("changed", "note"),
    [
        ({"owners": ""}, "权利人空缺"),
        ({"owners": "别的大学,某公司"}, "没有本单位"),
        ({"kind": ""}, "类型空缺"),
        ({"kind": "国防专利"}, "不认识的知识产权类型"),
        ({"filed_year": "1899"}, "申请年“1899”不合理"),
        ({"filed_year": "2031"}, "申请年“2031”不合理"),
        ({"number": "JP20130084014", "kind": ""}, "外国申请号"),
        ({"ipc": "H02M7/12; 乱码"}, "不是 IPC 分类号"),
        ({"trl": "很成熟"}, "不是 1 到 9 级"),
        ({"price": "八百万"}, "不是金额"),
        ({"filed_on": "2019-02-30"}, "不是日期"),
        ({"legal_status": "不明"}, "不认识的法律状态"),
    ],
)
def test_dirt_is_noted_and_left_out(changed: dict[str, str], note: str) -> None:
    row = achievement(**changed)
    assert not row.refused
    assert any(note in said for said in row.notes)


def test_a_right_that_is_certainly_over_is_marked_lapsed() -> None:
    old = achievement(filed_year="2010", kind="实用新型")
    assert old.content.ip_rights[0].legal_status is LegalStatus.LAPSED
    assert "保护期已届满" in old.reason
    alive = achievement(filed_year="2014", kind="实用新型")
    assert alive.content.ip_rights[0].legal_status is LegalStatus.UNKNOWN


@pytest.mark.parametrize(
    ("text", "unit", "fen"),
    [
        ("120", "万元", 120_000_000),
        ("120万元", "元", 120_000_000),
        ("1,200,000.50", "元", 120_000_050),
        ("0.15", "万元", 150_000),
        ("面议", "元", None),
    ],
)
def test_amounts_are_exact_in_the_unit_of_cell_or_column(
    text: str, unit: str, fen: int | None
) -> None:
    assert achievement(unit=unit, price=text).content.price_fen == fen


def test_the_unit_stands_in_the_header() -> None:
    assert unit_of("转让价（万元）") == "万元"
    assert unit_of("价格") == "元"
    assert recognise(ImportKind.ACHIEVEMENTS, ["名称", "转让价（万元）"])["price"] == 1


def test_several_owners_have_no_shares_yet() -> None:
    owners = achievement(owners="泉城理工大学,ACME CO., LTD;某公司").content.owners
    assert [owner.name for owner in owners] == ["泉城理工大学", "ACME CO., LTD", "某公司"]
    assert {owner.share for owner in owners} == {None}


def test_without_a_number_the_title_is_the_key() -> None:
    first = achievement(number="", kind="", title="某 装置")
    same = achievement(number="", kind="", title="某装置")
    assert first.key == same.key
    assert first.key.startswith("title:")


def test_a_need_gets_a_title_and_a_key() -> None:
    row = need()
    assert row.title == "铅锌矿石中的银和硫难以综合回收，每年损失约三百万元"
    assert row.content.field is TechnologyField.ENERGY
    assert row.key == need(problem=row.content.problem + " ").key


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (
            "我公司主要从事矿业工程产品生产，目前遇到如下技术难题：银难以回收。预算面议。",
            "银难以回收",
        ),
        ("需求背景：“湿地”净化慢。", "湿地”净化慢"),
        ("短句", "短句"),
        ("很" * 60, "很" * 40 + "…"),
    ],
)
def test_titles_leave_out_the_talk_that_leads_to_them(text: str, title: str) -> None:
    assert title_of(text) == title


@pytest.mark.parametrize(
    ("changed", "part", "value"),
    [
        ({"budget": "80"}, "budget_max_fen", 80_000_000),
        ({"budget": "面议"}, "budget_negotiable", True),
        ({"deadline": "2024年9月30日"}, "deadline", date(2024, 9, 30)),
        ({"deadline": "2023-01-01"}, "deadline", None),
        ({"modes": "委托开发、技术转让"}, "modes", (TradingMode.DEVELOPMENT, TradingMode.TRANSFER)),
        ({"industry_code": "乱"}, "industry_code", ""),
    ],
)
def test_a_needs_cells_become_values(changed: dict[str, str], part: str, value: Any) -> None:
    assert getattr(need(**changed).content, part) == value


@pytest.mark.parametrize("problem", ["", "太短"])
def test_a_need_without_a_problem_is_refused(problem: str) -> None:
    assert need(problem=problem).refused
