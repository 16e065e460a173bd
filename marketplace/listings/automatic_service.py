"""Private limits (委托报价): set, take back, and let them bid when their bidder is outbid."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM, Actor, require
from marketplace.foundation.errors import NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.listings import automatic_rules, rules
from marketplace.listings import bidding_rules as bidding
from marketplace.listings.automatic_rules import Order
from marketplace.listings.bidding_models import AutomaticOrder, BiddingSession
from marketplace.listings.bidding_queries import standing_of, terms_of
from marketplace.listings.bidding_rules import BiddingKind, Phase
from marketplace.listings.models import Intent
from marketplace.listings.session_service import bidder, lock_standing, store_mark


def set_limit(
    session: Session, *, actor: Actor, now: datetime, listing_id: int, limit_fen: Fen
) -> None:
    """Give or change the private limit up to which the platform bids for the actor's enterprise.

    It may be given before the session begins. In a running session it bids at once unless the
    bidder leads. A changed limit counts as given now.
    """
    require(actor, rules.BID)
    row = _lock_ascending(session, listing_id)
    intent = bidder(session, actor, row)
    _check_not_over(row, now)
    assert intent.plate is not None
    automatic_rules.check_limit(
        terms_of(row), standing_of(row), plate=intent.plate, limit_fen=limit_fen
    )
    order = _own(session, row, intent.id)
    latest = session.scalar(
        select(func.max(AutomaticOrder.rank)).where(AutomaticOrder.session_id == row.id)
    )
    rank = (latest or 0) + 1
    if order is None:
        session.add(
            AutomaticOrder(
                session_id=row.id,
                intent_id=intent.id,
                plate=intent.plate,
                limit_fen=limit_fen,
                rank=rank,
                given_at=now,
                user_id=actor.user_id,
            )
        )
        row.order_count += 1
    else:
        order.limit_fen, order.rank = limit_fen, rank
        order.given_at, order.user_id = now, actor.user_id
    # The audit row says that it was set; how high is nobody's to know while the session runs.
    audit.record(
        session,
        actor=actor,
        action="listings.set_limit",
        subject=f"bidding:{row.id}",
        now=now,
        after={"plate": intent.plate},
    )
    session.flush()
    if row.opened_at is not None:
        run_orders(session, row, now=now)


def drop_limit(session: Session, *, actor: Actor, now: datetime, listing_id: int) -> None:
    """Take the private limit back; what it has bid stands."""
    require(actor, rules.BID)
    row = _lock_ascending(session, listing_id)
    intent = bidder(session, actor, row)
    _check_not_over(row, now)
    if not drop_order(session, row, intent, actor=actor, now=now):
        raise NotFound()


def drop_order(
    session: Session, row: BiddingSession, intent: Intent, *, actor: Actor, now: datetime
) -> bool:
    """Delete a bidder's private limit of a locked session; tell whether there was one."""
    order = _own(session, row, intent.id)
    if order is None:
        return False
    session.delete(order)
    row.order_count -= 1
    audit.record(
        session,
        actor=actor,
        action="listings.drop_limit",
        subject=f"bidding:{row.id}",
        now=now,
        after={"plate": intent.plate},
    )
    return True


def run_orders(session: Session, row: BiddingSession, *, now: datetime) -> None:
    """Let the limits of a locked, running session bid until none can raise any more."""
    if row.order_count == 0:
        return
    stored = session.scalars(
        select(AutomaticOrder).where(AutomaticOrder.session_id == row.id)
    ).all()
    by_plate = {order.plate: order for order in stored}
    orders = [Order(order.plate, order.limit_fen, order.rank) for order in stored]
    for mark in automatic_rules.follow_up(terms_of(row), standing_of(row), orders, now):
        store_mark(
            session,
            row,
            by_plate[mark.plate].intent_id,
            mark,
            key=f"automatic-{mark.sequence}",
            actor=SYSTEM,
            action="listings.automatic_bid",
            now=now,
        )


def _lock_ascending(session: Session, listing_id: int) -> BiddingSession:
    row = lock_standing(session, listing_id)
    if row.kind is not BiddingKind.ASCENDING:
        raise RuleBroken("bidding.kind", f"“{row.kind.label}”只出一次价，不需要委托")
    return row


def _check_not_over(row: BiddingSession, now: datetime) -> None:
    over = bidding.phase(terms_of(row), standing_of(row), now) is Phase.OVER
    if row.closed_at is not None or over:
        raise RuleBroken("bidding.over", "竞价已经结束，不能再委托")


def _own(session: Session, row: BiddingSession, intent_id: int) -> AutomaticOrder | None:
    return session.scalar(
        select(AutomaticOrder).where(
            AutomaticOrder.session_id == row.id, AutomaticOrder.intent_id == intent_id
        )
    )
