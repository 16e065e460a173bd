"""Policy files: what they may say, what they are refused for, and a new one without code."""

from __future__ import annotations

import importlib.resources
import json
import shutil
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from marketplace.contracts.rules import ContractType
from marketplace.foundation import reference
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.reference_messages import parse
from marketplace.subsidies.calculation_rules import prepare
from marketplace.subsidies.commands import simulate
from marketplace.subsidies.correction_rules import corrections, notes
from marketplace.subsidies.explanation_rules import explain
from marketplace.subsidies.parameters import (
    editions,
    editions_of,
    policies,
    read_policy,
    readings,
    select_policies,
)
from marketplace.subsidies.registers import CONTRACT_COLUMNS, ORGANISATION_COLUMNS
from marketplace.subsidies.trace_rules import Party, RegisteredContract
from marketplace.subsidies.word_rules import Item, PartyKind
from marketplace.subsidies.wording_rules import rate_text, short_yuan
from tests.rules.subsidy_worlds import code

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
        (
            _with([*GROUP, "rte"], "1/2"),
            "items 第 1 项 → groups 第 1 项 → rte：不认识的项，是不是 rate？",
        ),
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
    with pytest.raises(RuleBroken, match=f"{key}：缺少这一项，必须填写"):
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
    assert short_yuan(Fen(997_620_000_00)) == "99,762\u00a0万元"
    assert short_yuan(Fen(3_000_000_01)) == "3,000,000.01 元"


def refused(text: str) -> str:
    name = "policies/jkf-2026-1"
    with pytest.raises(RuleBroken) as broken:
        read_policy(name, parse(name, text), text)
    return broken.value.message


@pytest.mark.parametrize(
    ("written", "instead", "message"),
    [
        (
            "cap_yuan:",
            "cap_yaun:",
            "groups 第 1 项 → cap_yaun：不认识的项，是不是 cap_yuan？",
        ),
        (
            "status: in_force",
            "status: expired",
            "第 7 行，status：应为以下之一：in_force, draft，现在是“expired”",
        ),
        (
            "from: 2026-02-01",
            "from: 2026-02-30",
            "第 8 行，in_force → from：应为存在的日期",
        ),
        (
            "in_city: true",
            "in_city: 在济南",
            "items 第 1 项 → claimant → in_city：应为 true 或 false",
        ),
        ("[university]", "[school]", "应为以下之一：university, research_institute"),
        ("label: 全部合同", "label: 12", "label：应为文字；数字要加引号，现在是“12”"),
        ("readings: [A, F, G]", "readings: A", "readings：应为清单，每项一行"),
        ("id: jkf-2026-1", "id: 济科发1", "id：应为小写字母、四位年份和编号"),
        (
            "claimant: {in_city: true, kinds: [university]}",
            "claimant: 高校",
            "claimant：应为几项“名称: 值”",
        ),
        ("threshold_yuan: 500000", "threshold_yuan: 50万", "以元计的正整数"),
    ],
)
def test_a_problem_is_told_with_line_place_and_what_was_expected(
    written: str, instead: str, message: str
) -> None:
    assert written in NEW
    assert message in refused(NEW.replace(written, instead))


def test_every_problem_of_a_file_is_told_at_once() -> None:
    told = refused(NEW.replace("cap_yuan:", "cap:").replace("article:", "artikel:"))
    assert told.startswith("policies/jkf-2026-1.yaml 不能使用：")
    for part in (
        "cap_yuan：缺少这一项",
        "cap：不认识的项",
        "article：缺少这一项",
        "是不是 article",
    ):
        assert part in told


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the reference data to which a policy officer may add files."""
    folder = tmp_path / "reference"
    shutil.copytree(str(importlib.resources.files("seed.reference")), folder)
    monkeypatch.setattr(reference, "files", lambda _package: folder)
    editions.cache_clear()
    yield folder / "policies"
    editions.cache_clear()


def test_a_document_is_added_as_a_file_and_pays_in_the_command(
    library: Path, tmp_path: Path
) -> None:
    """The steps of docs/policies.md: write the file, run the command. No code is touched."""
    organisations, contracts = tmp_path / "org.csv", tmp_path / "contracts.csv"
    codes = [code(1), code(2)]
    organisations.write_text(
        ",".join(ORGANISATION_COLUMNS)
        + f"\n{codes[0]},泉城大学,university,1,0,,,,\n{codes[1]},小企业,enterprise,1,1,,,,\n",
        encoding="utf-8",
    )
    contracts.write_text(
        ",".join(CONTRACT_COLUMNS)
        + f"\n合同1,development,2026-03-01,1000000,800000,,{codes[0]},{codes[1]},,,,,0\n",
        encoding="utf-8",
    )
    arguments = ["--organisations", str(organisations), "--contracts"]
    arguments += [str(contracts), "--year", "2026"]
    assert json.loads(CliRunner().invoke(simulate, arguments).stdout)["lines"] == []
    (library / "jkf-2026-1.yaml").write_text(NEW, encoding="utf-8")
    editions.cache_clear()
    line = json.loads(CliRunner().invoke(simulate, arguments).stdout)["lines"][0]
    assert (line["policy"], line["amount"]) == ("jkf-2026-1", "1600.00")


CORRECTED = NEW.replace("confirmed_on: 2026-02-02", "confirmed_on: 2026-05-02") + (
    "known_from: 2026-05-01\ncorrection: 原件的上限是 80 万元，录入时误作 60 万元\n"
)


def test_a_correction_counts_from_the_day_it_is_known_and_not_before(library: Path) -> None:
    (library / "jkf-2026-1.yaml").write_text(NEW, encoding="utf-8")
    later = CORRECTED.replace("600000", "800000").replace(
        "60 万元\n    claim", "80 万元\n    claim"
    )
    (library / "jkf-2026-1@2026-05-01.yaml").write_text(later, encoding="utf-8")
    editions.cache_clear()

    def cap(known_on: date | None) -> list[int]:
        found = select_policies(["jkf-2026-1"], known_on=known_on)
        return [policy.items[0].groups[0].cap for policy in found]

    assert cap(date(2026, 4, 30)) == [600_000_00]
    assert cap(date(2026, 5, 1)) == [800_000_00]
    assert cap(None) == [800_000_00]
    with pytest.raises(RuleBroken, match="没有编号为 jkf-2026-1 的文件"):
        cap(date(2026, 1, 31))
    made = corrections(editions_of("jkf-2026-1"))
    assert [(c.known_from, [(x.before, x.after) for x in c.changes]) for c in made] == [
        (
            date(2026, 5, 1),
            [
                (
                    "按技术交易额的 2‰ 给予补助，年度最高 60 万元",
                    "按技术交易额的 2‰ 给予补助，年度最高 80 万元",
                ),
                ("60\u00a0万元", "80\u00a0万元"),
            ],
        )
    ]
    assert made[0].changes[1].place == "items 第 1 项 → groups 第 1 项 → cap"
    told = notes(
        editions_of("jkf-2026-1"),
        decided_on=date(2026, 4, 30),
        decided=Fen(600_000_00),
        recomputed=Fen(700_000_00),
    )
    assert "已决定的金额不因更正而变" in told[-1]
    assert "比已决定的 600,000.00 元多 100,000.00 元" in told[-1]
    assert (
        notes(
            editions_of("jkf-2026-1"),
            decided_on=date(2026, 5, 1),
            decided=Fen(1),
            recomputed=Fen(1),
        )
        == ()
    )


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("jkf-2026-1@2026-05-02", CORRECTED, "更正版的文件名是 jkf-2026-1@知悉日期.yaml"),
        ("jkf-2026-1", CORRECTED, "应与文件名相同"),
        (
            "jkf-2026-1",
            CORRECTED.replace("known_from: 2026-05-01\n", ""),
            "写了 correction（更正了什么）就要写 known_from",
        ),
        ("jkf-2026-1", NEW.replace("status: in_force", "status in_force"), "第 8 行"),
        ("jkf-2026-1", NEW + "\t坏\n", "制表符"),
        ("jkf-2026-1", NEW + "status: draft\n", "第 24 行第 1 列：status 写了两次"),
    ],
)
def test_a_wrong_file_in_the_folder_is_refused_by_name(
    library: Path, name: str, text: str, message: str
) -> None:
    (library / f"{name}.yaml").write_text(text, encoding="utf-8")
    editions.cache_clear()
    with pytest.raises(RuleBroken) as broken:
        policies()
    assert broken.value.message.startswith(f"policies/{name}.yaml")
    assert message in broken.value.message
