"""What the trading hall has waiting for sellers, buyers and the operator."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.foundation.access import Actor, permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.waiting import WaitingItem
from marketplace.listings import notice_queries, rules
from marketplace.listings.bidding_models import BiddingSession
from marketplace.listings.models import Intent, Listing
from marketplace.listings.priority_rules import PriorityState
from marketplace.listings.rules import IntentState, ListingState, PricingMode


def waiting(session: Session, actor: Actor, *, now: datetime) -> list[WaitingItem]:
    """List what waits for the actor in the trading hall."""
    items = _priorities(session, actor)
    if permits(actor, rules.APPLY):
        items += _for_seller(session, actor)
    if permits(actor, rules.BID):
        items += _for_buyer(session, actor)
    if permits(actor, rules.OPERATE):
        items += _for_operator(session)
    return items


def _priorities(session: Session, actor: Actor) -> list[WaitingItem]:
    return [
        WaitingItem(
            f"优先受让权：{asked.title}",
            "按成交价优先受让，还是让给受让方"
            if asked.state is PriorityState.OFFERED
            else f"{asked.kind.label}，同等条件下是否优先受让",
            "listings.priority",
            {"priority_id": asked.id},
            "答复",
            asked.answer_by,
            workdays=True,
        )
        for asked in notice_queries.own_priorities(session, actor)
        if asked.state in (PriorityState.ASKED, PriorityState.OFFERED)
    ]


def _for_seller(session: Session, actor: Actor) -> list[WaitingItem]:
    own = Listing.organisation_id == actor.organisation_id
    items = [
        _managed(row, f"补正挂牌申请：{row.title}", row.reason, "补正")
        for row in session.scalars(
            select(Listing).where(own, Listing.state == ListingState.RETURNED)
        )
    ]
    ready = session.execute(
        select(Listing, func.count())
        .join(Intent, Intent.listing_id == Listing.id)
        .where(
            own,
            Listing.pricing_mode == PricingMode.NEGOTIATED,
            Listing.state.in_((ListingState.ANNOUNCED, ListingState.NEGOTIATING)),
            Intent.state == IntentState.QUALIFIED,
        )
        .group_by(Listing.id)
    )
    items += [
        _managed(row, f"协商价格：{row.title}", f"{count} 家意向方已获资格，可以协商价格", "协商")
        for row, count in ready
    ]
    items += [
        _signing(row)
        for row in session.scalars(
            select(Listing).where(own, Listing.state == ListingState.AWARDED)
        )
    ]
    return items


def _for_buyer(session: Session, actor: Actor) -> list[WaitingItem]:
    rows = session.execute(
        select(Listing, BiddingSession.starts_at, Intent.plate)
        .join(BiddingSession, BiddingSession.listing_id == Listing.id)
        .join(Intent, Intent.listing_id == Listing.id)
        .where(
            BiddingSession.closed_at.is_(None),
            BiddingSession.voided_at.is_(None),
            Intent.organisation_id == actor.organisation_id,
            Intent.state == IntentState.QUALIFIED,
        )
    )
    items = [
        WaitingItem(
            what=f"参加竞价：{listing.title}",
            why=f"您的号牌是 {plate} 号",
            endpoint="listings.room",
            params={"listing_id": listing.id},
            act="进入竞价室",
            due_on=local_date(starts_at),
        )
        for listing, starts_at, plate in rows
    ]
    items += [
        _signing(row)
        for row in session.scalars(
            select(Listing).where(
                Listing.buyer_id == actor.organisation_id, Listing.state == ListingState.AWARDED
            )
        )
    ]
    return items


def _for_operator(session: Session) -> list[WaitingItem]:
    items = [
        _managed(row, f"受理挂牌申请：{row.title}", "核对成果、权属和交易条件", "受理")
        for row in session.scalars(
            select(Listing).where(Listing.state == ListingState.APPLIED).order_by(Listing.id)
        )
    ]
    items += [
        _managed(row, f"发布挂牌公告：{row.title}", "已受理，公告后才能登记意向", "公告")
        for row in session.scalars(
            select(Listing).where(Listing.state == ListingState.ACCEPTED).order_by(Listing.id)
        )
    ]
    undecided = session.execute(
        select(Listing, func.count())
        .join(Intent, Intent.listing_id == Listing.id)
        .where(Intent.state == IntentState.REGISTERED)
        .group_by(Listing.id)
        .order_by(Listing.qualification_closes_at)
    )
    items += [
        WaitingItem(
            what=f"确认受让资格：{row.title}",
            why=f"{count} 家意向方待确认",
            endpoint="listings.manage",
            params={"listing_id": row.id},
            act="确认资格",
            due_on=row.qualification_ends_on,
            workdays=True,
        )
        for row, count in undecided
    ]
    unopened = session.execute(
        select(Listing, BiddingSession.bid_count)
        .join(BiddingSession, BiddingSession.listing_id == Listing.id)
        .where(
            BiddingSession.closed_at.is_not(None),
            BiddingSession.decided_at.is_(None),
            BiddingSession.voided_at.is_(None),
        )
        .order_by(BiddingSession.closed_at)
    )
    items += [
        WaitingItem(
            what=f"评分与开标：{row.title}",
            why=f"收到 {count} 份密封报价，等开标人提交口令",
            endpoint="listings.opening",
            params={"listing_id": row.id},
            act="开标",
        )
        for row, count in unopened
    ]
    return items


def _managed(row: Listing, what: str, why: str, act: str) -> WaitingItem:
    return WaitingItem(
        what=what,
        why=why,
        endpoint="listings.manage",
        params={"listing_id": row.id},
        act=act,
    )


def _signing(row: Listing) -> WaitingItem:
    return WaitingItem(
        what=f"签订合同：{row.title}",
        why="公示已通过，签约后由转让方申请认定登记",
        endpoint="listings.show",
        params={"listing_id": row.id},
        act="查看",
        due_on=row.sign_by,
        workdays=True,
    )
