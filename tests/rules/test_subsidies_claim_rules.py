"""The rules of claims by themselves: panels, claw-back, deadlines, the bank file, entries."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.foundation.access import Actor
from marketplace.foundation.errors import Conflict, NotAllowed, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.workdays import is_workday
from marketplace.subsidies import payment_file_rules, rules
from marketplace.subsidies.clawback_rules import (
    ClawBackGround,
    ClawBackTerms,
    check_claw_back,
    check_receipt,
)
from marketplace.subsidies.deadline_rules import first_reminder, next_reminder
from marketplace.subsidies.payment_file_rules import PaymentOrder
from marketplace.subsidies.payment_rules import check_listing
from marketplace.subsidies.return_rules import check_recall
from marketplace.subsidies.review_rules import (
    Agreement,
    ExpertOpinion,
    check_seat,
    judge_panel,
    share_budget,
)
from marketplace.subsidies.rules import ClaimStatus, ReviewDecision
from marketplace.subsidies.single_entry_rules import (
    Entries,
    Recognition,
    Training,
    check_entries,
)
from marketplace.subsidies.word_rules import ClaimItem, Item

P, R, N = ReviewDecision.PASS, ReviewDecision.RETURN, ReviewDecision.REFUSE
S = ClaimStatus
TODAY = date(2024, 3, 15)
SOMEBODY = Actor(user_id=7, organisation_id=1, roles=frozenset())


@pytest.mark.parametrize(
    ("opinions", "decision"),
    [
        ([(P, 60)], P),
        ([(N, 20)], N),
        ([(R, 70)], R),
        ([(P, 80), (P, 70), (N, 30)], P),  # two of three, mean exactly 60
        ([(P, 80), (P, 70), (N, 29)], R),  # the same, a point below
        ([(P, 90), (R, 70)], R),  # half is not more than half
        ([(P, 90), (P, 90), (N, 0), (N, 0)], R),
        ([(N, 50), (N, 50), (P, 90)], N),
        ([(P, 90), (R, 70), (N, 20)], R),
    ],
)
def test_a_panel_decides_by_more_than_half_and_a_mean_of_sixty(
    opinions: list[tuple[ReviewDecision, int]], decision: ReviewDecision
) -> None:
    found = judge_panel([ExpertOpinion(*one) for one in opinions], seat_count=len(opinions))
    assert found.decision is decision


def test_a_panel_with_a_free_seat_decides_nothing() -> None:
    found = judge_panel([ExpertOpinion(P, 90), ExpertOpinion(P, 90)], seat_count=3)
    assert found.decision is None
    assert found.mean == Decimal("90.0")


@pytest.mark.parametrize(
    ("opinions", "agreement"),
    [
        ([(P, 80), (P, 90)], Agreement.CLOSE),
        ([(P, 80), (P, 91)], Agreement.FAIR),
        ([(P, 80), (R, 80)], Agreement.FAIR),
        ([(P, 70), (P, 90)], Agreement.FAIR),
        ([(P, 70), (P, 91)], Agreement.APART),
    ],
)
def test_agreement_is_the_spread_of_the_scores_and_the_decisions(
    opinions: list[tuple[ReviewDecision, int]], agreement: Agreement
) -> None:
    found = judge_panel([ExpertOpinion(*one) for one in opinions], seat_count=2)
    assert found.agreement is agreement


def test_nobody_takes_two_seats_and_nobody_one_too_many() -> None:
    check_seat(taken_by=[1, 2], actor=SOMEBODY, seat_count=3)
    with pytest.raises(Conflict, match="您已经评审过"):
        check_seat(taken_by=[1, 7], actor=SOMEBODY, seat_count=3)
    with pytest.raises(Conflict, match="3 名专家都已评审"):
        check_seat(taken_by=[1, 2, 3], actor=SOMEBODY, seat_count=3)


@given(
    wanted=st.lists(st.integers(1, 10**12), min_size=1, max_size=8),
    budget=st.integers(0, 10**12),
    granted=st.integers(0, 10**12),
)
def test_the_shares_of_a_budget_never_exceed_what_is_left(
    wanted: list[int], budget: int, granted: int
) -> None:
    shares = share_budget(
        [Fen(one) for one in wanted], budget=Fen(budget), granted=[Fen(granted)], undecided=[]
    )
    assert sum(shares.amounts) <= max(0, budget - granted)
    assert all(got <= asked for got, asked in zip(shares.amounts, wanted, strict=True))
    assert shares.scaled == (sum(wanted) > max(0, budget - granted))


def test_the_items_of_claims_are_those_of_contracts_and_others() -> None:
    assert [item.contracts for item in rules.CONTRACT_ITEMS] == list(Item)
    assert ClaimItem.ASSESSMENT_FEE.contracts is None
    assert [item for item in ClaimItem if item.once] == [
        ClaimItem.NATIONAL_INSTITUTION,
        ClaimItem.PROVINCIAL_INSTITUTION,
    ]
    with pytest.raises(RuleBroken, match="本批受理：卖方补助"):
        rules.check_offered(ClaimItem.BUYER, [ClaimItem.SELLER])


TERMS = ClawBackTerms(
    ground=ClawBackGround.FALSE_CLAIM,
    amount_fen=Fen(100),
    reason="付款凭证经银行核对系伪造",
    document="济科处〔2024〕3号",
    due_on=TODAY,
    dishonest_until=date(2024, 3, 16),
)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({}, None),
        ({"amount_fen": Fen(101)}, "amount"),
        ({"amount_fen": Fen(0)}, "amount"),
        ({"reason": "假的"}, "reason"),
        ({"document": "无"}, "document"),
        ({"due_on": date(2024, 3, 14)}, "due_on"),
        ({"dishonest_until": None}, "dishonest_until"),
        ({"dishonest_until": TODAY}, "dishonest_until"),
        ({"ground": ClawBackGround.OVERPAID}, "dishonest_until"),
        ({"ground": ClawBackGround.OVERPAID, "dishonest_until": None}, None),
        ({"ground": ClawBackGround.CANCELLED_CONTRACT, "dishonest_until": None}, None),
        ({"ground": ClawBackGround.SHAM_CONTRACT}, None),
    ],
)
def test_a_claw_back_needs_ground_amount_facts_and_a_period_where_somebody_deceived(
    changed: dict[str, object], field: str | None
) -> None:
    def decide() -> None:
        terms = replace(TERMS, **changed)  # type: ignore[arg-type]
        check_claw_back(terms, status=S.PAID, paid_fen=Fen(100), today=TODAY)

    if field is None:
        decide()
        return
    with pytest.raises(RuleBroken) as refused:
        decide()
    assert [problem.field for problem in refused.value.problems] == [field]


@pytest.mark.parametrize("status", [s for s in ClaimStatus if s is not S.PAID])
def test_only_what_was_paid_is_clawed_back(status: ClaimStatus) -> None:
    with pytest.raises(Conflict):
        check_claw_back(TERMS, status=status, paid_fen=Fen(100), today=TODAY)


def test_a_receipt_is_whole_once_and_another_persons() -> None:
    def confirm(**changed: object) -> None:
        values: dict[str, object] = {
            "received": False,
            "ordered_by_id": 3,
            "actor": SOMEBODY,
            "amount_fen": Fen(100),
            "given_fen": Fen(100),
            "reference": "SK01",
        }
        check_receipt(**(values | changed))  # type: ignore[arg-type]

    confirm()
    with pytest.raises(Conflict):
        confirm(received=True)
    with pytest.raises(NotAllowed):
        confirm(ordered_by_id=7)
    for wrong in ({"given_fen": Fen(99)}, {"given_fen": None}, {"reference": "SK1"}):
        with pytest.raises(RuleBroken):
            confirm(**wrong)


def test_what_is_listed_stood_its_publicity_and_its_contracts_stand() -> None:
    check_listing(number="BZ-1", status=S.APPROVED, cancelled=[])
    with pytest.raises(RuleBroken, match="2024-7 的登记已撤销"):
        check_listing(number="BZ-1", status=S.APPROVED, cancelled=["2024-7"])
    for status in ClaimStatus:
        if status is not S.APPROVED:
            with pytest.raises(Conflict):
                check_listing(number="BZ-1", status=status, cancelled=[])


def test_only_what_is_settled_or_approved_and_not_listed_is_recalled() -> None:
    for status in ClaimStatus:
        if status in (S.SETTLING, S.APPROVED):
            check_recall(status=status, listed=False, reason="户名与单位名称不一致，请更正")
            continue
        with pytest.raises(Conflict):
            check_recall(status=status, listed=False, reason="户名与单位名称不一致，请更正")
    with pytest.raises(Conflict, match="支付清单"):
        check_recall(status=S.APPROVED, listed=True, reason="户名与单位名称不一致，请更正")
    with pytest.raises(RuleBroken):
        check_recall(status=S.APPROVED, listed=False, reason="不对")


@pytest.mark.parametrize(
    ("due_on", "today", "first"),
    [
        (date(2024, 3, 29), TODAY, date(2024, 3, 28)),
        (date(2024, 3, 25), TODAY, date(2024, 3, 22)),  # a Monday: the Friday before
        (date(2024, 4, 8), TODAY, date(2024, 4, 7)),  # a Sunday on which people work
        (date(2024, 3, 18), date(2024, 3, 15), date(2024, 3, 19)),  # too late: the day after
        (TODAY, TODAY, date(2024, 3, 16)),
    ],
)
def test_one_is_reminded_on_the_working_day_before(due_on: date, today: date, first: date) -> None:
    assert first_reminder(due_on, today=today) == first


@given(st.dates(date(2024, 1, 2), date(2024, 11, 1)), st.integers(0, 40))
def test_a_reminder_lies_ahead_and_is_followed_by_one_the_day_after(today: date, days: int) -> None:
    due_on = date.fromordinal(today.toordinal() + days)
    first = first_reminder(due_on, today=today)
    assert first > today
    if first < due_on:
        assert is_workday(first)
    after = next_reminder(due_on, today=first)
    assert (after is None) == (first > due_on)
    if after is not None:
        assert after.toordinal() == due_on.toordinal() + 1
        assert next_reminder(due_on, today=after) is None


def test_a_value_of_the_bank_file_ends_neither_its_field_nor_its_line() -> None:
    order = PaymentOrder(
        claim_no="BZ-1",
        payee="甲|乙\r\n公司",
        uscc="9" * 18,
        bank_name=" 齐鲁\t银行 ",
        bank_account="123",
        amount_fen=Fen(1_234_567_89),
        purpose="2024年度卖方补助",
    )
    text = payment_file_rules.write("ZF-1", TODAY, [order, replace(order, amount_fen=Fen(11))])
    head, first, second, foot, rest = text.split("\r\n")
    assert rest == ""
    assert head == "H|JNTM-PAY-1|ZF-1|20240315|CNY"
    assert first.split("|") == [
        "D", "1", "BZ-1", "甲\uff5c乙 公司", "9" * 18, "齐鲁 银行", "123", "1234567.89",
        "2024年度卖方补助",
    ]  # fmt: skip
    assert second.split("|")[7] == "0.11"
    assert foot == "T|2|1234568.00"


def _enter(item: ClaimItem, entries: Entries, status: ClaimStatus = S.ESTIMATED) -> None:
    check_entries(
        entries, item=item, status=status, year=2024, today=TODAY, names={"Z-1": "苗文静"}
    )


NATIONAL = ClaimItem.NATIONAL_INSTITUTION
RECOGNISED = Entries(Recognition("国科火字〔2024〕1号", TODAY))


def test_a_recognition_needs_a_document_and_a_day_of_the_year() -> None:
    _enter(NATIONAL, RECOGNISED)
    _enter(NATIONAL, Entries(Recognition("国科火字〔2024〕1号", date(2024, 1, 1))))
    for wrong in (
        Entries(),
        Entries(Recognition("无", TODAY)),
        Entries(Recognition("国科火字〔2024〕1号", date(2023, 12, 31))),
        Entries(Recognition("国科火字〔2024〕1号", date(2024, 3, 16))),
    ):
        with pytest.raises(RuleBroken):
            _enter(NATIONAL, wrong)
    with pytest.raises(Conflict):
        _enter(NATIONAL, RECOGNISED, S.DISTRICT_REVIEW)
    with pytest.raises(Conflict):  # what the platform computes is not entered
        _enter(ClaimItem.ASSESSMENT_FEE, RECOGNISED)


def test_a_training_is_of_one_person_and_paid_for() -> None:
    fee = ClaimItem.TRAINING_FEE
    good = Training("苗文静", "Z-1", TODAY, Fen(480_00))
    _enter(fee, Entries(trainings=(good, replace(good, person="外来", certificate_no="Z-2"))))
    for wrong in (
        (),
        (good, good),
        (replace(good, person="张三"),),
        (replace(good, fee_fen=Fen(0)),),
        (replace(good, ended_on=date(2025, 1, 1)),),
    ):
        with pytest.raises(RuleBroken):
            _enter(fee, Entries(trainings=wrong))
