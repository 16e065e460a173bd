"""What discovery holds on one person: saved searches, and what he did on the match desk."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.discovery.desk_models import DeskAnswer
from marketplace.discovery.models import SavedHit, SavedSearch
from marketplace.foundation.access import Actor


def own_data(session: Session, *, user_id: int) -> dict[str, Any]:
    """Return a person's saved searches and what he did with pairs on the match desk."""
    rows = session.scalars(
        select(SavedSearch).where(SavedSearch.user_id == user_id).order_by(SavedSearch.id)
    )
    laid_aside = session.scalars(
        select(DeskAnswer).where(DeskAnswer.broker_user_id == user_id).order_by(DeskAnswer.id)
    )
    return {
        "订阅": [{"名称": row.name, "频率": row.frequency.label} for row in rows],
        "撮合台": [{"处理": row.state.label, "说明": row.words} for row in laid_aside],
    }


def let_go(session: Session, *, actor: Actor, now: datetime) -> None:
    """Remove saved searches and desk answers of somebody whose account is being closed."""
    own = select(SavedSearch.id).where(SavedSearch.user_id == actor.user_id)
    session.execute(delete(SavedHit).where(SavedHit.saved_search_id.in_(own)))
    session.execute(delete(SavedSearch).where(SavedSearch.user_id == actor.user_id))
    session.execute(delete(DeskAnswer).where(DeskAnswer.broker_user_id == actor.user_id))
