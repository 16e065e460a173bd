"""Reads of where people work, for many people at once."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Membership


def employers(session: Session, user_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """Return the organisations of each person, by the person's id."""
    rows = session.execute(
        select(Membership.user_id, Membership.organisation_id)
        .where(Membership.user_id.in_(user_ids))
        .distinct()
    )
    found: dict[int, set[int]] = {user_id: set() for user_id in user_ids}
    for user_id, organisation_id in rows:
        found[user_id].add(organisation_id)
    return {user_id: frozenset(held) for user_id, held in found.items()}
