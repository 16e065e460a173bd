"""Single payments, fees and vouchers from the platform's own records to the payment."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from marketplace.accounts.rules import OrganisationKind
from marketplace.assessments.fee_queries import PaidFee
from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.errors import Conflict, NotAllowed, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.subsidies import queries, service
from marketplace.subsidies.models import ClaimGround
from marketplace.subsidies.rules import ClaimStatus, ReviewStep
from marketplace.subsidies.single_entry_rules import Entries, Recognition, Training
from marketplace.subsidies.word_rules import ClaimItem
from marketplace.techservices.models import Meeting, Order, SignUp
from marketplace.techservices.rules import MeetingKind, OrderState, ServiceKind
from tests.subsidies import SubsidyYear
from tests.world import World

RECOGNISED = Entries(Recognition("国科火字〔2024〕1号", date(2024, 2, 6)))


@pytest.fixture
def year(world: World, now: Any) -> SubsidyYear:
    made = SubsidyYear(world, now)
    _everybody = made.district, made.centre, made.bureau, made.officer, made.buyer
    return made


def store(year: SubsidyYear, *things: Any) -> None:
    with year.database.transaction() as session:
        session.add_all(things)
        session.flush()
        audit.record(session, actor=SYSTEM, action="test", subject="test:1", now=year.now)


def order(year: SubsidyYear, number: int, *, paid: int, voucher: int) -> Order:
    """Make a confirmed order of the company's at the university's instrument."""
    moment = datetime(2024, 3, 1, 10, tzinfo=LOCAL)
    return Order(
        number=f"FW-2024-{number:04d}",
        kind=ServiceKind.INSTRUMENT_USE,
        state=OrderState.CONFIRMED,
        title="扫描电镜形貌分析",
        wishes="",
        details={},
        customer_organisation_id=year.company.id,
        customer_user_id=None,
        provider_organisation_id=year.university.id,
        achievement_id=None,
        requested_at=moment,
        answer_by=date(2024, 3, 5),
        voucher_wanted=True,
        fee_fen=Fen(paid + voucher),
        voucher_fen=Fen(voucher),
        due_on=None,
        accepted_at=moment,
        delivered_at=moment,
        paid_fen=Fen(paid),
        confirmed_at=moment,
    )


def test_vouchers_are_redeemed_by_who_took_them_order_by_order_and_once(
    year: SubsidyYear,
) -> None:
    store(
        year,
        order(year, 1, paid=600_00, voucher=400_00),
        order(year, 2, paid=500_00, voucher=100_00),
    )
    item = ClaimItem.INSTRUMENT_VOUCHER
    round_id = year.open_round()
    with year.database.reading() as session:
        opened = queries.get_round(session, round_id)
        offered = queries.offered_singles(session, year.university.id, opened, now=year.now)
        assert offered[item].claimable_fen == 500_00
        assert item not in queries.offered_singles(session, year.company.id, opened, now=year.now)
    claim_id = year.prepared(round_id, item=item)
    year.apply(claim_id)
    with year.database.reading() as session:
        grounds = session.query(ClaimGround).order_by(ClaimGround.id).all()
        assert [(g.key, g.paid_fen, g.counted_fen) for g in grounds] == [
            ("order:1", 1_000_00, 400_00),
            ("order:2", 600_00, 100_00),
        ]
    with pytest.raises(RuleBroken, match="没有可以申报的金额"):
        year.prepared(round_id, item=item)
    # A later order brings its own voucher only.
    store(year, order(year, 3, paid=60_00, voucher=40_00))
    later = year.prepared(round_id, item=item)
    year.apply(later)
    assert year.claim(later).claimed_fen == 40_00
    year.paid(claim_id)
    assert year.status(claim_id) is ClaimStatus.PAID


def test_the_customer_does_not_review_the_redemption_of_its_own_voucher(
    year: SubsidyYear,
) -> None:
    store(year, order(year, 1, paid=600_00, voucher=400_00))
    claim_id = year.prepared(year.open_round(), item=ClaimItem.INSTRUMENT_VOUCHER)
    year.apply(claim_id)
    for step in (ReviewStep.DISTRICT, ReviewStep.CENTRE, ReviewStep.BUREAU):
        year.review(claim_id, step)
    from_there = year.expert.__class__(
        user_id=year.expert.user_id,
        organisation_id=year.company.id,
        roles=year.expert.roles,
        verified=True,
    )
    with pytest.raises(NotAllowed, match="须回避"):
        year.review(claim_id, ReviewStep.EXPERT, actor=from_there)
    with year.database.reading() as session:
        assert queries.awaited_ids(session, from_there) == []


def test_event_vouchers_are_redeemed_when_the_meeting_is_over(year: SubsidyYear) -> None:
    starts = year.now + timedelta(hours=1)
    users = [year.world.actor(next(iter(year.buyer.roles)), year.company) for _ in range(3)]
    store(
        year,
        Meeting(
            id=1,
            kind=MeetingKind.MATCHMAKING,
            title="对接会",
            body="",
            organiser_organisation_id=year.university.id,
            place="礼堂",
            district=None,
            starts_at=starts,
            ends_at=starts + timedelta(hours=2),
            capacity=300,
            vouchers=True,
            announced_at=year.now,
            cancelled_at=None,
        ),
    )
    store(
        year,
        *[
            SignUp(
                meeting_id=1,
                user_id=user.user_id,
                organisation_id=year.company.id,
                code=f"C{number}",
                signed_up_at=year.now,
                cancelled_at=None,
                checked_in_at=starts,
                voucher_fen=Fen(50_00),
            )
            for number, user in enumerate(users)
        ],
    )
    round_id = year.open_round()
    with pytest.raises(RuleBroken, match="没有可以申报的金额"):
        year.prepared(round_id, item=ClaimItem.EVENT_VOUCHER)
    year.now += timedelta(hours=3)
    claim_id = year.prepared(round_id, item=ClaimItem.EVENT_VOUCHER)
    assert year.claim(claim_id).claimed_fen == 150_00


def test_assessment_fees_of_announced_achievements_are_paid_back(
    year: SubsidyYear, mocker: Any
) -> None:
    fees = [
        PaidFee(number, 10 + number, "评估", f"PG-2024-000{number}", date(2024, 3, 1),
                Fen(9_000_00), None)
        for number in (1, 2)
    ]  # fmt: skip
    mocker.patch("marketplace.subsidies.single_queries.assessments.paid_fees", return_value=fees)
    announced = mocker.patch(
        "marketplace.subsidies.single_queries.listings.ever_announced", return_value={11}
    )
    round_id = year.open_round()
    claim_id = year.prepared(round_id, item=ClaimItem.ASSESSMENT_FEE)
    assert year.claim(claim_id).claimed_fen == 9_000_00  # the other was never announced
    announced.return_value = {11, 12}
    with pytest.raises(Conflict, match=r"是 18,000\.00 元"):
        year.apply(claim_id, confirmed_fen=Fen(9_000_00))
    year.apply(claim_id)
    assert year.claim(claim_id).claimed_fen == 18_000_00


def test_an_institution_is_rewarded_once_whatever_the_round(year: SubsidyYear) -> None:
    item = ClaimItem.NATIONAL_INSTITUTION
    claim_id = year.prepared(year.open_round(), item=item)
    with pytest.raises(RuleBroken, match="没有可以申报的金额"):
        year.apply(claim_id)  # nothing is entered yet
    year.do(service.enter, actor=year.officer, claim_id=claim_id, entries=RECOGNISED)
    year.apply(claim_id)
    with pytest.raises(Conflict, match="一个单位只有一次"):
        year.prepared(year.open_round(), item=item)
    with pytest.raises(Conflict, match="依据不能再改"):
        year.do(service.enter, actor=year.officer, claim_id=claim_id, entries=RECOGNISED)
    year.paid(claim_id)
    assert year.claim(claim_id).payable_fen == 1_000_000_00


def test_the_database_itself_holds_a_ground_once(year: SubsidyYear) -> None:
    item = ClaimItem.NATIONAL_INSTITUTION
    claim_id = year.prepared(year.open_round(), item=item)

    def ground() -> ClaimGround:
        return ClaimGround(
            claim_id=claim_id,
            item=item,
            key="organisation:1",
            what="",
            proof="",
            happened_on=date(2024, 3, 1),
            paid_fen=Fen(0),
            counted_fen=Fen(0),
            counterparty_organisation_id=None,
        )

    store(year, ground())
    with pytest.raises(IntegrityError):
        store(year, ground())


def test_an_enterprise_gets_no_fees_and_is_told_for_whom_they_are(year: SubsidyYear) -> None:
    round_id = year.open_round()
    with year.database.reading() as session:
        opened = queries.get_round(session, round_id)
        offered = queries.offered_singles(session, year.company.id, opened, now=year.now)
        assert ClaimItem.TRAINING_FEE not in offered
    claim_id = year.prepared(round_id, item=ClaimItem.TRAINING_FEE, actor=year.buyer)
    training = Training("苗文静", "JNJJR-1", date(2024, 3, 1), Fen(4_800_00))
    year.do(
        service.enter,
        actor=year.buyer,
        claim_id=claim_id,
        entries=Entries(trainings=(training,)),
    )
    claim = year.claim(claim_id)
    assert claim.claimed_fen == 0
    assert "只面向高校、科研院所" in claim.calculation["missing"]


def test_a_training_is_paid_back_once_by_its_certificate(year: SubsidyYear) -> None:
    training = Training("苗文静", "JNJJR-1", date(2024, 3, 1), Fen(4_800_00))
    round_id = year.open_round()
    institute = year.world.organisation(OrganisationKind.RESEARCH_INSTITUTE)
    other = year.world.actor(next(iter(year.officer.roles)), institute)
    for actor, amount in ((year.officer, 4_800_00), (other, 0)):
        claim_id = year.prepared(round_id, item=ClaimItem.TRAINING_FEE, actor=actor)
        year.do(
            service.enter, actor=actor, claim_id=claim_id, entries=Entries(trainings=(training,))
        )
        assert year.claim(claim_id).claimed_fen == amount
        if amount:
            year.apply(claim_id, actor=actor)
        else:
            told = "".join(year.claim(claim_id).calculation["sentences"])
            assert "JNJJR-1 已经申报过" in told
