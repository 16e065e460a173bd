"""The commission ledger's sums, shares and states; expenses."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.brokerage.commission_rules import (
    EntryFacts,
    Share,
    check_expense,
    check_invoice,
    check_shares,
    fallen_due,
    ledger_status,
    split,
)
from marketplace.brokerage.rules import DealStage
from marketplace.brokerage.terms_rules import (
    WHOLE_RATE,
    CommissionBasis,
    CommissionStatus,
    CommissionTerms,
    check_commission,
    commission_on,
)
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.money import Fen

DAY = date(2024, 3, 15)
money = st.integers(1, 10**13)


@st.composite
def whole_shares(draw: st.DrawFn) -> list[Share]:
    cuts = sorted(draw(st.sets(st.integers(1, WHOLE_RATE - 1), max_size=4)))
    bounds = [0, *cuts, WHOLE_RATE]
    return [Share(n, None, high - low) for n, (low, high) in enumerate(pairwise(bounds))]


@given(amount=money, shares=whole_shares())
def test_the_parts_of_an_amount_sum_to_it_and_none_is_off_by_a_fen(
    amount: int, shares: list[Share]
) -> None:
    parts = split(Fen(amount), shares)
    assert sum(parts) == amount
    for part, share in zip(parts, shares, strict=True):
        assert part >= 0
        assert abs(part * WHOLE_RATE - amount * share.per_myriad) < WHOLE_RATE
    check_shares(shares)


@given(total=money, price=money, receipts=st.lists(money, max_size=8))
def test_what_falls_due_never_shrinks_and_comes_to_the_whole_with_the_price(
    total: int, price: int, receipts: list[int]
) -> None:
    received, before, written = 0, 0, 0
    for receipt in [*receipts, price]:
        received += receipt
        due = fallen_due(Fen(total), received_fen=Fen(received), price_fen=Fen(price))
        assert before <= due <= total
        written += due - before
        before = due
    assert before == written == total


def test_half_of_the_price_makes_half_of_the_commission_due() -> None:
    due = fallen_due(Fen(1_001), received_fen=Fen(50), price_fen=Fen(100))
    assert due == 500


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([(1, 6_000), (2, 3_000)], "commission.share_sum"),
        ([(1, 6_000), (2, 4_001)], "commission.share_sum"),
        ([(1, 5_000), (1, 5_000)], "commission.share_twice"),
        ([(1, 10_000), (2, 0)], "commission.share_empty"),
        ([(n, 1_667 if n < 5 else 1_665) for n in range(6)], "commission.share_many"),
    ],
)
def test_shares_that_are_not_a_whole_are_refused(parts: list[tuple[int, int]], code: str) -> None:
    with pytest.raises(RuleBroken) as refusal:
        check_shares([Share(user, None, part) for user, part in parts])
    assert code in {problem.code for problem in refusal.value.problems}


def test_a_minimum_lifts_a_rate_and_the_price_caps_it() -> None:
    terms = CommissionTerms(CommissionBasis.RATE, 100, None, Fen(5_000))
    assert commission_on(terms, Fen(100_000)) == 5_000
    assert commission_on(terms, Fen(1_000_000)) == 10_000
    assert commission_on(terms, Fen(3_000)) == 3_000


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        (CommissionTerms(CommissionBasis.FIXED, None, Fen(100), Fen(50)), "minimum_of_fixed"),
        (CommissionTerms(CommissionBasis.RATE, 100, None, Fen(0)), "minimum"),
        (CommissionTerms(CommissionBasis.RATE, 100, None, Fen(1_001)), "minimum_above_price"),
    ],
)
def test_a_wrong_minimum_is_refused(terms: CommissionTerms, code: str) -> None:
    with pytest.raises(RuleBroken) as refusal:
        check_commission(terms, price_fen=Fen(1_000))
    assert refusal.value.code == f"commission.{code}"


def test_where_a_commission_stands_by_its_entries() -> None:
    def entry(invoiced: bool = False, received: bool = False) -> EntryFacts:
        return EntryFacts(Fen(50), DAY if invoiced else None, DAY if received else None)

    whole = Fen(100)
    assert ledger_status(whole, []) is CommissionStatus.AGREED
    assert ledger_status(whole, [entry()]) is CommissionStatus.DUE
    assert ledger_status(whole, [entry(invoiced=True)]) is CommissionStatus.INVOICED
    assert ledger_status(whole, [entry(invoiced=True), entry()]) is CommissionStatus.DUE
    assert ledger_status(whole, [entry(received=True)]) is CommissionStatus.AGREED
    assert ledger_status(whole, [entry(received=True)] * 2) is CommissionStatus.RECEIVED


def test_an_invoice_needs_its_number_and_an_unpaid_entry() -> None:
    assert check_invoice(" 2637 0001 ", EntryFacts(Fen(1), None, None)) == "2637 0001"
    with pytest.raises(RuleBroken):
        check_invoice("12", EntryFacts(Fen(1), None, None))
    with pytest.raises(Conflict):
        check_invoice("26370001", EntryFacts(Fen(1), None, DAY))


def test_expenses_only_without_a_contract_and_with_a_statement() -> None:
    words = "样品检测费，依三月备注中的约定"

    def check(**changed: object) -> str:
        values: dict[str, Any] = {
            "stage": DealStage.LOST,
            "amount_fen": Fen(100),
            "words": words,
            "commission_owed": False,
        }
        return check_expense(**{**values, **changed})

    assert check() == words
    for stage in set(DealStage) - {DealStage.LOST}:
        with pytest.raises(Conflict):
            check(stage=stage)
    with pytest.raises(Conflict):
        check(commission_owed=True)
    for changed in ({"amount_fen": Fen(0)}, {"words": "太短"}):
        with pytest.raises(RuleBroken):
            check(**changed)
