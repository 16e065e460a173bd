"""Reads of deals: lists, one deal with all that its reader may see of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.brokerage import rules
from marketplace.brokerage.models import Agreement, Deal
from marketplace.brokerage.pipeline_rules import Pipeline, Step, choices, onward
from marketplace.brokerage.rules import (
    CLOSED,
    LEFT,
    DealSource,
    DealStage,
    LostReason,
    Parties,
    Side,
)
from marketplace.brokerage.step_queries import place_of, stale_clock, went_stale
from marketplace.brokerage.terms_rules import AgreementStatus, agreement_holds
from marketplace.foundation.access import SYSTEM, Actor, Role, permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TradingMode

_INVENTOR_LIMIT = 500


@dataclass(frozen=True, kw_only=True)
class DealRow:
    """A deal as a list or the board shows it."""

    id: int
    title: str
    pipeline: Pipeline
    step: Step
    stage: DealStage
    stage_since: datetime
    source: DealSource
    seller_name: str
    buyer_name: str
    broker_name: str
    agency_name: str
    amount_fen: Fen | None
    next_task_on: date | None
    last_contact_at: datetime | None
    touched_at: datetime
    opened_on: date
    lost_reason: LostReason | None
    overdue: bool
    stale: bool
    fresh: bool
    choices: tuple[Step, ...]

    @property
    def shown(self) -> Step | DealStage:
        """Return what its status tells: the step, or how the deal has left its pipeline."""
        return self.stage if self.stage in LEFT else self.step


@dataclass(frozen=True, kw_only=True)
class DealView:
    """One deal for one reader."""

    id: int
    version: int
    title: str
    source: DealSource
    pipeline: Pipeline
    step: Step
    stage: DealStage
    stage_since: datetime
    opened_at: datetime
    achievement_id: int | None
    achievement_title: str
    need_id: int | None
    listing_id: int | None
    seller: accounts.OrganisationView
    buyer: accounts.OrganisationView
    broker: accounts.UserView | None
    agency: accounts.OrganisationView | None
    amount_fen: Fen | None
    trading_mode: TradingMode | None
    agreement_waiver: str
    signed_on: date | None
    registered_on: date | None
    paid_on: date | None
    contract_no: str
    lost_reason: LostReason | None
    lost_words: str
    lost_from: DealStage | None
    lost_at: datetime | None
    last_contact_at: datetime | None
    part: str
    split_from_id: int | None
    merged_into_id: int | None
    merged_at: datetime | None
    sides: frozenset[Side]
    leads: bool
    may_end: bool
    onward: Step | None

    @property
    def is_open(self) -> bool:
        """Tell whether the deal still goes on."""
        return self.stage not in CLOSED

    @property
    def shown(self) -> Step | DealStage:
        """Return what its status tells: the step, or how the deal has left its pipeline."""
        return self.stage if self.stage in LEFT else self.step

    def has(self, *values: str) -> bool:
        """Tell whether the reader stands on one of the sides, named by value."""
        return any(side.value in values for side in self.sides)


@dataclass(frozen=True, kw_only=True)
class DealFilter:
    """What a list of deals is narrowed to; empty means everything."""

    pipeline: str | None = None
    step: str | None = None
    stage: DealStage | None = None
    text: str = ""
    overdue: bool = False
    stale: bool = False
    broker_user_id: int | None = None
    seller_organisation_id: int | None = None


def parties_of(row: Deal) -> Parties:
    """Read who stands around a stored deal."""
    return Parties(
        row.seller_organisation_id,
        row.buyer_organisation_id,
        row.broker_user_id,
        row.agency_organisation_id,
    )


def visible_to(session: Session, actor: Actor) -> ColumnElement[bool]:
    """Return the condition for the deals that an actor may see; strangers see none."""
    if actor is SYSTEM or actor.has(Role.OPERATOR):
        return Deal.id.is_not(None)
    if actor.user_id is None or actor.organisation_id is None:
        return false()
    own = actor.organisation_id
    ways: list[ColumnElement[bool]] = []
    if actor.has(Role.BROKER):
        here = or_(Deal.agency_organisation_id == own, Deal.agency_organisation_id.is_(None))
        ways.append(and_(Deal.broker_user_id == actor.user_id, here))
    if actor.has(Role.AGENCY_HEAD):
        ways.append(Deal.agency_organisation_id == own)
    if actor.has(*(rules.PARTY_ROLES - {Role.INVENTOR})):
        ways += [Deal.seller_organisation_id == own, Deal.buyer_organisation_id == own]
    elif actor.has(Role.INVENTOR):
        mine = achievements.owned_ids(
            session, actor, achievements.OwnedFilter(), limit=_INVENTOR_LIMIT
        )
        ways.append(and_(Deal.seller_organisation_id == own, Deal.achievement_id.in_(mine)))
    return or_(*ways) if ways else false()


def led_by(actor: Actor) -> ColumnElement[bool]:
    """Return the condition for the deals that an actor carries on: as broker, or its own office."""
    ways: list[ColumnElement[bool]] = [Deal.broker_user_id == actor.user_id]
    if permits(actor, rules.LEAD) and actor.has(*(rules.PARTY_ROLES - {Role.INVENTOR})):
        own = Deal.seller_organisation_id == actor.organisation_id
        ways.append(and_(Deal.broker_user_id.is_(None), own))
    return or_(*ways)


def sees(session: Session, actor: Actor, deal_id: int) -> bool:
    """Tell whether an actor may see a deal."""
    found = select(Deal.id).where(Deal.id == deal_id, visible_to(session, actor))
    return session.scalar(found) is not None


def narrowed(chosen: DealFilter, now: datetime) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter."""
    today = local_date(now)
    conditions: list[ColumnElement[bool]] = []
    if chosen.pipeline is not None:
        conditions.append(Deal.pipeline == chosen.pipeline)
    if chosen.step is not None:
        conditions += [Deal.step == chosen.step, Deal.stage.not_in(LEFT)]
    if chosen.stage is not None:
        conditions.append(Deal.stage == chosen.stage)
    if chosen.text:
        conditions.append(Deal.title.icontains(chosen.text, autoescape=True))
    if chosen.overdue:
        conditions += [Deal.next_task_on < today, Deal.stage.not_in(CLOSED)]
    if chosen.stale:
        conditions.append(went_stale(now))
    if chosen.broker_user_id is not None:
        conditions.append(Deal.broker_user_id == chosen.broker_user_id)
    if chosen.seller_organisation_id is not None:
        conditions.append(Deal.seller_organisation_id == chosen.seller_organisation_id)
    return conditions


def list_deals(
    session: Session,
    actor: Actor,
    *,
    chosen: DealFilter,
    now: datetime,
    after: str | None = None,
    size: int = 20,
) -> Page[DealRow]:
    """Read one page of the deals that the actor may see, the last touched first."""
    page = paginate(
        session,
        select(Deal).where(visible_to(session, actor), *narrowed(chosen, now)),
        keys=[Deal.touched_at.desc(), Deal.id.desc()],
        after=after,
        size=size,
    )
    return Page(rows_of(session, actor, page.items, now=now), page.next_token)


def rows_of(
    session: Session, actor: Actor, deals: Sequence[Deal], *, now: datetime
) -> list[DealRow]:
    """Show stored deals as rows, in a number of statements that does not grow with them."""
    organisations = accounts.get_organisations(
        session,
        _present(
            [d.seller_organisation_id for d in deals]
            + [d.buyer_organisation_id for d in deals]
            + [d.agency_organisation_id for d in deals]
        ),
    )
    users = accounts.get_users(session, _present(d.broker_user_id for d in deals))
    today = local_date(now)
    stale = stale_clock(now)
    may_lead = permits(actor, rules.LEAD)

    def row(deal: Deal) -> DealRow:
        parties = parties_of(deal)
        pipeline, step = place_of(deal)
        leading = may_lead and rules.leads(rules.sides_of(actor, parties), parties)
        agency = organisations.get(deal.agency_organisation_id or 0)
        broker = users.get(deal.broker_user_id or 0)
        open_task = deal.next_task_on if deal.stage not in CLOSED else None
        return DealRow(
            id=deal.id,
            title=deal.title,
            pipeline=pipeline,
            step=step,
            stage=deal.stage,
            stage_since=deal.stage_since,
            source=deal.source,
            seller_name=organisations[deal.seller_organisation_id].short_name,
            buyer_name=organisations[deal.buyer_organisation_id].short_name,
            broker_name=broker.name if broker else "",
            agency_name=agency.short_name if agency else "",
            amount_fen=deal.amount_fen,
            next_task_on=open_task,
            last_contact_at=deal.last_contact_at,
            touched_at=deal.touched_at,
            opened_on=local_date(deal.opened_at),
            lost_reason=deal.lost_reason,
            overdue=open_task is not None and open_task < today,
            stale=stale(deal, step),
            fresh=local_date(deal.opened_at) == today,
            choices=choices(pipeline, deal.stage, deal.step) if leading else (),
        )

    return [row(deal) for deal in deals]


def _present(ids: Iterable[int | None]) -> set[int]:
    return {value for value in ids if value is not None}


def get_deal(session: Session, actor: Actor, deal_id: int) -> DealView:
    """Return one deal to who takes part in it; everybody else gets ``NotFound``."""
    deal = session.scalar(select(Deal).where(Deal.id == deal_id, visible_to(session, actor)))
    if deal is None:
        raise NotFound()
    parties = parties_of(deal)
    sides = rules.sides_of(actor, parties)
    organisations = accounts.get_organisations(
        session,
        _present(
            (
                deal.seller_organisation_id,
                deal.buyer_organisation_id,
                deal.agency_organisation_id,
            )
        ),
    )
    title = ""
    if deal.achievement_id is not None:
        title = achievements.rows_of(session, [deal.achievement_id])[deal.achievement_id].title
    leading = permits(actor, rules.LEAD) and rules.leads(sides, parties)
    pipeline, step = place_of(deal)
    return DealView(
        id=deal.id,
        version=deal.version,
        title=deal.title,
        source=deal.source,
        pipeline=pipeline,
        step=step,
        stage=deal.stage,
        stage_since=deal.stage_since,
        opened_at=deal.opened_at,
        achievement_id=deal.achievement_id,
        achievement_title=title,
        need_id=deal.need_id,
        listing_id=deal.listing_id,
        seller=organisations[deal.seller_organisation_id],
        buyer=organisations[deal.buyer_organisation_id],
        broker=accounts.get_user(session, deal.broker_user_id) if deal.broker_user_id else None,
        agency=organisations.get(deal.agency_organisation_id or 0),
        amount_fen=deal.amount_fen,
        trading_mode=deal.trading_mode,
        agreement_waiver=deal.agreement_waiver,
        signed_on=deal.signed_on,
        registered_on=deal.registered_on,
        paid_on=deal.paid_on,
        contract_no=deal.contract_no,
        lost_reason=deal.lost_reason,
        lost_words=deal.lost_words,
        lost_from=deal.lost_from,
        lost_at=deal.lost_at,
        last_contact_at=deal.last_contact_at,
        part=deal.part,
        split_from_id=deal.split_from_id,
        merged_into_id=deal.merged_into_id,
        merged_at=deal.merged_at,
        sides=sides,
        leads=leading,
        may_end=permits(actor, rules.END)
        and rules.may_end(sides)
        and rules.can_be_lost(deal.stage),
        onward=onward(pipeline, deal.stage, deal.step) if leading else None,
    )


def has_agreement(
    session: Session, organisation_id: int | None, achievement_id: int | None, on: date
) -> bool:
    """Tell whether an organisation's confidentiality agreement for an achievement holds on a day.

    The owner needs none for its own achievement; ask ``achievements`` for that.
    """
    if organisation_id is None or achievement_id is None:
        return False
    row = session.scalar(
        select(Agreement).where(
            Agreement.achievement_id == achievement_id,
            Agreement.buyer_organisation_id == organisation_id,
            Agreement.status == AgreementStatus.ACCEPTED,
        )
    )
    return row is not None and agreement_holds(
        row.status, accepted_on=row.accepted_on, valid_to=row.valid_to, on=on
    )


@dataclass(frozen=True)
class SignedPair:
    """A need and an achievement for which a contract was signed, and the parties."""

    need_id: int
    achievement_id: int
    buyer_organisation_id: int
    seller_organisation_id: int


def signed_pairs(session: Session, *, limit: int) -> list[SignedPair]:
    """List the newest pairs that came to a contract."""
    deals = session.scalars(
        select(Deal)
        .where(
            Deal.stage.in_((DealStage.SIGNED, DealStage.REGISTERED, DealStage.PAID)),
            Deal.need_id.is_not(None),
            Deal.achievement_id.is_not(None),
        )
        .order_by(Deal.id.desc())
        .limit(limit)
    )
    return [
        SignedPair(
            deal.need_id,
            deal.achievement_id,
            deal.buyer_organisation_id,
            deal.seller_organisation_id,
        )
        for deal in deals
        if deal.need_id is not None and deal.achievement_id is not None
    ]
