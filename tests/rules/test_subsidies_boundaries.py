"""The calculation at its edges: the days, sums and thresholds of the documents themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from math import ceil

import pytest

from marketplace.subsidies.parameters import Group, ItemTerms, Policy, policies
from marketplace.subsidies.word_rules import Item, Reason
from tests.rules.subsidy_worlds import ALIKE, between_alike, results

_HOLDER = {"seller": "卖家", "buyer": "买家", "agency": "中介", "registrar": "登记"}

BOUNDARY_DAYS = [
    pytest.param(policy, terms, day, inside, id=f"{policy.id}-{terms.item}-{day}")
    for policy in policies()
    for terms in policy.items
    for edge, outward in ((policy.in_force.since, -1), (policy.in_force.until, 1))
    if edge is not None
    for day, inside in (
        (edge + timedelta(outward), False),
        (edge, True),
        (edge - timedelta(outward), True),
    )
]


@pytest.mark.parametrize(("policy", "terms", "day", "inside"), BOUNDARY_DAYS)
def test_a_document_pays_on_its_first_and_last_day_and_not_a_day_beyond(
    policy: Policy, terms: ItemTerms, day: date, inside: bool
) -> None:
    kind = sorted(terms.groups[0].accepts[0].types)[0]
    con = between_alike(kind, day, 2_000_000_000_00)
    found = results(day.year, ALIKE, [con], [policy.id])
    result = next(r for r in found if r.item is terms.item)
    assert (result.amount_fen > 0) is inside
    part = result.compared[0].parts[0]
    assert (Reason.POLICY_NOT_IN_FORCE in part.reasons) is not inside


BOUNDARY_SUMS = [
    pytest.param(policy, terms, group, step, id=f"{policy.id}-{terms.item}-{group.key}{step:+d}")
    for policy in policies()
    for terms in policy.items
    for group in terms.groups
    for step in (-1, 0, 1)
]


@pytest.mark.parametrize(("policy", "terms", "group", "step"), BOUNDARY_SUMS)
def test_a_cap_cuts_from_the_fen_above_it(
    policy: Policy, terms: ItemTerms, group: Group, step: int
) -> None:
    full = ceil(Fraction(group.cap) / group.rate)  # the least base that reaches the cap
    kind = sorted(group.accepts[0].types)[0]
    on = policy.in_force.since
    found = results(on.year, ALIKE, [between_alike(kind, on, full + step)], [policy.id])
    amount = next(r for r in found if r.item is terms.item).amount_fen
    assert amount == (group.cap if step >= 0 else group.cap - 1)


BOUNDARY_THRESHOLDS = [
    pytest.param(policy, terms, step, id=f"{policy.id}-{terms.item}{step:+d}")
    for policy in policies()
    for terms in policy.items
    if terms.threshold is not None
    for step in (-1, 0, 1)
]


def test_the_thresholds_are_those_of_the_rules() -> None:
    found = {
        terms.item: terms.threshold for p in policies() for terms in p.items if terms.threshold
    }
    assert found == {Item.AGENCY: 3_000_000_00, Item.REGISTRAR: 1_000_000_000_00}


@pytest.mark.parametrize(("policy", "terms", "step"), BOUNDARY_THRESHOLDS)
def test_a_threshold_includes_the_figure_itself(
    policy: Policy, terms: ItemTerms, step: int
) -> None:
    assert terms.threshold is not None
    con = between_alike("service", policy.in_force.since, terms.threshold + step)
    found = results(con.on.year, ALIKE, [con], [policy.id])
    result = next(r for r in found if r.item is terms.item)
    assert (result.amount_fen > 0) is (step >= 0)
    # Two contracts that reach it together count like one.
    halves = [
        replace(con, amount=con.amount // 2),
        replace(con, no="合同2", amount=con.amount - con.amount // 2),
    ]
    together = results(con.on.year, ALIKE, halves, [policy.id])
    assert next(r for r in together if r.item is terms.item).amount_fen == result.amount_fen


@pytest.mark.parametrize("step", [-1, 0, 1])
@pytest.mark.parametrize("end", ["first", "last"])
def test_a_filing_is_valid_on_its_first_and_last_day(end: str, step: int) -> None:
    day = date(2023, 3, 1)
    filed = (day, None) if end == "first" else (None, day)
    orgs = ALIKE | {"中介": replace(ALIKE["中介"], filed=filed)}
    con = between_alike("service", day + timedelta(step), 4_000_000_00)
    result = next(r for r in results(2023, orgs, [con]) if r.item is Item.AGENCY)
    assert (result.amount_fen > 0) is (step >= 0 if end == "first" else step <= 0)


@pytest.mark.parametrize("step", [-1, 0, 1])
@pytest.mark.parametrize("end", ["first", "last"])
def test_a_record_of_dishonesty_counts_on_the_last_day_of_the_year(end: str, step: int) -> None:
    day = date(2023, 12, 31) + timedelta(step)
    record = (day, None) if end == "first" else (None, day)
    orgs = ALIKE | {"卖家": replace(ALIKE["卖家"], dishonest=record)}
    con = between_alike("service", date(2023, 3, 1), 4_000_000_00)
    result = next(r for r in results(2023, orgs, [con]) if r.item is Item.SELLER)
    barred = step <= 0 if end == "first" else step >= 0
    assert (result.amount_fen == 0) is barred


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_added_value_begins_at_the_fen_above_the_earlier_transfer(step: int) -> None:
    earlier = replace(between_alike("transfer", date(2022, 6, 1), 1_000_000_00), project="项目")
    later = replace(earlier, no="合同2", on=date(2023, 3, 1), amount=earlier.amount + step)
    result = next(r for r in results(2023, ALIKE, [earlier, later]) if r.item is Item.SELLER)
    part = next(c for c in result.compared if c.policy.id == "jkf-2021-27").parts[0]
    assert (part.base_fen, part.deducted_fen) == (max(0, step), later.amount - max(0, step))
