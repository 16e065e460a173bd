"""Policy files: what they may say, what they are refused for, and a new one without code."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
import yaml

from marketplace.contracts.rules import ContractType
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import Fen
from marketplace.subsidies.calculation_rules import prepare
from marketplace.subsidies.explanation_rules import explain
from marketplace.subsidies.parameters import policies, read_policy, readings, select_policies
from marketplace.subsidies.trace_rules import Party, RegisteredContract
from marketplace.subsidies.word_rules import Item, PartyKind
from marketplace.subsidies.wording_rules import rate_text, short_yuan

NEW = """
id: jkf-2026-1
document_no: 济科发〔2026〕1号
title: 《济南市技术转移补助办法》
short: 2026年1号文
issuer: 济南市科学技术局
status: in_force
in_force: {from: 2026-02-01, to: null}
confirmed_on: 2026-02-02
items:
  - item: seller
    article: 第二条
    clause: 按技术交易额的 2‰ 给予补助，年度最高 60 万元
    claimant: {in_city: true, kinds: [university]}
    threshold_yuan: 500000
    groups:
      - key: "1"
        label: 全部合同
        base: technology_amount
        rate: 1/500
        cap_yuan: 600000
        accepts: [{types: [development, transfer, licence, consulting, service]}]
    readings: [A, F, G]
"""


def _content() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(NEW)
    return loaded


def test_a_new_document_pays_without_code() -> None:
    policy = read_policy("policies/jkf-2026-1", _content())
    seller = Party("大学", "泉城大学", PartyKind.UNIVERSITY, in_city=True, sme=False)
    buyer = Party("企业", "小企业", PartyKind.ENTERPRISE, in_city=True, sme=True)
    contract = RegisteredContract(
        "合同1",
        ContractType.DEVELOPMENT,
        date(2026, 3, 1),
        Fen(1_000_000_00),
        Fen(800_000_00),
        None,
        "大学",
        "企业",
        None,
        None,
    )
    parties = {"大学": seller, "企业": buyer}
    calculation = prepare(2026, parties=parties, contracts=[contract], policies=[policy])
    result = calculation.results_of("大学")[Item.SELLER]
    assert result.amount_fen == 1_600_00
    told = explain(result, parties)
    text = "".join([*told.sentences, *told.formulas, *(p.text for p in told.parts)])
    for shown in ("济科发〔2026〕1号", "第二条", "2\u00a0‰", "600,000.00", "技术交易额"):
        assert shown in text


def _with(place: list[Any], value: Any) -> dict[str, Any]:
    content = deepcopy(_content())
    inner: Any = content
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return content


GROUP = ["items", 0, "groups", 0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (_with(["ceiling"], 5), "ceiling：不认识的项"),
        (_with([*GROUP, "rte"], "1/2"), "items → 0 → groups → 0 → rte：不认识的项"),
        (_with([*GROUP, "rate"], 0.002), "不能写成小数"),
        (_with([*GROUP, "rate"], "3/2"), "不超过 1"),
        (_with([*GROUP, "rate"], "0"), "大于 0"),
        (_with([*GROUP, "cap_yuan"], 600000.5), "以元计的正整数"),
        (_with([*GROUP, "cap_yuan"], 0), "以元计的正整数"),
        (_with([*GROUP, "base"], "price"), "base"),
        (_with([*GROUP, "accepts"], [{"types": ["sale"]}]), "types"),
        (
            _with(
                [*GROUP, "accepts"],
                [{"types": ["transfer"]}, {"types": ["transfer"], "seller_kinds": ["university"]}],
            ),
            "同时归入",
        ),
        (_with(["in_force"], {"from": "2026-02-01", "to": "2026-01-31"}), "截止日早于开始日"),
        (_with(["items", 0, "readings"], ["A", "Z"]), "不存在的释读 Z"),
        (_with(["id"], "jkf-2026-2"), "应与文件名相同"),
        (_with(["status"], "expired"), "status"),
        (_with(["items", 0, "item"], "inventor"), "item"),
    ],
)
def test_a_wrong_file_is_refused_with_place_and_reason(
    content: dict[str, Any], message: str
) -> None:
    with pytest.raises(RuleBroken) as refused:
        read_policy("policies/jkf-2026-1", content)
    assert message in refused.value.message


@pytest.mark.parametrize("key", ["document_no", "in_force", "status", "confirmed_on", "items"])
def test_a_missing_part_is_named(key: str) -> None:
    content = _content()
    del content[key]
    with pytest.raises(RuleBroken, match=f"{key}：缺少这一项"):
        read_policy("policies/jkf-2026-1", content)


def test_the_documents_are_those_of_the_rules() -> None:
    assert {policy.id: (policy.in_force.since, policy.in_force.until) for policy in policies()} == {
        "jzbf-2019-19": (date(2019, 9, 29), None),
        "jkf-2019-78": (date(2019, 12, 9), None),
        "jzz-2020-20": (date(2020, 3, 20), date(2022, 12, 31)),
        "jkf-2020-10": (date(2020, 3, 30), date(2022, 12, 31)),
        "jkf-2021-27": (date(2021, 4, 27), date(2024, 4, 26)),
        "jzf-2021-14": (date(2021, 8, 29), date(2025, 12, 31)),
        "jzf-2021-15": (date(2021, 10, 15), date(2024, 10, 14)),
        "beizeng-2023": (date(2023, 1, 1), date(2025, 12, 31)),
    }
    assert [policy.id for policy in policies() if policy.draft] == ["beizeng-2023"]
    assert sorted(readings()) == list("ABCDEFGHIJK")


def test_drafts_are_left_out_unless_asked_for() -> None:
    assert "beizeng-2023" not in {policy.id for policy in select_policies()}
    assert "beizeng-2023" in {policy.id for policy in select_policies(include_drafts=True)}
    assert select_policies(["beizeng-2023"]) == ()


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (Fraction(3, 2000), "1.5\u00a0‰"),
        (Fraction(1, 1000), "1\u00a0‰"),
        (Fraction(1, 10000), "0.1\u00a0‰"),
        (Fraction(3, 100), "3\u00a0%"),
        (Fraction(3, 200), "1.5\u00a0%"),
        (Fraction(1, 100), "1\u00a0%"),
        (Fraction(2, 5), "40\u00a0%"),
    ],
)
def test_rates_are_written_as_the_documents_do(rate: Fraction, text: str) -> None:
    assert rate_text(rate) == text


def test_round_figures_are_short_and_others_exact() -> None:
    assert short_yuan(Fen(3_000_000_00)) == "300\u00a0万元"
    assert short_yuan(Fen(1_000_000_000_00)) == "10\u00a0亿元"
    assert short_yuan(Fen(3_000_000_01)) == "3,000,000.01 元"
