"""Look at saved searches: which newly published entries hold what was asked for.

The worker looks; what it finds is noted in one transaction and told by an event of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from marketplace.accounts import queries as accounts
from marketplace.discovery import subscription_queries, subscription_service
from marketplace.discovery.asked import Asked
from marketplace.discovery.indexing import SearchIndex
from marketplace.discovery.results import KINDS, scope_for, understand
from marketplace.discovery.subscription_queries import SavedView
from marketplace.foundation.access import Actor
from marketplace.foundation.db import Database
from search import searching
from search.engine import DEEPEST_OFFSET, Hit
from search.errors import SearchUnavailable
from search.schema import Range

log = structlog.get_logger()

# Of the words of a search so many must stand in what is told unasked.
_SHARE = 0.75
_BATCH = 50
PAGE = 100
# An entry may become visible long after it was published: an engine was away, a file was large.
_BACK = timedelta(days=30)


def stated(arguments: Mapping[str, Sequence[str]]) -> Asked:
    """Read a search back from the arguments that state it."""
    return Asked.of(MultiDict({name: list(values) for name, values in arguments.items()}))


def newest(
    index: SearchIndex,
    asked: Asked,
    actor: Actor,
    *,
    now: datetime,
    since: datetime | None = None,
    offset: int = 0,
) -> tuple[Hit, ...]:
    """List one page of the newest entries that answer a search, published from a moment on.

    Raise ``SearchUnavailable`` where the engine cannot answer.
    """
    understood, terms, filters = understand(asked, now=now)
    if since is not None:
        published = Range(low=int(since.timestamp()))
        filters = replace(filters, ranges={**filters.ranges, "published_at": published})
    return searching.newest(
        index.engine,
        understood,
        scope_for(actor, *KINDS[asked.tab]),
        filters,
        terms=terms,
        share=_SHARE,
        offset=offset,
        limit=PAGE,
    )


def keeper(session: Session, saved: SavedView) -> Actor | None:
    """Return who would see the results, or None when he no longer acts for the organisation."""
    return accounts.actor_for(session, saved.user_id, saved.organisation_id)


class Alerts:
    """The worker's rounds over the saved searches."""

    def __init__(self, index: SearchIndex, database: Database) -> None:
        self._index = index
        self._database = database

    def look(self, *, now: datetime, changed: bool) -> int:
        """Look at one batch of what is due; return how many new entries were found.

        ``changed`` tells that something has just become visible, so that what tells at once is
        due. A search that cannot be answered stays due and is tried again.
        """
        if changed:
            with self._database.transaction() as session:
                subscription_service.wake(session, now=now)
        with self._database.reading() as session:
            waiting = [
                (saved, keeper(session, saved))
                for saved in subscription_queries.due(session, now=now, limit=_BATCH)
            ]
        found = 0
        for saved, actor in waiting:
            try:
                names = self._found(saved, actor, now)
            except SearchUnavailable as away:
                log.warning("alerts.unavailable", reason=str(away))
                break
            with self._database.transaction() as session:
                found += subscription_service.note_found(
                    session, now=now, saved_search_id=saved.id, document_ids=names
                )
        return found

    def _found(self, saved: SavedView, actor: Actor | None, now: datetime) -> list[str]:
        """Return what is new, page by page, until a page holds nothing that is."""
        if actor is None:
            return []
        since = max(saved.saved_at, (saved.looked_at or saved.saved_at) - _BACK)
        asked = stated(saved.arguments)
        fresh: list[str] = []
        for offset in range(0, DEEPEST_OFFSET, PAGE):
            hits = newest(self._index, asked, actor, now=now, since=since, offset=offset)
            names = [hit.document.id for hit in hits]
            with self._database.reading() as session:
                known = subscription_queries.known_hits(session, saved.id, names)
            new = [name for name in names if name not in known]
            fresh += new
            if len(names) < PAGE or not new:
                break
        return fresh
