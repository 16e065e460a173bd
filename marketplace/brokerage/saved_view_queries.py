"""Reads of the views of the deals that people keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.brokerage.saved_view_models import SavedDealView
from marketplace.foundation.access import Actor
from marketplace.foundation.errors import NotFound


@dataclass(frozen=True)
class KeptView:
    """A view as its keeper sees it; ``arguments`` state it as the address of the deals does."""

    id: int
    name: str
    arguments: Mapping[str, str]
    starts: bool


def own_views(session: Session, actor: Actor) -> list[KeptView]:
    """List the views that the actor keeps for the organisation for which he acts, oldest first."""
    if actor.user_id is None or actor.organisation_id is None:
        return []
    rows = session.scalars(
        select(SavedDealView)
        .where(
            SavedDealView.user_id == actor.user_id,
            SavedDealView.organisation_id == actor.organisation_id,
        )
        .order_by(SavedDealView.id)
    )
    return [KeptView(row.id, row.name, row.arguments, row.starts) for row in rows]


def get_own_view(session: Session, actor: Actor, view_id: int) -> KeptView:
    """Return one of the actor's views; ``NotFound`` for anybody else's."""
    found = next((view for view in own_views(session, actor) if view.id == view_id), None)
    if found is None:
        raise NotFound()
    return found
