"""The rules on sums: judging alike contracts once gives what judging each for itself gives."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date

import pytest

from marketplace.contracts.rules import ContractType
from marketplace.foundation.money import Fen
from marketplace.subsidies.calculation_rules import look_back, prepare
from marketplace.subsidies.parameters import Policy, policies, select_policies
from marketplace.subsidies.simulation_rules import (
    AlikeSum,
    Counting,
    Line,
    Measure,
    Plan,
    Ruling,
    Verdict,
    in_other_role,
    plan_for,
)
from marketplace.subsidies.trace_rules import ContractPart, Party, Period, RegisteredContract
from marketplace.subsidies.verdict_rules import Situation, added_value
from marketplace.subsidies.word_rules import Base, Item, PartyKind, Reason
from tests.rules.subsidy_worlds import contract, party, world


def situation(
    of: RegisteredContract, parties: dict[str, Party], plan: Plan, *, repeated: bool
) -> Situation:
    """Describe a contract the way the tables do: its day only by the era it lies in."""
    seller = parties[of.seller]
    filings = parties[of.agency].filings if of.agency else ()
    return Situation(
        of.contract_type,
        max(day for day in plan.eras if day <= of.registered_on),
        of.fiscal_funds,
        seller.kind,
        seller.in_city,
        parties[of.buyer].in_city,
        repeated,
        any(filing.covers(of.registered_on) for filing in filings),
    )


def simulate(
    plan: Plan, parties: dict[str, Party], contracts: list[RegisteredContract]
) -> list[Line]:
    """Do in plain Python what the tables do with a file."""
    back = look_back(contracts)
    verdicts: dict[Item, dict[Verdict, int]] = {item: {} for item in Item}
    sums: dict[str, dict[Item, dict[tuple[int, bool, bool], list[list[int]]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for each in contracts:
        if each.registered_on.year != plan.year:
            continue
        seen = situation(each, parties, plan, repeated=each.contract_no in back.not_first)
        for item, known in verdicts.items():
            holder = each.holder(item)
            if holder is None or not plan.may_earn(parties[holder], item):
                continue
            verdict = known.setdefault(plan.verdict(item, seen), len(known))
            deduction = back.deductions.get(each.contract_no, Fen(0))
            key = (verdict, each.agency == each.seller, each.agency == each.buyer)
            sums[holder][item][key].append(
                [
                    added_value(each.base(m.base), deduction) if m.added else each.base(m.base)
                    for m in plan.measures
                ]
            )
    countings = {item: [plan.counting(item, v) for v in known] for item, known in verdicts.items()}
    lines = []
    for key, items in sums.items():
        found = {
            item: [
                AlikeSum(*alike, len(rows), tuple(map(sum, zip(*rows, strict=True))))
                for alike, rows in by_kind.items()
            ]
            for item, by_kind in items.items()
        }
        lines += plan.lines_of(parties[key], found, countings)
    return lines


def counted_elsewhere(line: Line, part: ContractPart) -> bool:
    """Tell what a line says of one contract of its organisation: that another role counts it."""
    return part.contract.agency == line.key and any(
        part.contract.holder(principal) == line.key for principal in line.elsewhere
    )


@pytest.mark.parametrize("chunk", range(3))
def test_sums_of_alike_contracts_give_what_every_contract_for_itself_gives(chunk: int) -> None:
    chance = random.Random(1000 + chunk)
    paid = 0
    for number in range(300):
        orgs, cons = world(chance, number)
        year = chance.choice(cons).on.year
        chosen = select_policies(include_drafts=chance.random() < 0.3)
        parties = {key: party(org) for key, org in orgs.items()}
        contracts = [contract(con) for con in cons]
        plan = plan_for(year, chosen)
        lines = simulate(plan, parties, contracts)
        calculation = prepare(year, parties=parties, contracts=contracts, policies=chosen)
        found = [result for result in calculation.results() if result.paying]
        expected = {
            (r.party.key, r.item): (r.paying.policy.id, r.amount_fen) for r in found if r.paying
        }
        assert {(n.key, n.item): (n.policy.id, n.amount_fen) for n in lines} == expected
        parts = {(r.party.key, r.item): r.paying.parts for r in found if r.paying}
        for line in lines:
            assert plan.terms[line.item][line.place][0] is line.policy
            for part in parts[line.key, line.item]:
                other = Reason.COUNTED_IN_OTHER_ROLE in part.reasons
                assert counted_elsewhere(line, part) is other
        paid += len(lines)
    assert paid > 150


def test_a_plan_orders_its_year_by_item_and_age() -> None:
    plan = plan_for(2022, reversed(policies()))
    assert {item: [policy.id for policy, _ in listed] for item, listed in plan.terms.items()} == {
        Item.SELLER: ["jzz-2020-20", "jkf-2020-10", "jkf-2021-27"],
        Item.BUYER: ["jzz-2020-20", "jkf-2020-10", "jkf-2021-27", "jzf-2021-15"],
        Item.AGENCY: ["jkf-2021-27"],
        Item.REGISTRAR: ["jkf-2021-27"],
    }
    assert plan.measures == (Measure(Base.AMOUNT, False), Measure(Base.AMOUNT, True))
    assert plan.eras == (date(2022, 1, 1),)
    assert plan.roles_ruled
    turning = plan_for(2021, policies())
    assert turning.eras == (
        date(2021, 1, 1),
        date(2021, 4, 27),
        date(2021, 8, 29),
        date(2021, 10, 15),
    )
    assert plan_for(2024, policies()).eras == (
        date(2024, 1, 1),
        date(2024, 4, 27),
        date(2024, 10, 15),
    )
    assert not plan_for(2020, policies()).roles_ruled
    assert plan_for(2026, policies()).measures == ()


def test_a_verdict_says_for_each_document_where_a_contract_goes() -> None:
    plan = plan_for(2021, select_policies(["jkf-2020-10", "jkf-2021-27"]))
    seen = Situation(
        ContractType.TRANSFER,
        date(2021, 1, 1),
        fiscal_funds=True,
        seller_kind=PartyKind.UNIVERSITY,
        seller_in_city=True,
        buyer_in_city=True,
        activity_repeated=False,
        filed=False,
    )
    verdict = plan.verdict(Item.SELLER, seen)
    older, newer = (policy.items[0].groups[0] for policy in _listed(plan))
    assert verdict == Verdict((Ruling(older, None), Ruling(newer, Reason.FISCAL_FUNDS)))
    assert plan.counting(Item.SELLER, verdict) == (Counting(0, "1", 0),)
    assert plan.counting(Item.SELLER, Verdict((Ruling(None, None), Ruling(newer, None)))) == (
        Counting(1, "1", 1),
    )


def _listed(plan: Plan) -> list[Policy]:
    return [policy for policy, _ in plan.terms[Item.SELLER]]


@pytest.mark.parametrize(
    ("own_seller", "own_buyer", "elsewhere", "expected"),
    [
        (True, False, {Item.SELLER}, True),
        (True, False, {Item.BUYER}, False),
        (False, True, {Item.BUYER}, True),
        (False, True, {Item.SELLER}, False),
        (True, True, set(), False),
        (False, False, {Item.SELLER, Item.BUYER}, False),
    ],
)
def test_a_contract_counts_in_one_role(
    own_seller: bool, own_buyer: bool, elsewhere: set[Item], expected: bool
) -> None:
    alike = AlikeSum(0, own_seller, own_buyer, 1, (1,))
    assert in_other_role(alike, frozenset(elsewhere)) is expected


def test_where_no_document_rules_on_roles_a_contract_counts_in_both() -> None:
    (main,) = select_policies(["jkf-2021-27"])
    free = main.model_copy(update={"one_role_per_contract": None})
    both = Party("大学", "大学", PartyKind.UNIVERSITY, True, False, (Period(None, None),))
    parties = {"大学": both, "企业": Party("企业", "企业", PartyKind.ENTERPRISE, True, False)}
    amount = Fen(4_000_000_00)
    own = RegisteredContract(
        "合同1",
        ContractType.TRANSFER,
        date(2023, 3, 1),
        amount,
        amount,
        None,
        "大学",
        "企业",
        "大学",
        None,
    )
    for policy, expected in ((main, {Item.AGENCY}), (free, {Item.AGENCY, Item.SELLER})):
        calculation = prepare(2023, parties=parties, contracts=[own], policies=[policy])
        assert {r.item for r in calculation.results() if r.amount_fen} == expected
        lines = simulate(plan_for(2023, [policy]), parties, [own])
        assert {line.item for line in lines} == expected
