"""Reads of inventors across achievements: who has worked with whom."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from marketplace.achievements.models import InventorRow


def worked_with(session: Session, user_ids: Collection[int]) -> dict[int, set[int]]:
    """Return, for each member, the members who are named beside him as inventors of anything."""
    mine, other = aliased(InventorRow), aliased(InventorRow)
    rows = session.execute(
        select(mine.user_id, other.user_id)
        .join(other, other.achievement_id == mine.achievement_id)
        .where(
            mine.user_id.in_(user_ids),
            other.user_id.is_not(None),
            other.user_id != mine.user_id,
        )
        .distinct()
    )
    found: dict[int, set[int]] = {}
    for one, another in rows:
        if one is not None and another is not None:
            found.setdefault(one, set()).add(another)
    return found
