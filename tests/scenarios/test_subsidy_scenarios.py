"""Run the cases that a policy officer reads: situation in, every amount and reason out."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from marketplace.contracts.rules import ContractType
from marketplace.foundation.money import Fen, format_yuan, parse_yuan
from marketplace.subsidies.calculation_rules import prepare, scale_to_budget
from marketplace.subsidies.parameters import select_policies
from marketplace.subsidies.trace_rules import (
    Dishonesty,
    ItemResult,
    Party,
    Period,
    RegisteredContract,
)
from marketplace.subsidies.word_rules import Item, Obstacle, PartyKind, Reason

CASES = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in sorted(Path(__file__).parent.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]

_CASE_KEYS = {
    "name",
    "year",
    "organisations",
    "contracts",
    "expected",
    "because",
    "policies",
    "include_drafts",
    "budget",
    "scaled",
}


def test_there_are_enough_scenarios() -> None:
    assert len(CASES) >= 60
    assert len({case.values[0]["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES)
def test_scenario(case: dict[str, Any]) -> None:
    assert set(case) <= _CASE_KEYS
    results = _results(case)
    paid = {(r.party.name, r.item.value): r for r in results if r.amount_fen > 0}
    expected = {(line["who"], line["item"]): line for line in case["expected"]}
    assert {key: format_yuan(r.amount_fen).replace(",", "") for key, r in paid.items()} == {
        key: line["amount"] for key, line in expected.items()
    }
    for key, line in expected.items():
        paying = paid[key].paying
        assert paying is not None
        assert paying.policy.id == line["policy"]
        if "counted" in line:
            assert [p.contract.contract_no for p in paying.parts if p.counted] == line["counted"]
        found = {p.contract.contract_no: p for p in paying.parts}
        for number, reason in line.get("reasons", {}).items():
            assert found[number].reason == reason
        for number, base in line.get("bases", {}).items():
            assert found[number].base_fen == parse_yuan(base)
    for line in case.get("because", []):
        _assert_because(results, line)
    if "budget" in case:
        scaling = scale_to_budget(
            [paid[key].amount_fen for key in expected], parse_yuan(case["budget"])
        )
        shown = dict(zip((who for who, _ in expected), scaling.amounts, strict=True))
        assert shown == {who: parse_yuan(amount) for who, amount in case["scaled"].items()}


def _assert_because(results: list[ItemResult], line: dict[str, Any]) -> None:
    result = next(r for r in results if (r.party.name, r.item.value) == (line["who"], line["item"]))
    compared = next(c for c in result.compared if c.policy.id == line["policy"])
    if "obstacle" in line:
        assert line["obstacle"] in compared.obstacles
        assert compared.amount_fen == 0
    if "reason" in line:
        part = next(p for p in compared.parts if p.contract.contract_no == line["contract"])
        assert part.reason == line["reason"]
        assert part.base_fen == 0


def _results(case: dict[str, Any]) -> list[ItemResult]:
    calculation = prepare(
        case["year"],
        parties={name: _party(name, given) for name, given in case["organisations"].items()},
        contracts=[_contract(given) for given in case["contracts"]],
        policies=select_policies(
            case.get("policies", ()), include_drafts=case.get("include_drafts", False)
        ),
    )
    return list(calculation.results())


def _party(name: str, given: dict[str, Any]) -> Party:
    assert set(given) <= {"kind", "in_jinan", "sme", "filed", "dishonest"}
    filed, dishonest = given.get("filed"), given.get("dishonest")
    return Party(
        key=name,
        name=name,
        kind=PartyKind(given["kind"]),
        in_city=given.get("in_jinan", True),
        sme=given.get("sme", False),
        filings=(Period(*filed),) if filed else (),
        dishonesty=(Dishonesty(Period(*dishonest), "虚假合同"),) if dishonest else (),
    )


def _contract(given: dict[str, Any]) -> RegisteredContract:
    known = {
        "number",
        "type",
        "registered",
        "amount",
        "tax_exempt",
        "seller",
        "buyer",
        "agency",
        "registrar",
    }
    assert set(given) <= known | {"project", "activity", "fiscal_funds"}
    assert isinstance(given["registered"], date)
    exempt = given.get("tax_exempt")
    amount: Fen = parse_yuan(given["amount"])
    return RegisteredContract(
        contract_no=given["number"],
        contract_type=ContractType(given["type"]),
        registered_on=given["registered"],
        amount_fen=amount,
        technology_amount_fen=amount,
        tax_exempt_amount_fen=None if exempt is None else parse_yuan(exempt),
        seller=given["seller"],
        buyer=given["buyer"],
        agency=given.get("agency"),
        registrar=given.get("registrar"),
        project_id=given.get("project", ""),
        activity_id=given.get("activity", ""),
        fiscal_funds=given.get("fiscal_funds", False),
    )


def test_every_item_reason_and_obstacle_stands_in_a_scenario() -> None:
    named = yaml.safe_dump([case.values[0] for case in CASES], allow_unicode=True)
    words = [*Item, *Reason, *Obstacle]
    assert [word.value for word in words if word.value not in named] == []
