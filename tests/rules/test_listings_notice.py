"""Around the notice: rights in force, priority rights, versions, trials, auction and tender."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.achievements.rules import IPKind, IPRight, LegalStatus
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TradingMode
from marketplace.listings import announcement_rules as notice
from marketplace.listings import priority_rules as priority
from marketplace.listings import right_rules, rules, trial_rules
from marketplace.listings.announcement_rules import VersionKind
from marketplace.listings.priority_rules import HolderKind, PriorityState
from marketplace.listings.right_rules import CheckMoment
from marketplace.listings.rules import Outcome, PricingMode
from marketplace.listings.trial_rules import PriceFormula, TrialTerms

TODAY = date(2024, 3, 15)
PATENT = IPRight(
    IPKind.INVENTION,
    "ZL2019",
    "低温脱硝催化剂",
    LegalStatus.GRANTED,
    date(2019, 5, 6),
    date(2039, 5, 6),
)


def problems(right: IPRight, mode: TradingMode) -> list[str]:
    return [
        found.problem for found in right_rules.look_at([right], mode, on=TODAY) if found.problem
    ]


@pytest.mark.parametrize("mode", list(TradingMode))
def test_a_right_in_force_may_be_traded_in_every_mode(mode: TradingMode) -> None:
    assert problems(PATENT, mode) == []


@pytest.mark.parametrize(
    "right",
    [
        replace(PATENT, legal_status=LegalStatus.LAPSED),
        replace(PATENT, legal_status=LegalStatus.UNKNOWN),
        replace(PATENT, expires_on=date(2024, 3, 14)),
    ],
)
def test_a_right_that_is_over_or_unknown_stops_the_notice(right: IPRight) -> None:
    found = right_rules.look_at([PATENT, right], TradingMode.LICENCE_ORDINARY, on=TODAY)
    with pytest.raises(RuleBroken, match="低温脱硝催化剂"):
        right_rules.check(found, CheckMoment.LISTING)


@pytest.mark.parametrize("mode", list(TradingMode))
def test_an_open_licence_bars_every_exclusive_mode(mode: TradingMode) -> None:
    barred = mode in (
        TradingMode.TRANSFER,
        TradingMode.LICENCE_EXCLUSIVE,
        TradingMode.LICENCE_SOLE,
    )
    assert bool(problems(replace(PATENT, open_licensed=True), mode)) is barred


def test_only_a_granted_patent_is_openly_licensed() -> None:
    pending = replace(PATENT, legal_status=LegalStatus.EXAMINATION)
    assert problems(pending, TradingMode.OPEN_LICENCE)
    assert not problems(pending, TradingMode.LICENCE_ORDINARY)


@pytest.mark.parametrize("mode", list(TradingMode))
def test_who_is_asked_depends_on_whether_the_right_moves(mode: TradingMode) -> None:
    found = priority.holders(
        mode,
        [("陈卓", 5), ("", None)],
        [("泉城理工大学", 2), ("鹊山钢铁", None)],
        2,
        "泉城理工大学",
    )
    if mode in (TradingMode.TRANSFER, TradingMode.EQUITY):
        assert [(one.kind, one.name) for one in found] == [
            (HolderKind.INVENTOR, "陈卓"),
            (HolderKind.CO_OWNER, "鹊山钢铁"),
        ]
    else:
        assert found == []


def test_an_answer_is_given_once_and_stands_on_a_paper() -> None:
    priority.check_answer(PriorityState.ASKED, claims=False, note="", by_holder=True)
    with pytest.raises(RuleBroken, match="书面答复"):
        priority.check_answer(PriorityState.ASKED, claims=False, note="", by_holder=False)
    with pytest.raises(RuleBroken, match="打算"):
        priority.check_answer(PriorityState.ASKED, claims=True, note="", by_holder=True)
    for state in (PriorityState.WAIVED, PriorityState.CLAIMED, PriorityState.SILENT):
        with pytest.raises(Conflict):
            priority.check_answer(state, claims=False, note="书面放弃声明", by_holder=True)


OLD = {"title": "甲", "base_price_fen": "100.00 元", "conditions": "市内实施"}


def test_a_name_put_right_keeps_the_period() -> None:
    assert notice.kind_of(OLD, {**OLD, "title": "乙"}) is VersionKind.CORRECTION


@pytest.mark.parametrize("key", sorted(notice.MATERIAL))
def test_what_a_buyer_decides_by_is_material(key: str) -> None:
    assert notice.kind_of(OLD, {**OLD, key: "另一个", "title": "乙"}) is VersionKind.MATERIAL


def test_a_revision_that_changes_nothing_is_refused() -> None:
    with pytest.raises(RuleBroken, match="没有变化"):
        notice.kind_of(OLD, dict(OLD))
    assert notice.changes(OLD, dict(OLD)) == []
    (change,) = notice.changes(OLD, {**OLD, "base_price_fen": "90.00 元"})
    assert (change.label, change.before, change.after) == ("挂牌底价", "100.00 元", "90.00 元")


TERMS = TrialTerms(6, "连续运行三十天，合格率不低于 98 %", PriceFormula.FIXED, Fen(500_000_00))


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (replace(TERMS, months=0), "trial_months"),
        (replace(TERMS, months=37), "trial_months"),
        (replace(TERMS, conditions="合格"), "trial_conditions"),
        (replace(TERMS, rate_fen=Fen(0)), "trial_rate"),
        (replace(TERMS, rate_fen=Fen(10**18)), "trial_rate"),
        (replace(TERMS, formula=PriceFormula.PER_UNIT), "trial_unit"),
        (replace(TERMS, formula=PriceFormula.REVENUE_SHARE), "trial_share"),
        (replace(TERMS, formula=PriceFormula.REVENUE_SHARE, rate_per_mille=1001), "trial_share"),
        (replace(TERMS, floor_fen=Fen(2), cap_fen=Fen(1)), "trial_cap"),
    ],
)
def test_terms_by_which_no_price_follows_are_refused(terms: TrialTerms, field: str) -> None:
    trial_rules.check_terms(TERMS)
    with pytest.raises(RuleBroken) as refusal:
        trial_rules.check_terms(terms)
    assert refusal.value.problems[0].field == field


def test_the_formula_is_what_is_paid() -> None:
    unit = replace(TERMS, formula=PriceFormula.PER_UNIT, rate_fen=Fen(30_00), unit="吨")
    assert trial_rules.price_of(unit, units=1000, revenue_fen=Fen(0)) == 30_000_00
    assert trial_rules.formula_text(unit) == "30.00 元 × 实际吨数"
    share = replace(
        TERMS,
        formula=PriceFormula.REVENUE_SHARE,
        rate_per_mille=35,
        floor_fen=Fen(10_000_00),
        cap_fen=Fen(20_000_00),
    )
    assert trial_rules.formula_text(share) == (
        "实施收入 × 3.5 %，最低 10,000.00 元，最高 20,000.00 元"
    )
    assert trial_rules.price_of(share, units=0, revenue_fen=Fen(400_000_01)) == 14_000_00
    assert trial_rules.price_of(share, units=0, revenue_fen=Fen(1)) == 10_000_00
    assert trial_rules.price_of(share, units=0, revenue_fen=Fen(10**11)) == 20_000_00
    with pytest.raises(RuleBroken):
        trial_rules.price_of(unit, units=-1, revenue_fen=Fen(0))


@given(
    st.sampled_from(PriceFormula),
    st.integers(0, 10**6),
    st.integers(0, 10**12),
    st.integers(0, 10**9),
    st.none() | st.integers(10**9, 10**12),
)
def test_a_price_keeps_between_floor_and_cap(
    formula: PriceFormula, units: int, revenue: int, floor: int, cap: int | None
) -> None:
    terms = replace(
        TERMS,
        formula=formula,
        rate_fen=Fen(100),
        rate_per_mille=35,
        unit="台",
        floor_fen=Fen(floor),
        cap_fen=None if cap is None else Fen(cap),
    )
    price = trial_rules.price_of(terms, units=units, revenue_fen=Fen(revenue))
    assert price >= floor
    assert cap is None or price <= cap


def test_months_end_with_their_month() -> None:
    assert trial_rules.months_later(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert trial_rules.months_later(date(2024, 11, 15), 3) == date(2025, 2, 15)
    assert trial_rules.months_later(date(2024, 12, 31), 12) == date(2025, 12, 31)


@pytest.mark.parametrize(
    ("mode", "count", "follows"),
    [
        (PricingMode.AUCTION, 1, Outcome.DEAL),
        (PricingMode.AUCTION, 2, Outcome.OUTSIDE),
        (PricingMode.TENDER, 2, Outcome.EXTEND),
        (PricingMode.TENDER, 3, Outcome.OUTSIDE),
        (PricingMode.BIDDING, 3, Outcome.BID),
        (PricingMode.LISTED, 2, Outcome.BID),
    ],
)
def test_auction_and_tender_are_held_outside(
    mode: PricingMode, count: int, follows: Outcome
) -> None:
    assert rules.outcome(count, extension_count=0, extension_limit=3, pricing_mode=mode) is follows


def test_a_result_from_outside_has_its_paper_and_its_floor() -> None:
    rules.check_outside(Fen(100), Fen(100), "成交确认书 2024-7")
    with pytest.raises(RuleBroken) as refusal:
        rules.check_outside(Fen(99), Fen(100), "")
    assert {p.field for p in refusal.value.problems} == {"price_fen", "document"}
