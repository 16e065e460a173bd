"""Reads of ratings: a broker's public figures and words, what a party may rate, what waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.brokerage import parameters, rating_rules
from marketplace.brokerage.models import Broker, Deal
from marketplace.brokerage.rating_models import Rating
from marketplace.brokerage.rating_rules import Criterion, Mean, RatingSide, WordsState
from marketplace.brokerage.rules import DealStage
from marketplace.foundation.access import Actor, permits, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound
from marketplace.foundation.waiting import WaitingItem


@dataclass(frozen=True)
class ShownWords:
    """What the public reads of one rating; the organisation's name is not in it."""

    id: int
    side: RatingSide
    rated_on: date
    words: str
    answer: str
    answered_on: date | None


@dataclass(frozen=True)
class Standing:
    """A broker's ratings as the public page shows them."""

    count: int
    means: tuple[Mean, ...]
    words: tuple[ShownWords, ...]


@dataclass(frozen=True)
class Ratable:
    """A registered contract whose broker the actor's organisation may rate."""

    deal_id: int
    title: str
    contract_no: str
    registered_on: date
    last_on: date
    broker_user_id: int
    broker_name: str


@dataclass(frozen=True)
class RatingView:
    """One rating as who wrote it and the operator see it."""

    id: int
    deal_id: int
    contract_no: str
    broker_user_id: int
    broker_name: str
    organisation_name: str
    side: RatingSide
    rated_at: datetime
    scores: tuple[tuple[Criterion, int], ...]
    words: str
    words_state: WordsState
    decision: str
    answer: str


def standing_of(session: Session, broker_user_id: int) -> Standing:
    """Return a broker's figures with counts and the words that are shown, the newest first."""
    counted = (Rating.broker_user_id == broker_user_id) & Rating.struck_at.is_(None)
    rows = session.execute(select(Rating.response, Rating.skill, Rating.trust).where(counted)).all()
    shown = session.scalars(
        select(Rating)
        .where(counted, Rating.words_state == WordsState.SHOWN)
        .order_by(Rating.id.desc())
        .limit(30)
    )
    scores = dict(zip(Criterion, zip(*rows, strict=True), strict=True)) if rows else {}
    return Standing(
        len(rows),
        tuple(rating_rules.mean(criterion, scores.get(criterion, ())) for criterion in Criterion),
        tuple(
            ShownWords(
                row.id,
                row.side,
                local_date(row.rated_at),
                row.words,
                row.answer,
                local_date(row.answered_at) if row.answered_at else None,
            )
            for row in shown
        ),
    )


def get_shown(session: Session, rating_id: int) -> tuple[str, int]:
    """Return the broker's name and the rating organisation of words that the public reads."""
    row = session.get(Rating, rating_id)
    if row is None or row.words_state is not WordsState.SHOWN or row.struck_at is not None:
        raise NotFound()
    return accounts.get_user(session, row.broker_user_id).name, row.organisation_id


def ratables(session: Session, actor: Actor, *, now: datetime) -> list[Ratable]:
    """List the contracts whose broker the actor's organisation may still rate, the oldest first."""
    if not permits(actor, rating_rules.RATE) or actor.organisation_id is None:
        return []
    own, today = actor.organisation_id, local_date(now)
    days = parameters.rating_days_on(today)
    rated = select(Rating.deal_id).where(Rating.organisation_id == own)
    rows = session.execute(
        select(Deal)
        .outerjoin(Broker, Broker.user_id == Deal.broker_user_id)
        .where(
            or_(Deal.seller_organisation_id == own, Deal.buyer_organisation_id == own),
            Deal.stage.in_((DealStage.REGISTERED, DealStage.PAID)),
            Deal.broker_user_id.is_not(None),
            Deal.broker_user_id != (actor.user_id or 0),
            func.coalesce(Deal.agency_organisation_id, 0) != own,
            func.coalesce(Broker.organisation_id, 0) != own,
            Deal.registered_on >= today - timedelta(days=days),
            Deal.id.not_in(rated),
        )
        .order_by(Deal.registered_on, Deal.id)
        .limit(50)
    ).scalars()
    deals = list(rows)
    names = accounts.get_users(session, {deal.broker_user_id or 0 for deal in deals})
    return [
        Ratable(
            deal.id,
            deal.title,
            deal.contract_no,
            deal.registered_on,
            rating_rules.last_day(deal.registered_on, days),
            deal.broker_user_id,
            names[deal.broker_user_id].name,
        )
        for deal in deals
        if deal.registered_on is not None and deal.broker_user_id is not None
    ]


def get_ratable(session: Session, actor: Actor, deal_id: int, *, now: datetime) -> Ratable:
    """Return one contract whose broker the actor may rate; others get ``NotFound``."""
    for each in ratables(session, actor, now=now):
        if each.deal_id == deal_id:
            return each
    raise NotFound("rating.none", "这份合同没有可评价的技术经理人，或贵单位已经评价过")


def ratings_by(session: Session, actor: Actor) -> list[RatingView]:
    """List what the actor's organisation has rated, the newest first."""
    require(actor, rating_rules.RATE)
    return _views(
        session,
        list(
            session.scalars(
                select(Rating)
                .where(Rating.organisation_id == (actor.organisation_id or 0))
                .order_by(Rating.id.desc())
                .limit(50)
            )
        ),
    )


def waiting_words(session: Session, actor: Actor) -> list[RatingView]:
    """List the words that wait for the operator's look, the oldest first."""
    require(actor, rating_rules.REVIEW_RATINGS)
    return _views(
        session,
        list(
            session.scalars(
                select(Rating)
                .where(Rating.words_state == WordsState.WAITING, Rating.struck_at.is_(None))
                .order_by(Rating.rated_at, Rating.id)
                .limit(50)
            )
        ),
    )


def get_waiting(session: Session, actor: Actor, rating_id: int) -> RatingView:
    """Return one rating to the operator."""
    require(actor, rating_rules.REVIEW_RATINGS)
    row = session.get(Rating, rating_id)
    if row is None:
        raise NotFound()
    return _views(session, [row])[0]


def get_own(session: Session, actor: Actor, rating_id: int) -> RatingView:
    """Return a rating with shown words to the broker it is of; others get ``NotFound``."""
    row = session.get(Rating, rating_id)
    mine = row is not None and row.broker_user_id == actor.user_id and row.struck_at is None
    if row is None or not mine or row.words_state is not WordsState.SHOWN:
        raise NotFound()
    return _views(session, [row])[0]


def waiting(session: Session, actor: Actor, *, now: datetime) -> list[WaitingItem]:
    """Offer a party the brokers it may rate, and the operator the words to look at."""
    items = [
        WaitingItem(
            what=f"评价技术经理人{each.broker_name}",
            why=f"合同 {each.contract_no} 已登记",
            endpoint="brokerage.rate",
            params={"deal_id": each.deal_id},
            act="评价",
            due_on=each.last_on,
        )
        for each in ratables(session, actor, now=now)[:5]
    ]
    if permits(actor, rating_rules.REVIEW_RATINGS):
        items += [
            WaitingItem(
                what=f"审看评语：{each.broker_name}",
                why=f"合同 {each.contract_no} 的{each.side.label}",
                endpoint="brokerage.rating_words",
                params={"rating_id": each.id},
                act="审看",
            )
            for each in waiting_words(session, actor)[:20]
        ]
    return items


def _views(session: Session, rows: list[Rating]) -> list[RatingView]:
    people = accounts.get_users(session, {row.broker_user_id for row in rows})
    houses = accounts.get_organisations(session, {row.organisation_id for row in rows})
    return [
        RatingView(
            row.id,
            row.deal_id,
            row.contract_no,
            row.broker_user_id,
            people[row.broker_user_id].name,
            houses[row.organisation_id].name,
            row.side,
            row.rated_at,
            tuple((criterion, getattr(row, criterion.value)) for criterion in Criterion),
            row.words,
            row.words_state,
            row.decision,
            row.answer,
        )
        for row in rows
    ]
