"""What somebody sees of the deals that belong to one: the way by which its page reads them."""

from __future__ import annotations

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from marketplace.brokerage.deal_queries import visible_to
from marketplace.brokerage.family_queries import covering_ids
from marketplace.brokerage.models import Deal
from marketplace.foundation.access import Actor


def seen_family(session: Session, actor: Actor, deal_id: int) -> Select[int]:
    """Return the ids of a deal and of what was merged into it, as far as the actor sees them."""
    return (
        select(Deal.id)
        .where(or_(Deal.id == deal_id, Deal.merged_into_id == deal_id), visible_to(session, actor))
        .correlate(None)
    )


def seen_proofs(session: Session, actor: Actor, deal_id: int) -> Select[int]:
    """Return the ids of the deals whose introductions cover a deal, those the actor sees."""
    return (
        select(Deal.id)
        .where(Deal.id.in_(covering_ids(session, deal_id)), visible_to(session, actor))
        .correlate(None)
    )
