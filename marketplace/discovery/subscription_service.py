"""Keep a search, change it, let it go; note what it found, and tell its keeper."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.discovery import standing_queries
from marketplace.discovery.events import NewResultsFound
from marketplace.discovery.models import SavedHit, SavedSearch
from marketplace.discovery.subscription_rules import (
    SUBSCRIBE,
    Frequency,
    check_name,
    check_room,
    digest,
    headline,
    next_look,
)
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.db import ensure_rows, lock
from marketplace.foundation.errors import Conflict, NotFound
from marketplace.notifications import service as notifications
from marketplace.notifications.rules import MessageKind
from marketplace.notifications.service import News


def save(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    name: str,
    arguments: Mapping[str, Sequence[str]],
    frequency: Frequency,
) -> int:
    """Keep a search under a name; return its id. It tells of what is published from now on.

    Refused with ``Conflict`` where the same search is kept already or there is no room.
    """
    require(actor, SUBSCRIBE)
    kept_name = check_name(name)
    stated = {key: list(values) for key, values in arguments.items() if any(values)}
    kept = session.scalars(
        select(SavedSearch).where(
            SavedSearch.user_id == actor.user_id,
            SavedSearch.organisation_id == actor.organisation_id,
        )
    ).all()
    same = next((row for row in kept if row.arguments == stated), None)
    if same is not None:
        raise Conflict("discovery.saved_already", f"这个检索已经保存过，名字是“{same.name}”")
    check_room(len(kept))
    row = SavedSearch(
        user_id=actor.user_id or 0,
        organisation_id=actor.organisation_id,
        name=kept_name,
        arguments=stated,
        frequency=frequency,
        saved_at=now,
        looked_at=None,
        next_look_at=next_look(frequency, now),
    )
    session.add(row)
    session.flush()
    _audited(session, actor, row, now, "save", after={"name": kept_name, "frequency": frequency})
    return row.id


def change(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    saved_search_id: int,
    name: str,
    frequency: Frequency,
) -> None:
    """Give a search another name or let it tell more or less often."""
    row = _load_own(session, actor, saved_search_id)
    before = {"name": row.name, "frequency": row.frequency}
    row.name = check_name(name)
    if row.frequency is not frequency:
        row.frequency = frequency
        row.next_look_at = next_look(frequency, now)
    after = {"name": row.name, "frequency": frequency}
    _audited(session, actor, row, now, "change", before=before, after=after)


def pause(
    session: Session, *, actor: Actor, now: datetime, saved_search_id: int, paused: bool
) -> None:
    """Stop a search from telling, or let it go on; what came meanwhile is told then."""
    row = _load_own(session, actor, saved_search_id)
    if row.paused is paused:
        return
    row.paused = paused
    if not paused:
        row.next_look_at = next_look(row.frequency, now)
    _audited(session, actor, row, now, "pause" if paused else "resume")


def remove(session: Session, *, actor: Actor, now: datetime, saved_search_id: int) -> None:
    """Let a search go, with what it has found and its feed."""
    row = _load_own(session, actor, saved_search_id)
    session.execute(delete(SavedHit).where(SavedHit.saved_search_id == row.id))
    session.delete(row)
    _audited(session, actor, row, now, "remove", before={"name": row.name})


def renew_feed(session: Session, *, actor: Actor, now: datetime, saved_search_id: int) -> None:
    """Give a search's feed a new secret address; the one before stops working at once."""
    row = _load_own(session, actor, saved_search_id)
    row.feed_open, row.feed_version = True, row.feed_version + 1
    _audited(session, actor, row, now, "renew_feed")


def close_feed(session: Session, *, actor: Actor, now: datetime, saved_search_id: int) -> None:
    """Take a search's feed away; its address is never valid again."""
    row = _load_own(session, actor, saved_search_id)
    row.feed_open = False
    _audited(session, actor, row, now, "close_feed")


def note_found(
    session: Session, *, now: datetime, saved_search_id: int, document_ids: Collection[str]
) -> int:
    """Keep what a look has found and announce what is new of it; return how many are new.

    A search that was paused or let go meanwhile notes nothing.
    """
    row = session.get(SavedSearch, saved_search_id, with_for_update=True)
    if row is None or row.paused:
        return 0
    row.looked_at, row.next_look_at = now, next_look(row.frequency, now)
    known = set(
        session.scalars(
            select(SavedHit.document_id).where(
                SavedHit.saved_search_id == row.id, SavedHit.document_id.in_(document_ids)
            )
        )
    )
    fresh = [name for name in dict.fromkeys(document_ids) if name not in known]
    if fresh:
        hits = [{"saved_search_id": row.id, "document_id": name, "found_at": now} for name in fresh]
        ensure_rows(session, SavedHit, hits)
        event = NewResultsFound(saved_search_id=row.id, document_ids=fresh)
        outbox.publish(session, event, now=now)
    return len(fresh)


def tell(
    session: Session, *, now: datetime, saved_search_id: int, document_ids: Sequence[str]
) -> int:
    """Tell a search's keeper of new results, of those that can be seen at this moment.

    Nobody is told whose membership has ended or who has paused the search. What cannot be seen
    now is forgotten, so that it counts as new when it comes back. Return how many were told.
    """
    row = session.get(SavedSearch, saved_search_id)
    if row is None:
        return 0
    entries = []
    if not row.paused and accounts.actor_for(session, row.user_id, row.organisation_id) is not None:
        entries = standing_queries.standing(session, document_ids)
    untold = set(document_ids) - {entry.document_id for entry in entries}
    session.execute(
        delete(SavedHit).where(SavedHit.saved_search_id == row.id, SavedHit.document_id.in_(untold))
    )
    if not entries:
        return 0
    seal = hashlib.sha256("\n".join(sorted(document_ids)).encode()).hexdigest()[:16]
    news = News(
        kind=MessageKind.SEARCH,
        title=headline(row.name, len(entries)),
        text=digest([entry.title for entry in entries]),
        endpoint="discovery.saved_search",
        params={"saved_search_id": row.id},
        key=f"search:{row.id}:{seal}",
    )
    notifications.tell(session, now=now, user_ids=[row.user_id], news=news)
    return len(entries)


def wake(session: Session, *, now: datetime) -> None:
    """Make the searches due that tell at once: something has become visible."""
    session.execute(
        update(SavedSearch)
        .where(
            SavedSearch.frequency == Frequency.IMMEDIATE,
            SavedSearch.paused.is_(False),
            SavedSearch.next_look_at > now,
        )
        .values(next_look_at=now)
    )


def _load_own(session: Session, actor: Actor, saved_search_id: int) -> SavedSearch:
    require(actor, SUBSCRIBE)
    row = lock(session, SavedSearch, saved_search_id)
    if row.user_id != actor.user_id or row.organisation_id != actor.organisation_id:
        raise NotFound()
    return row


def _audited(
    session: Session,
    actor: Actor,
    row: SavedSearch,
    now: datetime,
    what: str,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    audit.record(
        session,
        actor=actor,
        action=f"discovery.search_{what}",
        subject=f"saved_search:{row.id}",
        now=now,
        before=before,
        after=after,
    )
