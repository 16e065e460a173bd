"""Listings, intents and bids for programs: the pages' forms and services as JSON."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from marketplace.foundation import api, web
from marketplace.foundation.access import SIGNED_IN
from marketplace.foundation.errors import DomainError, NotFound
from marketplace.foundation.money import parse_yuan
from marketplace.foundation.trade import PaymentMode, TechnologyField, TradingMode
from marketplace.listings import (
    certificate_queries,
    certificate_views,
    queries,
    record_queries,
    room_queries,
    rules,
    service,
)
from marketplace.listings.bidding_forms import BidForm, LimitForm
from marketplace.listings.bidding_rules import BiddingKind
from marketplace.listings.forms import IntentForm, ListingForm
from marketplace.listings.rules import IntentState, ListingState, PricingMode

routes = api.Routes("listings", __name__, tag="挂牌交易")


class ListingRecord(api.Answer):
    """A listing as the public sees it; a reserve or a sealed price is not among it."""

    id: int
    number: str
    state: ListingState
    achievement_id: int
    organisation_id: int
    seller_name: str
    title: str
    field: TechnologyField | None
    pricing_mode: PricingMode
    trading_mode: TradingMode
    base_price: api.Yuan = Field(validation_alias="base_price_fen")
    increment: api.Yuan = Field(validation_alias="increment_fen")
    deposit: api.Yuan = Field(validation_alias="deposit_fen")
    bidding_kind: BiddingKind
    payment_mode: PaymentMode
    payment_terms: str
    conditions: str
    announced_at: api.Moment | None
    announcement_ends_on: api.Days | None
    bidding_starts_at: api.Moment | None
    bidding_closes_at: api.Moment | None
    buyer_name: str
    price: api.Yuan | None = Field(validation_alias="price_fen")
    publicity_ends_on: api.Days | None
    sign_by: api.Days | None
    signed_at: api.Moment | None


class ListingList(api.Answer):
    """One page of a list; ``next`` goes into ``after``."""

    items: list[ListingRecord]
    next: str | None = Field(validation_alias="next_token")


class ListingQuery(api.PageQuery):
    """What the hall is narrowed to."""

    group: Literal["open", "running", "signed", "failed"] | None = None
    pricing_mode: PricingMode | None = None
    trading_mode: TradingMode | None = None
    field: TechnologyField | None = None


class IntentRecord(api.Answer):
    """An intent of the token's own organisation."""

    id: int
    listing_id: int
    listing_number: str
    listing_title: str
    listing_state: ListingState
    state: IntentState
    offer: api.Yuan = Field(validation_alias="offer_fen")
    plan: str
    related_party: bool
    relation: str
    registered_at: api.Moment
    reason: str
    plate: str | None


class IntentList(api.Answer):
    """One page of a list; ``next`` goes into ``after``."""

    items: list[IntentRecord]
    next: str | None = Field(validation_alias="next_token")


class BidLine(api.Answer):
    """A bid in the public record, by plate, never by name."""

    number: int
    plate: str
    amount: api.Yuan


class BidList(api.Answer):
    """The newest bids of a session, oldest first; none of a sealed one before it is opened."""

    items: list[BidLine]


class BidMark(api.Answer):
    """A bid as it stands in the record."""

    number: int
    plate: str
    amount: api.Yuan


@routes.reads(
    "/listings",
    permission=SIGNED_IN,
    summary="列出公开的挂牌项目",
    answer=ListingList,
    query=ListingQuery,
)
def list_listings(asked: ListingQuery) -> Any:
    """Read one page of the public hall."""
    chosen = queries.HallFilter(
        group=asked.group or "",
        pricing_mode=asked.pricing_mode,
        trading_mode=asked.trading_mode,
        field=asked.field,
    )
    return queries.hall(web.session(), chosen, after=asked.after, size=asked.limit)


@routes.reads(
    "/listings/<int:listing_id>",
    permission=SIGNED_IN,
    summary="读取一个挂牌项目",
    answer=ListingRecord,
)
def get_listing(_asked: api.AnyQuery, listing_id: int) -> Any:
    """Return a public listing."""
    return queries.get_public(web.session(), listing_id)


@routes.writes(
    "/achievements/<int:achievement_id>/listings",
    permission=rules.APPLY,
    scope=api.Scope.WRITE_LISTINGS,
    summary="申请挂牌一项成果",
    form=ListingForm,
    status=201,
)
def apply_listing(session: Session, form: ListingForm, achievement_id: int) -> Any:
    """Ask to list one published achievement."""
    listing_id = service.apply(
        session,
        actor=web.actor(),
        now=web.now(),
        achievement_id=achievement_id,
        content=form.content(),
    )
    return api.Made(id=listing_id)


@routes.reads(
    "/intents",
    permission=rules.INTEND,
    summary="列出本单位的受让意向",
    answer=IntentList,
    query=api.PageQuery,
)
def list_intents(asked: api.PageQuery) -> Any:
    """List the intents of the token's organisation."""
    return queries.own_intents(web.session(), web.actor(), after=asked.after, size=asked.limit)


@routes.writes(
    "/listings/<int:listing_id>/intents",
    permission=rules.INTEND,
    scope=api.Scope.WRITE_INTENTS,
    summary="登记受让意向",
    form=IntentForm,
    status=201,
)
def register_intent(session: Session, form: IntentForm, listing_id: int) -> Any:
    """Register the wish to acquire."""
    intent_id = service.register_intent(
        session,
        actor=web.actor(),
        now=web.now(),
        listing_id=listing_id,
        content=form.content(),
    )
    return api.Made(id=intent_id)


@routes.writes(
    "/intents/<int:intent_id>/withdrawal",
    permission=rules.INTEND,
    scope=api.Scope.WRITE_INTENTS,
    summary="撤回受让意向",
)
def withdraw_intent(session: Session, _form: None, intent_id: int) -> Any:
    """Take an intent back."""
    service.withdraw_intent(session, actor=web.actor(), now=web.now(), intent_id=intent_id)
    return api.Made(id=intent_id)


@routes.reads(
    "/listings/<int:listing_id>/bids",
    permission=SIGNED_IN,
    summary="读取公开的竞价记录",
    answer=BidList,
)
def list_bids(_asked: api.AnyQuery, listing_id: int) -> Any:
    """Return the newest bids that the room shows to everybody."""
    session = web.session()
    queries.get_public(session, listing_id)
    row = room_queries.find_session(session, listing_id)
    told = record_queries.news(session, row, after=0, now=web.now())
    return {
        "items": [
            {"number": bid["number"], "plate": bid["plate"], "amount": parse_yuan(bid["yuan"])}
            for bid in told["bids"]
        ]
    }


def _note_refused(session: Session, refusal: DomainError, form: BidForm, listing_id: int) -> None:
    """Leave the audit row that the room leaves too, whichever way a refused bid came."""
    if isinstance(refusal, NotFound):
        return
    service.note_refused_bid(
        session,
        actor=web.actor(),
        now=web.now(),
        listing_id=listing_id,
        refusal=refusal,
        amount=form.amount_fen.raw,
    )


@routes.writes(
    "/listings/<int:listing_id>/bids",
    permission=rules.TRY_TO_BID,
    scope=api.Scope.WRITE_BIDS,
    summary="在公开竞价中出价，不能撤回",
    form=BidForm,
    on_refusal=_note_refused,
    answer=BidMark,
    status=201,
)
def place_bid(session: Session, form: BidForm, listing_id: int) -> Any:
    """Place a bid; the idempotency key keeps it from being placed twice."""
    asked = {
        "actor": web.actor(),
        "now": web.now(),
        "listing_id": listing_id,
        "amount_fen": form.amount_fen.data,
        "submission_key": api.key_or_new(),
        "plate": form.plate.data or None,
    }
    passed = service.price_passed(session, **asked)
    if passed is not None:
        raise passed.refusal
    mark = service.place_bid(session, **asked)
    return {"number": mark.sequence, "plate": mark.plate, "amount": mark.amount_fen}


@routes.writes(
    "/listings/<int:listing_id>/limit",
    method="PUT",
    permission=rules.BID,
    scope=api.Scope.WRITE_BIDS,
    summary="设定委托上限，只有本单位看得到",
    form=LimitForm,
)
def set_bidding_limit(session: Session, form: LimitForm, listing_id: int) -> Any:
    """Give or change the private limit of the token's organisation."""
    queries.get_public(session, listing_id)
    service.set_limit(
        session,
        actor=web.actor(),
        now=web.now(),
        listing_id=listing_id,
        limit_fen=form.limit_fen.data,
    )
    return api.Made(id=listing_id)


@routes.writes(
    "/listings/<int:listing_id>/limit",
    method="DELETE",
    permission=rules.BID,
    scope=api.Scope.WRITE_BIDS,
    summary="取消委托上限",
)
def drop_bidding_limit(session: Session, _form: None, listing_id: int) -> Any:
    """Take the private limit back."""
    queries.get_public(session, listing_id)
    service.drop_limit(session, actor=web.actor(), now=web.now(), listing_id=listing_id)
    return api.Made(id=listing_id)


@routes.sends(
    "/listings/<int:listing_id>/certificate",
    permission=SIGNED_IN,
    summary="下载交易凭证（PDF）",
)
def get_trading_certificate(listing_id: int) -> Any:
    """Send the certificate of a concluded listing, which anybody may check."""
    queries.get_public(web.session(), listing_id)
    found = certificate_queries.of_listing(web.session(), listing_id)
    if found is None:
        raise NotFound()
    return certificate_views.certificate_pdf(found.number)
