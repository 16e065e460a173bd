"""Reads of saved searches: a person's own, those that are due, and the one behind a feed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.discovery.models import SavedHit, SavedSearch
from marketplace.discovery.subscription_rules import Frequency
from marketplace.foundation.access import Actor
from marketplace.foundation.errors import NotFound


@dataclass(frozen=True)
class SavedView:
    """A saved search as its keeper sees it; ``told`` counts the entries found so far."""

    id: int
    user_id: int
    organisation_id: int | None
    name: str
    arguments: Mapping[str, list[str]]
    frequency: Frequency
    paused: bool
    feed_open: bool
    feed_version: int
    saved_at: datetime
    looked_at: datetime | None
    next_look_at: datetime
    told: int = 0


def view_of(row: SavedSearch, told: int = 0) -> SavedView:
    """Return a stored search as a frozen view."""
    return SavedView(
        id=row.id,
        user_id=row.user_id,
        organisation_id=row.organisation_id,
        name=row.name,
        arguments=row.arguments,
        frequency=row.frequency,
        paused=row.paused,
        feed_open=row.feed_open,
        feed_version=row.feed_version,
        saved_at=row.saved_at,
        looked_at=row.looked_at,
        next_look_at=row.next_look_at,
        told=told,
    )


def list_own(session: Session, actor: Actor) -> list[SavedView]:
    """List the searches that the actor keeps for the organisation for which he acts now."""
    rows = session.scalars(
        select(SavedSearch)
        .where(
            SavedSearch.user_id == actor.user_id,
            SavedSearch.organisation_id == actor.organisation_id,
        )
        .order_by(SavedSearch.saved_at.desc(), SavedSearch.id.desc())
    ).all()
    told = dict(
        session.execute(
            select(SavedHit.saved_search_id, func.count())
            .where(SavedHit.saved_search_id.in_([row.id for row in rows]))
            .group_by(SavedHit.saved_search_id)
        ).all()
    )
    return [view_of(row, told.get(row.id, 0)) for row in rows]


def get_own(session: Session, actor: Actor, saved_search_id: int) -> SavedView:
    """Return one of the actor's searches, else raise ``NotFound``."""
    row = session.get(SavedSearch, saved_search_id)
    if row is None or row.user_id != actor.user_id or row.organisation_id != actor.organisation_id:
        raise NotFound()
    return view_of(row)


def find(session: Session, saved_search_id: int) -> SavedView | None:
    """Return a saved search for the worker or a feed; the caller asks what its keeper may see."""
    row = session.get(SavedSearch, saved_search_id)
    return None if row is None else view_of(row)


def due(session: Session, *, now: datetime, limit: int) -> list[SavedView]:
    """List the searches that are to be looked at now, the longest due first."""
    rows = session.scalars(
        select(SavedSearch)
        .where(SavedSearch.paused.is_(False), SavedSearch.next_look_at <= now)
        .order_by(SavedSearch.next_look_at, SavedSearch.id)
        .limit(limit)
    )
    return [view_of(row) for row in rows]


def known_hits(
    session: Session, saved_search_id: int, document_ids: Collection[str]
) -> frozenset[str]:
    """Return those of the entries that were found before."""
    return frozenset(
        session.scalars(
            select(SavedHit.document_id).where(
                SavedHit.saved_search_id == saved_search_id,
                SavedHit.document_id.in_(document_ids),
            )
        )
    )
