"""Ends of a deal, who may do what, introductions, commission, filing of agencies."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.accounts.rules import OrganisationKind
from marketplace.brokerage import parameters
from marketplace.brokerage.register_rules import (
    BrokerLevel,
    Certificate,
    FilingConditions,
    FilingFigures,
    check_certificate,
    check_validity,
    filing_problems,
    may_file,
)
from marketplace.brokerage.rules import (
    DealStage,
    Parties,
    Side,
    check_loss,
    check_pair,
    check_task,
    check_terms,
    leads,
    may_end,
    sides_of,
)
from marketplace.brokerage.terms_rules import (
    AgreementStatus,
    CommissionBasis,
    CommissionStatus,
    CommissionTerms,
    agreement_holds,
    check_commission,
    check_introduction,
    commission_on,
    introduction_digest,
    move_commission,
)
from marketplace.foundation.access import SYSTEM, Actor, Role
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.money import Fen

TODAY = date(2024, 3, 15)


def test_a_loss_needs_words_and_comes_before_registration() -> None:
    assert check_loss(DealStage.SIGNED, "  企业资金没有到位，明年再谈  ").startswith("企业")
    with pytest.raises(RuleBroken):
        check_loss(DealStage.LEAD, "没谈成")
    for stage in (DealStage.REGISTERED, DealStage.PAID, DealStage.LOST):
        with pytest.raises(Conflict):
            check_loss(stage, "企业资金没有到位，明年再谈")


PARTIES = Parties(1, 2, broker_user_id=30, agency_organisation_id=3)


def actor(user: int, organisation: int, *roles: Role) -> Actor:
    return Actor(user, organisation, frozenset(roles), verified=True)


def test_sides_follow_from_who_acts_for_whom() -> None:
    assert sides_of(actor(30, 3, Role.BROKER), PARTIES) == {Side.BROKER}
    assert sides_of(actor(31, 3, Role.BROKER), PARTIES) == set()
    assert sides_of(actor(30, 9, Role.BROKER), PARTIES) == set()  # left the agency
    assert sides_of(actor(32, 3, Role.AGENCY_HEAD), PARTIES) == {Side.AGENCY}
    assert sides_of(actor(10, 1, Role.OFFICER), PARTIES) == {Side.SELLER}
    assert sides_of(actor(20, 2, Role.ENTERPRISE), PARTIES) == {Side.BUYER}
    assert sides_of(actor(20, 4, Role.ENTERPRISE), PARTIES) == set()
    assert sides_of(Actor(None, None), PARTIES) == set()
    assert sides_of(SYSTEM, PARTIES) == {Side.PLATFORM}


def test_the_broker_leads_and_without_one_the_seller() -> None:
    alone = replace(PARTIES, broker_user_id=None, agency_organisation_id=None)
    assert leads(frozenset({Side.BROKER}), PARTIES)
    assert not leads(frozenset({Side.SELLER}), PARTIES)
    assert leads(frozenset({Side.SELLER}), alone)
    assert not leads(frozenset({Side.BUYER}), alone)
    assert may_end(frozenset({Side.BUYER}))
    assert not may_end(frozenset({Side.OPERATOR}))
    assert not may_end(frozenset())


def test_terms_tasks_and_pairs_are_checked() -> None:
    with pytest.raises(RuleBroken):
        check_pair(1, 1)
    with pytest.raises(RuleBroken):
        check_terms(amount_fen=Fen(0), signed_on=None, today=TODAY, opened_on=TODAY)
    with pytest.raises(RuleBroken):
        check_terms(
            amount_fen=None, signed_on=TODAY + timedelta(days=1), today=TODAY, opened_on=TODAY
        )
    check_terms(amount_fen=Fen(1), signed_on=TODAY, today=TODAY, opened_on=TODAY)
    assert check_task(" 回电话 ", TODAY, today=TODAY) == "回电话"
    with pytest.raises(RuleBroken):
        check_task("回电话", TODAY - timedelta(days=1), today=TODAY)
    with pytest.raises(RuleBroken):
        check_task(" ", TODAY, today=TODAY)


def test_an_introduction_is_proved_by_its_facts_alone() -> None:
    moment = datetime(2024, 3, 15, 1, 0, tzinfo=UTC)
    local = moment.astimezone(timezone(timedelta(hours=8)))
    facts = {"seller_uscc": "A", "buyer_uscc": "B", "subject": "achievement:1"}
    digest = introduction_digest(introduced_at=moment, **facts)
    assert digest == introduction_digest(introduced_at=local, **facts)
    assert len(digest) == 64
    for changed in ("seller_uscc", "buyer_uscc", "subject"):
        assert digest != introduction_digest(introduced_at=moment, **(facts | {changed: "X"}))
    assert digest != introduction_digest(introduced_at=moment + timedelta(microseconds=1), **facts)


def test_nobody_is_introduced_to_itself_or_by_itself() -> None:
    check_introduction(seller_organisation_id=1, buyer_organisation_id=2, agency_organisation_id=3)
    for seller, buyer, agency in ((1, 1, 3), (1, 2, 1), (1, 2, 2)):
        with pytest.raises(RuleBroken):
            check_introduction(
                seller_organisation_id=seller,
                buyer_organisation_id=buyer,
                agency_organisation_id=agency,
            )


@given(
    price=st.integers(1, 10**13),
    rate=st.integers(1, 10_000),
    fixed=st.integers(1, 10**13),
)
def test_a_commission_is_never_negative_nor_above_the_price(
    price: int, rate: int, fixed: int
) -> None:
    by_rate = commission_on(CommissionTerms(CommissionBasis.RATE, rate, None), Fen(price))
    assert 0 <= by_rate <= price
    assert by_rate * 10_000 <= price * rate < (by_rate + 1) * 10_000
    by_amount = commission_on(CommissionTerms(CommissionBasis.FIXED, None, Fen(fixed)), Fen(price))
    assert 0 < by_amount <= price


@pytest.mark.parametrize(
    ("terms", "price", "code"),
    [
        (CommissionTerms(CommissionBasis.RATE, None, None), 100, "commission.no_rate"),
        (CommissionTerms(CommissionBasis.RATE, 10_001, None), 100, "commission.rate"),
        (CommissionTerms(CommissionBasis.FIXED, None, Fen(101)), 100, "commission.above_price"),
        (CommissionTerms(CommissionBasis.FIXED, None, Fen(0)), 100, "commission.no_amount"),
        (CommissionTerms(CommissionBasis.FIXED, 300, Fen(1)), 100, "commission.both"),
        (CommissionTerms(CommissionBasis.RATE, 300, Fen(1)), 100, "commission.both"),
    ],
)
def test_wrong_commission_terms_are_refused(terms: CommissionTerms, price: int, code: str) -> None:
    with pytest.raises(RuleBroken) as refusal:
        check_commission(terms, price_fen=Fen(price))
    assert refusal.value.code == code


def test_a_commission_falls_due_once() -> None:
    due = move_commission(CommissionStatus.AGREED, CommissionStatus.DUE)
    for again in (CommissionStatus.DUE, CommissionStatus.AGREED, CommissionStatus.VOID):
        with pytest.raises(Conflict):
            move_commission(due, again)
    with pytest.raises(Conflict):
        move_commission(CommissionStatus.PROPOSED, CommissionStatus.DUE)


def test_an_agreement_holds_between_its_days() -> None:
    def holds(on: date, status: AgreementStatus = AgreementStatus.ACCEPTED) -> bool:
        return agreement_holds(status, accepted_on=TODAY, valid_to=TODAY + timedelta(days=2), on=on)

    assert [holds(TODAY + timedelta(days=n)) for n in (-1, 0, 2, 3)] == [False, True, True, False]
    assert not holds(TODAY, AgreementStatus.REVOKED)
    assert not holds(TODAY, AgreementStatus.OFFERED)


def test_the_agreement_runs_its_years() -> None:
    assert parameters.agreement_ends_on(date(2024, 3, 15)) == date(2027, 3, 14)
    assert parameters.agreement_ends_on(date(2024, 2, 29)) == date(2027, 2, 28)
    text = parameters.agreement_text_on(TODAY)
    assert parameters.agreement_text(text.version).digest == text.digest


CONDITIONS = FilingConditions(100_000, 3_000_000, 3_000_000, 3)


@pytest.mark.parametrize(
    ("internal", "income", "brokered", "conversions", "count"),
    [
        (False, 10_000_000, 300_000_000, 0, 0),
        (False, 9_999_999, 300_000_000, 0, 1),
        (False, 10_000_000, 299_999_999, 0, 1),
        (False, 0, 0, 0, 2),
        (True, 0, 300_000_000, 3, 0),
        (True, 0, 300_000_000, 2, 1),
        (True, 0, 299_999_999, 3, 1),
    ],
)
def test_the_conditions_of_a_filing_hold_to_the_fen(
    internal: bool, income: int, brokered: int, conversions: int, count: int
) -> None:
    figures = FilingFigures(internal, Fen(income), Fen(brokered), conversions)
    assert len(filing_problems(figures, CONDITIONS)) == count


def test_the_conditions_are_dated_data() -> None:
    assert parameters.filing_conditions_on(TODAY) == CONDITIONS


def test_who_may_be_filed() -> None:
    assert may_file(OrganisationKind.SERVICE_INSTITUTION, is_agency=True)
    assert may_file(OrganisationKind.UNIVERSITY, is_agency=False)
    assert not may_file(OrganisationKind.ENTERPRISE, is_agency=False)
    assert not may_file(OrganisationKind.SERVICE_INSTITUTION, is_agency=False)


def test_a_filing_ends_after_it_begins() -> None:
    check_validity(TODAY, TODAY)
    with pytest.raises(RuleBroken):
        check_validity(TODAY, TODAY - timedelta(days=1))
    with pytest.raises(RuleBroken):
        check_validity(TODAY, TODAY.replace(year=2030))


def test_an_expired_certificate_is_refused() -> None:
    held = Certificate(BrokerLevel.SENIOR, "JS-1", "中国技术市场协会", TODAY)
    check_certificate(held, today=TODAY)
    with pytest.raises(RuleBroken):
        check_certificate(held, today=TODAY + timedelta(days=1))
    with pytest.raises(RuleBroken) as refusal:
        check_certificate(Certificate(BrokerLevel.SENIOR, "", "", None), today=TODAY)
    assert len(refusal.value.problems) == 2
