"""Payment schedules, payments received, and what of them is technology income."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from marketplace.contracts.amendment_rules import (
    AmendmentState,
    NewTerms,
    check_new_terms,
    check_open,
)
from marketplace.contracts.payment_rules import (
    Instalment,
    Price,
    Received,
    check_receipt,
    schedule_problems,
    standings,
    technology_part,
)
from marketplace.contracts.rules import ContractContent, Item
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import PaymentMode

TODAY = date(2024, 3, 15)
PRICE = Price(Fen(1_000), Fen(700), PaymentMode.INSTALMENTS, TODAY - timedelta(days=10))


def got(amount: int, technology: int, *, days_ago: int = 0) -> Received:
    return Received(TODAY - timedelta(days=days_ago), Fen(amount), Fen(technology))


def part(days: int, amount: int) -> Instalment:
    return Instalment(TODAY + timedelta(days=days), f"第 {days} 天", Fen(amount))


@example(amount=3017, technology=2788, cuts=[1, 9039])  # a last part smaller than what was lost
@given(
    amount=st.integers(1, 10**12),
    technology=st.integers(1, 10**12),
    cuts=st.lists(st.integers(0, 10**12), max_size=6),
)
def test_the_technology_parts_of_all_payments_sum_up_to_the_fen(
    amount: int, technology: int, cuts: list[int]
) -> None:
    assume(technology <= amount)
    price = Price(Fen(amount), Fen(technology), PaymentMode.INSTALMENTS, None)
    bounds = sorted({0, amount, *(cut % amount for cut in cuts)})
    before: list[Received] = []
    for low, high in pairwise(bounds):
        share = technology_part(price, before, Fen(high - low))
        assert 0 <= share <= high - low
        check_receipt(price, before, Received(TODAY, Fen(high - low), share), today=TODAY)
        before.append(Received(TODAY, Fen(high - low), share))
    assert sum(each.technology_amount_fen for each in before) == technology


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (got(0, 0), "contracts.receipt"),
        (got(-1, 0), "contracts.receipt"),
        (got(100, 101), "contracts.receipt_technology"),
        (got(100, -1), "contracts.receipt_technology"),
        (got(100, 70, days_ago=-1), "contracts.receipt_later"),
        (got(100, 70, days_ago=11), "contracts.receipt_early"),
        (got(601, 10), "contracts.receipt_above_amount"),
        (got(600, 421), "contracts.receipt_technology_above"),
    ],
)
def test_a_payment_that_cannot_be_is_refused(new: Received, code: str) -> None:
    with pytest.raises(RuleBroken) as refusal:
        check_receipt(PRICE, [got(400, 280)], new, today=TODAY)
    assert code in [problem.code for problem in refusal.value.problems]


@pytest.mark.parametrize("new", [got(600, 420), got(1, 0), got(600, 0), got(100, 70, days_ago=10)])
def test_a_payment_up_to_the_bounds_is_taken(new: Received) -> None:
    check_receipt(PRICE, [got(400, 280)], new, today=TODAY)


def test_a_royalty_may_bring_more_than_was_estimated() -> None:
    royalty = Price(Fen(1_000), Fen(700), PaymentMode.ENTRY_FEE_ROYALTY, None)
    check_receipt(royalty, [got(1_000, 700)], got(500, 500), today=TODAY)
    with pytest.raises(RuleBroken):
        check_receipt(royalty, [], got(500, 501), today=TODAY)


@pytest.mark.parametrize(
    ("schedule", "codes"),
    [
        ([], []),
        ([part(0, 600), part(30, 400)], []),
        ([part(0, 600), part(30, 401)], ["contracts.instalments_above_amount"]),
        ([part(30, 600), part(0, 400)], ["contracts.instalment_order"]),
        ([part(-11, 600)], ["contracts.instalment_early"]),
        ([part(0, 0)], ["contracts.instalment"]),
    ],
)
def test_a_schedule_contradicts_neither_itself_nor_the_contract(
    schedule: list[Instalment], codes: list[str]
) -> None:
    found = schedule_problems(schedule, amount_fen=Fen(1_000), begins_on=TODAY - timedelta(days=10))
    assert [problem.code for problem in found] == codes


@given(st.lists(st.integers(1, 1_000), max_size=6), st.integers(0, 7_000))
def test_what_was_received_fills_the_instalments_in_their_order(
    amounts: list[int], received: int
) -> None:
    schedule = [part(day - 3, amount) for day, amount in enumerate(amounts)]
    lines = standings(schedule, Fen(received), today=TODAY)
    assert sum(line.received_fen for line in lines) == min(received, sum(amounts))
    open_seen = False
    for line in lines:
        assert not (open_seen and line.received_fen)
        open_seen = open_seen or line.rest_fen > 0
        assert line.late == (line.rest_fen > 0 and line.instalment.due_on < TODAY)


CONTENT = ContractContent(
    amount_fen=Fen(1_000), technology_amount_fen=Fen(700), ends_on=TODAY,
    items=(Item("设备", Fen(300)),),
)  # fmt: skip


@pytest.mark.parametrize(
    ("terms", "received", "code"),
    [
        (NewTerms(Fen(1_000), Fen(700), (Item("设备", Fen(300)),), TODAY), 0, "unchanged"),
        (NewTerms(Fen(900), Fen(700), (), TODAY), 0, "items_missing"),
        (NewTerms(Fen(900), Fen(900), (), TODAY), 901, "below_received"),
    ],
)
def test_new_terms_say_something_new_and_leave_no_rest(
    terms: NewTerms, received: int, code: str
) -> None:
    with pytest.raises(RuleBroken) as refusal:
        check_new_terms(CONTENT, terms, received_fen=Fen(received))
    assert refusal.value.code == f"contracts.{code}"


def test_new_terms_that_hold_are_taken() -> None:
    check_new_terms(CONTENT, NewTerms(Fen(900), Fen(900), (), TODAY), received_fen=Fen(900))
    later = NewTerms(Fen(1_000), Fen(700), (Item("设备", Fen(300)),), TODAY + timedelta(days=1))
    check_new_terms(CONTENT, later, received_fen=Fen(0))


def test_an_answered_application_is_not_answered_again() -> None:
    check_open(AmendmentState.APPLIED)
    for state in AmendmentState:
        if state is not AmendmentState.APPLIED:
            with pytest.raises(Conflict):
                check_open(state)
