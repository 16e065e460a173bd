"""Two deals of the same parties become one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.brokerage import merge_rules, rules
from marketplace.brokerage.diary_service import refresh_next_task
from marketplace.brokerage.events import DealMerged
from marketplace.brokerage.family_queries import belongs_to
from marketplace.brokerage.merge_queries import footprint
from marketplace.brokerage.merge_rules import MergedPrice
from marketplace.brokerage.models import Commission, Deal
from marketplace.brokerage.pipeline_service import load_led, subject
from marketplace.brokerage.rules import DealStage
from marketplace.brokerage.terms_rules import CommissionStatus
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import Conflict, raise_if_any


def merge_deals(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    deal_id: int,
    into_deal_id: int,
    price: MergedPrice,
) -> None:
    """Let who leads two deals of the same parties put one into the other; it is not undone.

    The one that ends keeps its notes, tasks, meetings, introductions, commission and data room,
    each with its own readers; the other reads them from there. Refuse what ``merge_rules`` names,
    and with ``Conflict`` a deal that was merged a moment ago.
    """
    require(actor, rules.LEAD)
    # In the order of their ids, whichever goes into which: two people at once wait in one line.
    locked = {each: load_led(session, actor, each) for each in sorted({deal_id, into_deal_id})}
    ending, standing = locked[deal_id], locked[into_deal_id]
    for deal in (ending, standing):
        if deal.stage is DealStage.MERGED:
            raise Conflict(
                "merge.done", f"“{deal.title}”已经并入另一个项目，请刷新页面看现在的情况"
            )
    commissions = _lock_commissions(session, ending, standing)
    today = local_date(now)
    before = footprint(session, ending, today=today)
    other = footprint(session, standing, today=today)
    raise_if_any(merge_rules.refusals(before, other))
    amount = merge_rules.merged_amount(before, other, price)
    part = merge_rules.merged_part(before, other)
    _void_proposed(commissions, ending, everything=before.commission_agreed)

    ending.merged_into_id, ending.merged_at = standing.id, now
    left_at, ending.stage, ending.stage_since = ending.stage, DealStage.MERGED, now
    ending.touched_at = now
    ending.version += 1
    # Written first: until then both hold their place among the live deals of the pair.
    session.flush()
    session.execute(
        update(Deal).where(Deal.merged_into_id == ending.id).values(merged_into_id=standing.id)
    )
    was = {"amount_fen": standing.amount_fen}
    standing.amount_fen, standing.part = amount, part
    standing.trading_mode = standing.trading_mode or ending.trading_mode
    standing.need_id = standing.need_id or ending.need_id
    standing.last_contact_at = max(
        (at for at in (ending.last_contact_at, standing.last_contact_at) if at), default=None
    )
    standing.touched_at = now
    standing.version += 1
    session.flush()
    refresh_next_task(session, standing)
    audit.record(
        session,
        actor=actor,
        action="brokerage.merge",
        subject=subject(ending.id),
        now=now,
        before={"stage": left_at},
        after={"stage": DealStage.MERGED, "deal": standing.id},
    )
    audit.record(
        session,
        actor=actor,
        action="brokerage.take_in",
        subject=subject(standing.id),
        now=now,
        before=was,
        after={"deal": ending.id, "amount_fen": amount},
    )
    outbox.publish(
        session,
        DealMerged(
            deal_id=ending.id,
            title=ending.title,
            into_deal_id=standing.id,
            into_title=standing.title,
            seller_organisation_id=standing.seller_organisation_id,
            buyer_organisation_id=standing.buyer_organisation_id,
            broker_user_id=standing.broker_user_id,
        ),
        now=now,
    )


def _lock_commissions(session: Session, ending: Deal, standing: Deal) -> list[Commission]:
    """Hold the commissions of both, so that none is confirmed while we look."""
    ours = belongs_to(Commission.deal_id, ending.id) | belongs_to(Commission.deal_id, standing.id)
    return list(
        session.scalars(
            select(Commission)
            .where(ours)
            .order_by(Commission.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def _void_proposed(commissions: list[Commission], ending: Deal, *, everything: bool) -> None:
    """Let lapse what nobody confirmed on the deal that ends.

    ``everything``: a commission goes with it, so that none may be confirmed beside it.
    """
    for row in commissions:
        if row.status is CommissionStatus.PROPOSED and (everything or row.deal_id == ending.id):
            row.status = CommissionStatus.VOID
