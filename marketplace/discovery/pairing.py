"""Find the pairs of the match desk beforehand, so that no page of it computes a match.

The worker finds them, a few in each round; the pages read what it has stored.
"""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import func, select

from marketplace.discovery import pairing_service
from marketplace.discovery.desk_models import PairingDue
from marketplace.discovery.finding import Finder, MatchList
from marketplace.discovery.indexing import SearchIndex
from marketplace.discovery.pairing_service import Due
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import NotFound
from marketplace.needs import queries as needs

log = structlog.get_logger()

# A round of the worker must stay short: bidding sessions wait for the next one.
_BATCH = 5
_BEST = 5
# More changed achievements than this are a bulk: then all open needs are looked at once.
_MANY = 50
# What every verified broker may find; nobody's verdicts are his.
_READER = Actor(0, None, frozenset({Role.BROKER}), verified=True)


class Pairing:
    """The worker's rounds over needs and achievements whose pairs have to be found again."""

    def __init__(self, index: SearchIndex, database: Database) -> None:
        self._index = index
        self._database = database

    def work(self, *, now: datetime) -> int:
        """Do one batch of what is due; return how much was done, 0 when the engine is away."""
        with self._database.reading() as session:
            bulk = session.scalar(
                select(func.count()).where(PairingDue.document_id.startswith("achievement:"))
            )
            rows = session.scalars(
                select(PairingDue)
                .order_by(PairingDue.asked_at, PairingDue.document_id)
                .limit(_BATCH)
            )
            batch = [Due(row.document_id, row.asked_at) for row in rows]
        if (bulk or 0) > _MANY:
            with self._database.transaction() as session:
                pairing_service.sweep(session, now=now)
            return 1
        done = 0
        for due in batch:
            finished = self._need(due, now) if due.is_need else self._achievement(due, now)
            if not finished:
                log.warning("pairing.unavailable", document=due.document_id)
                break
            done += 1
        return done

    def _need(self, due: Due, now: datetime) -> bool:
        need_id = due.record_id
        with self._database.reading() as session:
            try:
                content = needs.get_for(session, _READER, need_id).content
                finder = Finder(self._index, session, _READER, now)
                found = finder.of_need(need_id, indicators=content.indicators, limit=_BEST)
            except NotFound:
                found = MatchList(())
        if found.down:
            return False
        others = [f"achievement:{match.achievement_id}" for match in found.matches]
        documents = self._index.stored([due.document_id, *others])
        with self._database.transaction() as session:
            pairing_service.store(
                session, now=now, need_id=need_id, matches=found.matches, documents=documents
            )
            pairing_service.done_with(session, due)
        return True

    def _achievement(self, due: Due, now: datetime) -> bool:
        with self._database.reading() as session:
            finder = Finder(self._index, session, _READER, now)
            found = finder.of_achievement(due.record_id, limit=_BEST)
        if found.down:
            return False
        with self._database.transaction() as session:
            pairing_service.spread(
                session,
                now=now,
                achievement_id=due.record_id,
                need_ids=[match.need_id for match in found.matches],
            )
            pairing_service.done_with(session, due)
        return True
