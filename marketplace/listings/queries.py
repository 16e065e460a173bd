"""Reads of listings: the hall, one listing, the desks; intents and the room stand beside it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, UnaryExpression, func, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation.access import Actor, permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import PaymentMode, TechnologyField, TradingMode
from marketplace.foundation.words import Word
from marketplace.listings import progress_rules, rules
from marketplace.listings.bidding_models import BiddingSession
from marketplace.listings.bidding_queries import criteria_of
from marketplace.listings.bidding_rules import BiddingKind
from marketplace.listings.intent_queries import (
    IntentView,
    get_intent,
    intent_count,
    intents,
    own_intent,
    own_intents,
)
from marketplace.listings.models import Listing
from marketplace.listings.progress_rules import Progress, Step
from marketplace.listings.rules import ListingState, PricingMode
from marketplace.listings.sealed_rules import WHOLE, Criterion
from marketplace.listings.waiting_queries import waiting
from marketplace.publicity import queries as publicity
from marketplace.publicity.rules import PublicityState

__all__ = [
    "DESK",
    "GROUPS",
    "SORTS",
    "HallFilter",
    "IntentView",
    "ListingView",
    "desk",
    "desk_counts",
    "ever_announced",
    "get_bought",
    "get_for",
    "get_intent",
    "get_internal",
    "get_public",
    "group_counts",
    "hall",
    "intent_count",
    "intents",
    "live_listing_of",
    "manages",
    "newest",
    "own",
    "own_intent",
    "own_intents",
    "waiting",
]

_S = ListingState
# What a visitor of the hall chooses by.
GROUPS: dict[str, tuple[str, tuple[ListingState, ...]]] = {
    "open": ("可登记意向", (_S.ANNOUNCED, _S.NEGOTIATING)),
    "running": (
        "交易中",
        (
            _S.QUALIFYING,
            _S.BIDDING,
            _S.OUTSIDE,
            _S.PRICE_PUBLICITY,
            _S.RESULT_PUBLICITY,
            _S.AWARDED,
        ),
    ),
    "signed": ("已成交", (_S.SIGNED,)),
    "failed": ("未成交", (_S.FAILED,)),
}
SORTS = {"newest": "最新公告", "ending": "最快截止", "price": "底价从高到低"}
# What the operator works through.
DESK: dict[str, tuple[str, tuple[ListingState, ...]]] = {
    "applied": ("待受理", (_S.APPLIED,)),
    "accepted": ("待公告", (_S.ACCEPTED,)),
    "announced": ("挂牌中", (_S.ANNOUNCED, _S.NEGOTIATING)),
    "qualifying": ("资格确认", (_S.QUALIFYING,)),
    "bidding": ("竞价", (_S.BIDDING, _S.OUTSIDE)),
    "publicity": ("公示中", (_S.PRICE_PUBLICITY, _S.RESULT_PUBLICITY)),
    "awarded": ("待签约", (_S.AWARDED,)),
    "over": ("已了结", (_S.RETURNED, _S.SIGNED, _S.FAILED, _S.WITHDRAWN)),
}


@dataclass(frozen=True)
class ListingView:
    """A listing as pages show it; ``status`` is its state, or that an objection suspends it."""

    id: int
    number: str
    state: ListingState
    status: Word
    version: int
    achievement_id: int
    organisation_id: int
    seller_name: str
    title: str
    field: TechnologyField | None
    pricing_mode: PricingMode
    trading_mode: TradingMode
    base_price_fen: Fen
    increment_fen: Fen
    deposit_fen: Fen
    bidding_kind: BiddingKind
    criteria: tuple[Criterion, ...]
    payment_mode: PaymentMode
    payment_terms: str
    conditions: str
    agent_name: str
    agent_licence: str
    outside_document: str
    applied_at: datetime
    announced_at: datetime | None
    announcement_ends_on: date | None
    announcement_closes_at: datetime | None
    extension_count: int
    qualification_ends_on: date | None
    bidding_starts_at: datetime | None
    bidding_closes_at: datetime | None
    buyer_id: int | None
    buyer_name: str
    price_fen: Fen | None
    related_party: bool
    publicity_id: int | None
    publicity_ends_on: date | None
    sign_by: date | None
    signed_at: datetime | None
    contract_no: str
    reason: str
    ended_at: datetime | None

    @property
    def price_label(self) -> str:
        """Return what the shown price is: the base, the one under publicity, or the final one."""
        if self.price_fen is None:
            return "挂牌底价"
        return "拟交易价格" if self.state is _S.PRICE_PUBLICITY else "成交价"

    @property
    def price_weight(self) -> int:
        """Return the weight of the price in weighted bidding, in per cent."""
        return WHOLE - sum(criterion.weight for criterion in self.criteria)

    @property
    def due_on(self) -> date | None:
        """Return the day at which the present step ends, None where none is set or it rests."""
        if self.status is PublicityState.SUSPENDED:
            return None
        return {
            _S.ANNOUNCED: self.announcement_ends_on,
            _S.QUALIFYING: self.qualification_ends_on,
            _S.BIDDING: local_date(self.bidding_starts_at) if self.bidding_starts_at else None,
            _S.PRICE_PUBLICITY: self.publicity_ends_on,
            _S.RESULT_PUBLICITY: self.publicity_ends_on,
            _S.AWARDED: self.sign_by,
        }.get(self.state)

    @property
    def steps(self) -> list[Step]:
        """Return the steps of its way."""
        return progress_rules.steps(
            Progress(
                state=self.state,
                pricing_mode=self.pricing_mode,
                applied_on=local_date(self.applied_at),
                announced_on=local_date(self.announced_at) if self.announced_at else None,
                announcement_ends_on=self.announcement_ends_on,
                extension_count=self.extension_count,
                qualification_ends_on=self.qualification_ends_on,
                bidding_on=local_date(self.bidding_starts_at) if self.bidding_starts_at else None,
                had_bidding=self.bidding_starts_at is not None,
                publicity_ends_on=self.publicity_ends_on,
                sign_by=self.sign_by,
                signed_on=local_date(self.signed_at) if self.signed_at else None,
                ended_on=local_date(self.ended_at) if self.ended_at else None,
            )
        )

    def open_for_intents(self, now: datetime) -> bool:
        """Tell whether a buyer may register its intent at a moment."""
        if self.state is _S.NEGOTIATING:
            return True
        closes = self.announcement_closes_at
        return self.state is _S.ANNOUNCED and closes is not None and now < closes


@dataclass(frozen=True, kw_only=True)
class HallFilter:
    """What a visitor of the hall chose; None means everything."""

    group: str = ""
    pricing_mode: PricingMode | None = None
    trading_mode: TradingMode | None = None
    field: TechnologyField | None = None
    sort: str = "newest"


def hall(
    session: Session, chosen: HallFilter, *, after: str | None = None, size: int = 20
) -> Page[ListingView]:
    """Read one page of the public hall."""
    states = GROUPS[chosen.group][1] if chosen.group in GROUPS else rules.PUBLIC_STATES
    statement = select(Listing).where(Listing.state.in_(states))
    if chosen.pricing_mode is not None:
        statement = statement.where(Listing.pricing_mode == chosen.pricing_mode)
    if chosen.trading_mode is not None:
        statement = statement.where(Listing.trading_mode == chosen.trading_mode)
    if chosen.field is not None:
        statement = statement.where(Listing.field == chosen.field)
    orders: dict[str, list[UnaryExpression[Any]]] = {
        "ending": [Listing.announcement_closes_at.asc(), Listing.id.asc()],
        "price": [Listing.base_price_fen.desc(), Listing.id.desc()],
    }
    keys = orders.get(chosen.sort, [Listing.announced_at.desc(), Listing.id.desc()])
    return _page(session, statement, keys, after, size)


def group_counts(session: Session) -> dict[str, int]:
    """Count the listings of each group of the hall."""
    counts = _counts(session)
    return {key: sum(counts.get(s, 0) for s in states) for key, (_, states) in GROUPS.items()}


def newest(session: Session, *, limit: int = 5) -> list[ListingView]:
    """List what was announced last and takes intents."""
    return hall(session, HallFilter(group="open"), size=limit).items


def get_public(session: Session, listing_id: int) -> ListingView:
    """Return a listing that the public may see, or raise ``NotFound``."""
    row = session.get(Listing, listing_id)
    if row is None or row.state not in rules.PUBLIC_STATES:
        raise NotFound()
    return _views(session, [row])[0]


def get_for(session: Session, actor: Actor, listing_id: int) -> ListingView:
    """Return a listing for its seller or the operator in any state, else raise ``NotFound``."""
    row = session.get(Listing, listing_id)
    if row is None or not (_sells(actor, row) or permits(actor, rules.OPERATE)):
        raise NotFound()
    return _views(session, [row])[0]


def get_internal(session: Session, listing_id: int) -> ListingView:
    """Return a listing for another service, or raise ``NotFound``."""
    row = session.get(Listing, listing_id)
    if row is None:
        raise NotFound()
    return _views(session, [row])[0]


def get_bought(session: Session, actor: Actor, listing_id: int) -> ListingView:
    """Return a listing to its buyer, else raise ``NotFound``."""
    row = session.get(Listing, listing_id)
    if row is None or row.buyer_id is None or row.buyer_id != actor.organisation_id:
        raise NotFound()
    return _views(session, [row])[0]


def manages(actor: Actor, listing: ListingView) -> bool:
    """Tell whether the actor works on a listing, as its seller or the operator."""
    own = listing.organisation_id == actor.organisation_id and permits(actor, rules.SEE_OWN)
    return own or permits(actor, rules.OPERATE)


def own(
    session: Session, actor: Actor, *, after: str | None = None, size: int = 20
) -> Page[ListingView]:
    """Read one page of the listings of the actor's organisation, the newest first."""
    statement = select(Listing).where(Listing.organisation_id == (actor.organisation_id or 0))
    return _page(session, statement, [Listing.id.desc()], after, size)


def desk(
    session: Session, tab: str, *, after: str | None = None, size: int = 30
) -> Page[ListingView]:
    """Read one page of the operator's desk, the oldest first."""
    statement = select(Listing).where(Listing.state.in_(DESK[tab][1]))
    order = Listing.id.desc() if tab == "over" else Listing.id.asc()
    return _page(session, statement, [order], after, size)


def desk_counts(session: Session) -> dict[str, int]:
    """Count the listings of each tab of the operator's desk."""
    counts = _counts(session)
    return {key: sum(counts.get(s, 0) for s in states) for key, (_, states) in DESK.items()}


def live_listing_of(session: Session, achievement_id: int) -> ListingView | None:
    """Return the public listing of an achievement that is not over, or None."""
    row = session.scalar(
        select(Listing).where(
            Listing.achievement_id == achievement_id,
            Listing.state.in_(rules.PUBLIC_STATES),
            Listing.state.not_in(rules.OVER),
        )
    )
    return None if row is None else _views(session, [row])[0]


def ever_announced(session: Session, achievement_ids: Collection[int]) -> set[int]:
    """Return which of the achievements were ever announced on the platform."""
    return set(
        session.scalars(
            select(Listing.achievement_id).where(
                Listing.achievement_id.in_(achievement_ids), Listing.announced_at.is_not(None)
            )
        )
    )


def _sells(actor: Actor, listing: Listing) -> bool:
    return actor.signed_in and listing.organisation_id == actor.organisation_id


def _counts(session: Session) -> dict[ListingState, int]:
    counted = func.count().label("listings")
    rows = session.execute(select(Listing.state, counted).group_by(Listing.state))
    return {row.state: row.listings for row in rows}


def _page(
    session: Session,
    statement: Select[Listing],
    keys: Sequence[UnaryExpression[Any]],
    after: str | None,
    size: int,
) -> Page[ListingView]:
    page = paginate(session, statement, keys=keys, after=after, size=size)
    views = {view.id: view for view in _views(session, page.items)}
    return page.map(lambda row: views[row.id])


def _views(session: Session, rows: Sequence[Listing]) -> list[ListingView]:
    sides = {row.organisation_id for row in rows} | {row.buyer_id for row in rows if row.buyer_id}
    names = accounts.get_organisations(session, sides)
    notices = publicity.terms_of(session, (row.publicity_id for row in rows if row.publicity_id))
    sessions = {
        found.listing_id: found
        for found in session.scalars(
            select(BiddingSession).where(
                BiddingSession.listing_id.in_([row.id for row in rows]),
                BiddingSession.voided_at.is_(None),
            )
        )
    }
    views = []
    for row in rows:
        held = sessions.get(row.id)
        ends_on, notice_state = notices.get(row.publicity_id or 0, (None, None))
        suspended = notice_state is PublicityState.SUSPENDED
        views.append(
            ListingView(
                id=row.id,
                number=row.number or "受理后编号",
                state=row.state,
                status=PublicityState.SUSPENDED if suspended else row.state,
                version=row.version,
                achievement_id=row.achievement_id,
                organisation_id=row.organisation_id,
                seller_name=names[row.organisation_id].name,
                title=row.title,
                field=row.field,
                pricing_mode=row.pricing_mode,
                trading_mode=row.trading_mode,
                base_price_fen=row.base_price_fen,
                increment_fen=row.increment_fen,
                deposit_fen=row.deposit_fen,
                bidding_kind=row.bidding_kind,
                criteria=criteria_of(row.criteria),
                payment_mode=row.payment_mode,
                payment_terms=row.payment_terms,
                conditions=row.conditions,
                agent_name=row.agent_name,
                agent_licence=row.agent_licence,
                outside_document=row.outside_document,
                applied_at=row.applied_at,
                announced_at=row.announced_at,
                announcement_ends_on=row.announcement_ends_on,
                announcement_closes_at=row.announcement_closes_at,
                extension_count=row.extension_count,
                qualification_ends_on=row.qualification_ends_on,
                bidding_starts_at=held.starts_at if held else None,
                bidding_closes_at=held.closes_at if held else None,
                buyer_id=row.buyer_id,
                buyer_name=names[row.buyer_id].name if row.buyer_id else "",
                price_fen=row.price_fen,
                related_party=row.related_party,
                publicity_id=row.publicity_id,
                publicity_ends_on=ends_on,
                sign_by=row.sign_by,
                signed_at=row.signed_at,
                contract_no=row.contract_no,
                reason=row.reason,
                ended_at=row.ended_at,
            )
        )
    return views
