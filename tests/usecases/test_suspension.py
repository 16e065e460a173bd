"""An organisation is suspended: what that does to each kind of its open objects, one by one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from marketplace.accounts import queries as accounts
from marketplace.accounts import service, suspension_service
from marketplace.accounts.queries import actor_for
from marketplace.accounts.rules import OrganisationKind, OrganisationState, OrganisationSubkind
from marketplace.accounts.service import OrganisationContent
from marketplace.achievements import queries as achievements
from marketplace.achievements.rules import AchievementState
from marketplace.brokerage.rules import DealStage
from marketplace.contracts import service as contracts
from marketplace.foundation.access import Actor, Role, permits, require
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import Outbox
from marketplace.listings import rules as listing_rules
from marketplace.listings import service as listings
from marketplace.listings.bidding_models import AutomaticOrder, BiddingSession
from marketplace.listings.models import Intent
from marketplace.listings.rules import IntentState, ListingState
from marketplace.needs import queries as needs
from marketplace.needs import service as need_service
from marketplace.needs.rules import NeedState
from marketplace.payments import queries as payments
from marketplace.payments.rules import PaymentState
from marketplace.subsidies import service as subsidies
from marketplace.wiring import SUBSCRIPTIONS
from tests.achievement_contents import complete_need
from tests.dealing import Market
from tests.subsidies import SubsidyYear
from tests.trading import BASE, STEP, Hall
from tests.world import World, give_licence

REASON = "多次提交虚假检测报告，核查期间暂停"


@pytest.fixture
def operator(world: World) -> Actor:
    """A member of the trading centre."""
    return world.actor(Role.OPERATOR)


@pytest.fixture
def hall(database: Database, world: World, now: datetime) -> Hall:
    """The trading hall."""
    return Hall(database, world, now)


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    """Deals and contracts."""
    return Market(database, world, now, tmp_path)


@pytest.fixture
def suspend(database: Database, operator: Actor) -> Callable[[int | None, datetime], None]:
    """Suspend an organisation and let every slice hear of it."""

    def act(organisation_id: int | None, now: datetime) -> None:
        with database.transaction() as session:
            suspension_service.suspend(
                session,
                actor=operator,
                now=now,
                organisation_id=organisation_id or 0,
                reason=REASON,
            )
        while Outbox(SUBSCRIPTIONS).deliver_due(database, now=now):
            pass

    return act


Suspend = Callable[[int | None, datetime], None]


def test_its_members_read_and_do_nothing_new(
    database: Database, world: World, now: datetime, suspend: Suspend, operator: Actor
) -> None:
    officer = world.actor(Role.OFFICER)
    suspend(officer.organisation_id, now)
    with database.reading() as session:
        actor = actor_for(session, officer.user_id or 0, officer.organisation_id)
    assert actor is not None
    assert actor.suspended
    assert not permits(actor, listing_rules.APPLY)
    with pytest.raises(NotAllowed, match="已被交易中心暂停"):
        require(actor, listing_rules.APPLY)
    with database.transaction() as session:
        suspension_service.resume(
            session, actor=operator, now=now, organisation_id=officer.organisation_id or 0
        )
    with database.reading() as session:
        actor = actor_for(session, officer.user_id or 0, officer.organisation_id)
        assert actor is not None
        assert permits(actor, listing_rules.APPLY)


def test_a_suspension_does_not_end_by_being_verified_again(
    database: Database,
    world: World,
    now: datetime,
    suspend: Suspend,
    operator: Actor,
    tmp_path: Path,
) -> None:
    house = world.organisation()
    give_licence(database, house.id, now=now, folder=tmp_path)
    suspend(house.id, now)
    with database.transaction() as session, pytest.raises(Conflict, match="恢复办理") as refusal:
        service.verify(session, actor=operator, now=now, organisation_id=house.id)
    assert refusal.value.code == "accounts.not_waiting"


def test_it_keeps_the_name_under_which_it_was_suspended(
    database: Database, world: World, now: datetime, suspend: Suspend, operator: Actor
) -> None:
    admin = world.actor(Role.ORG_ADMIN)
    house = admin.organisation_id or 0
    with database.reading() as session:
        was = accounts.get_organisation(session, house)
    other = OrganisationContent(
        uscc=was.uscc, name="济南新名科技有限公司", short_name="新名", kind=was.kind
    )

    def rename() -> None:
        with database.transaction() as session:
            service.update_organisation(
                session, actor=admin, now=now, organisation_id=house, content=other, version=None
            )

    suspend(house, now)
    with pytest.raises(Conflict) as refusal:
        rename()
    assert refusal.value.code == "accounts.suspended_profile"
    with database.reading() as session:
        assert accounts.get_organisation(session, house).name == was.name
    with database.transaction() as session:
        suspension_service.resume(session, actor=operator, now=now, organisation_id=house)
    rename()
    with database.reading() as session:
        assert accounts.get_organisation(session, house).name == other.name


def test_only_the_operator_suspends_for_a_reason_and_once(
    database: Database, world: World, now: datetime, operator: Actor
) -> None:
    officer = world.actor(Role.OFFICER)
    waiting = world.organisation(verified=False)
    centre = operator.organisation_id
    bureau = world.organisation(OrganisationKind.GOVERNMENT, subkinds=(OrganisationSubkind.BUREAU,))

    def act(actor: Actor, organisation_id: int | None, reason: str = REASON) -> None:
        with database.transaction() as session:
            suspension_service.suspend(
                session, actor=actor, now=now, organisation_id=organisation_id or 0, reason=reason
            )

    with pytest.raises(NotAllowed):
        act(officer, officer.organisation_id)
    with pytest.raises(NotAllowed):
        act(operator, centre)
    with pytest.raises(NotAllowed):
        act(operator, bureau.id)
    with pytest.raises(Conflict):
        act(operator, waiting.id)
    with pytest.raises(RuleBroken, match="至少 5 个字"):
        act(operator, officer.organisation_id, "假")
    act(operator, officer.organisation_id)
    with pytest.raises(Conflict):
        act(operator, officer.organisation_id)
    with database.reading() as session:
        view = accounts.get_organisation(session, officer.organisation_id or 0)
    assert (view.state, view.state_reason) == (OrganisationState.SUSPENDED, REASON)


def test_published_achievements_are_taken_off_and_those_in_a_deal_wait(
    market: Market, suspend: Suspend
) -> None:
    free, busy = (
        market.achievement(),
        market.achievement(title="低温脱硝催化剂二代：170 ℃ 去除率 95 %"),
    )
    deal_id = market.deal(busy)
    market.contact(deal_id)
    market.move(deal_id, DealStage.CONTACTED, DealStage.CONFIDENTIALITY)
    market.agree(deal_id)
    market.move(deal_id, DealStage.TECHNICAL_TALK)
    suspend(market.university.id, market.now)
    with market.database.reading() as session:
        rows = achievements.rows_of(session, [free, busy])
    assert rows[free].state is AchievementState.WITHDRAWN
    assert rows[busy].state is AchievementState.IN_DEAL


def test_open_needs_are_closed(
    database: Database, world: World, now: datetime, suspend: Suspend, operator: Actor
) -> None:
    owner = world.actor(Role.ENTERPRISE)
    with database.transaction() as session:
        need_id = need_service.create_draft(session, actor=owner, now=now, content=complete_need())
        need_service.submit(session, actor=owner, now=now, need_id=need_id)
        need_service.accept(session, actor=operator, now=now, need_id=need_id)
    suspend(owner.organisation_id, now)
    with database.reading() as session:
        assert needs.get_internal(session, need_id).state is NeedState.CLOSED


def test_a_listing_that_binds_nobody_is_withdrawn_and_deposits_go_back(
    hall: Hall, suspend: Suspend
) -> None:
    listing_id = hall.announced()
    _firm, buyer = hall.enterprise()
    intent_id = hall.qualified(listing_id, buyer)
    payment_id = hall.stored_intent(intent_id).payment_id or 0
    suspend(hall.listing(listing_id).organisation_id, hall.now)
    assert hall.listing(listing_id).state is ListingState.WITHDRAWN
    assert hall.stored_intent(intent_id).state is IntentState.LOST
    assert hall.read(lambda session: payments.state_of(session, payment_id)) in (
        PaymentState.REFUND_DUE,
        PaymentState.CONFIRMED,
    )
    found = hall.read(
        lambda session: achievements.rows_of(session, [hall.listing(listing_id).achievement_id])
    )
    assert [row.state for row in found.values()] == [AchievementState.WITHDRAWN]


def test_an_undecided_intent_ends(hall: Hall, suspend: Suspend) -> None:
    listing_id = hall.announced()
    _firm, buyer = hall.enterprise()
    intent_id = hall.intent(listing_id, buyer)
    suspend(buyer.organisation_id, hall.now)
    assert hall.stored_intent(intent_id).state is IntentState.WITHDRAWN
    assert hall.listing(listing_id).state is ListingState.ANNOUNCED


def test_before_a_session_the_bidder_is_barred(hall: Hall, suspend: Suspend) -> None:
    listing_id, (one, two) = hall.bidding()
    suspend(one.organisation_id, hall.now)
    states = hall.read(
        lambda session: dict(
            session.execute(
                select(Intent.organisation_id, Intent.state).where(Intent.listing_id == listing_id)
            ).all()
        )
    )
    assert states[one.organisation_id] is IntentState.BARRED
    assert states[two.organisation_id] is IntentState.QUALIFIED


def test_in_a_running_session_bids_stand_and_the_private_limit_stops(
    hall: Hall, suspend: Suspend
) -> None:
    listing_id, (one, _two) = hall.bidding()
    hall.do(listings.set_limit, one, listing_id=listing_id, limit_fen=Fen(BASE + 5 * STEP))
    session_row = hall.read(lambda session: session.scalars(select(BiddingSession)).one())
    hall.at(session_row.starts_at + timedelta(seconds=1))
    hall.settle()
    before = hall.read(lambda session: session.scalars(select(BiddingSession)).one().bid_count)
    suspend(one.organisation_id, hall.now)
    assert hall.read(lambda session: session.scalars(select(AutomaticOrder)).all()) == []
    assert hall.listing(listing_id).state is ListingState.BIDDING
    after = hall.read(lambda session: session.scalars(select(BiddingSession)).one().bid_count)
    assert after == before


def test_a_deal_waits_and_goes_on_afterwards(
    market: Market, suspend: Suspend, operator: Actor
) -> None:
    deal_id = market.deal()
    market.contact(deal_id)
    suspend(market.firm.id, market.now)
    with pytest.raises(RuleBroken, match="锐泉精密已被交易中心暂停"):
        market.move(deal_id, DealStage.CONTACTED)
    with pytest.raises(RuleBroken, match="锐泉精密已被交易中心暂停"):
        market.deal()
    market.do(suspension_service.resume, operator, organisation_id=market.firm.id)
    market.move(deal_id, DealStage.CONTACTED)


def test_a_contract_is_not_registered_meanwhile(
    market: Market, suspend: Suspend, operator: Actor
) -> None:
    waiting, registered = market.submitted(), market.registered()
    suspend(market.firm.id, market.now)
    with pytest.raises(RuleBroken, match="已被交易中心暂停"):
        market.do(contracts.register, market.registrar, contract_id=waiting)
    assert market.do(contracts.register, market.registrar, contract_id=registered)
    market.do(suspension_service.resume, operator, organisation_id=market.firm.id)
    assert market.do(contracts.register, market.registrar, contract_id=waiting)


def test_a_claim_is_not_listed_for_payment_meanwhile(
    database: Database, world: World, now: datetime, suspend: Suspend
) -> None:
    year = SubsidyYear(world, now)
    claim_id = year.applied()
    year.approved(claim_id)
    suspend(year.university.id, year.now)
    with pytest.raises(RuleBroken, match="已被交易中心暂停"):
        year.do(subsidies.list_payments, actor=year.bureau, claim_ids=[claim_id])
