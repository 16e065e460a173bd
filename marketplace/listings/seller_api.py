"""A seller's own listings for programs: the application, how bids are given, taking it back."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

from marketplace.foundation import api, web
from marketplace.foundation.money import Fen
from marketplace.listings import notice_queries, queries, rules, service
from marketplace.listings.api import routes
from marketplace.listings.bidding_forms import BiddingForm
from marketplace.listings.forms import ListingForm, PriceForm, ReasonForm, TrialEndForm
from marketplace.listings.rules import ListingState


class OwnListingLine(api.Answer):
    """A listing in its seller's list."""

    id: int
    number: str
    achievement_id: int
    title: str
    state: ListingState
    applied_at: api.Moment
    reason: str


class OwnListingList(api.Answer):
    """One page of a list; ``next`` goes into ``after``."""

    items: list[OwnListingLine]
    next: str | None = Field(validation_alias="next_token")


class ApplicationRecord(OwnListingLine):
    """An application for its seller, with the content as it is corrected."""

    version: int
    content: Annotated[dict[str, Any], api.shaped_as(ListingForm)]


@routes.reads(
    "/own-listings",
    permission=rules.SEE_OWN,
    summary="列出本单位的挂牌申请与项目",
    answer=OwnListingList,
    query=api.PageQuery,
)
def list_own_listings(asked: api.PageQuery) -> Any:
    """List the listings of the token's organisation in every state."""
    return queries.own(web.session(), web.actor(), after=asked.after, size=asked.limit)


@routes.reads(
    "/listings/<int:listing_id>/application",
    permission=rules.SEE_OWN,
    summary="读取本单位的一项挂牌申请",
    answer=ApplicationRecord,
)
def get_application(_asked: api.AnyQuery, listing_id: int) -> Any:
    """Return one's own application as it was typed."""
    session = web.session()
    view = queries.get_for(session, web.actor(), listing_id)
    typed = vars(view) | notice_queries.trial_fields(session, listing_id)
    return {**vars(view), "content": api.payload_of(ListingForm, typed)}


@routes.writes(
    "/listings/<int:listing_id>/application",
    method="PUT",
    versioned=True,
    permission=rules.APPLY,
    scope=api.Scope.WRITE_LISTINGS,
    summary="修改还没有受理的挂牌申请",
    form=ListingForm,
)
def correct_application(session: Session, form: ListingForm, listing_id: int) -> Any:
    """Correct an application that is not accepted yet, or was sent back."""
    queries.get_for(session, web.actor(), listing_id)
    service.correct(
        session,
        actor=web.actor(),
        now=web.now(),
        listing_id=listing_id,
        content=form.content(),
        version=form.version_number,
    )
    return api.Made(id=listing_id)


@routes.writes(
    "/listings/<int:listing_id>/bidding",
    method="PUT",
    permission=rules.APPLY,
    scope=api.Scope.WRITE_LISTINGS,
    summary="选择竞价方式",
    form=BiddingForm,
)
def choose_listing_bidding(session: Session, form: BiddingForm, listing_id: int) -> Any:
    """Choose how bids are given, should it come to bidding."""
    queries.get_for(session, web.actor(), listing_id)
    service.choose_bidding(
        session,
        actor=web.actor(),
        now=web.now(),
        listing_id=listing_id,
        kind=form.kind.data,
        criteria=form.chosen(),
    )
    return api.Made(id=listing_id)


@routes.writes(
    "/listings/<int:listing_id>/withdrawal",
    permission=rules.APPLY,
    scope=api.Scope.WRITE_LISTINGS,
    summary="说明原因，撤牌",
    form=ReasonForm,
)
def withdraw_listing(session: Session, form: ReasonForm, listing_id: int) -> Any:
    """Take a listing back with the reason that its buyers learn."""
    queries.get_for(session, web.actor(), listing_id)
    service.withdraw(
        session,
        actor=web.actor(),
        now=web.now(),
        listing_id=listing_id,
        reason=form.reason.data,
    )
    return api.Made(id=listing_id)


@routes.writes(
    "/intents/<int:intent_id>/agreement",
    permission=rules.APPLY,
    scope=api.Scope.WRITE_LISTINGS,
    summary="登记与合格意向方谈定的价格，随即公示",
    form=PriceForm,
)
def agree_on_price(session: Session, form: PriceForm, intent_id: int) -> Any:
    """Note the price agreed with a qualified buyer."""
    queries.get_intent(session, web.actor(), intent_id)
    service.agree_price(
        session,
        actor=web.actor(),
        now=web.now(),
        intent_id=intent_id,
        price_fen=form.price_fen.data,
    )
    return api.Made(id=intent_id)


@routes.writes(
    "/listings/<int:listing_id>/trial",
    permission=rules.APPLY,
    scope=api.Scope.WRITE_LISTINGS,
    summary="开始试用",
    status=201,
)
def begin_listing_trial(session: Session, _form: None, listing_id: int) -> Any:
    """Begin a trial before payment."""
    queries.get_for(session, web.actor(), listing_id)
    service.begin_trial(session, actor=web.actor(), now=web.now(), listing_id=listing_id)
    return api.Made(id=listing_id)


@routes.writes(
    "/listings/<int:listing_id>/trial/result",
    permission=rules.INTEND,
    scope=api.Scope.WRITE_INTENTS,
    summary="受让方登记试用结果",
    form=TrialEndForm,
)
def end_listing_trial(session: Session, form: TrialEndForm, listing_id: int) -> Any:
    """End a trial as its buyer, with what was measured."""
    queries.get_bought(session, web.actor(), listing_id)
    service.end_trial(
        session,
        actor=web.actor(),
        now=web.now(),
        listing_id=listing_id,
        adopted=form.decision.data == "adopt",
        units=form.units.data or 0,
        revenue_fen=form.revenue.data or Fen(0),
        result=form.result.data,
    )
    return api.Made(id=listing_id)
