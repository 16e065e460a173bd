"""Keep the search index in step with the database: the worker writes, web processes read.

Changes are noted in the database by ``handlers`` in the event's own transaction. They are read
again by id and put in or taken out, so nothing is lost while the engine is away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from marketplace.discovery import queries
from marketplace.discovery.models import IndexChange
from marketplace.foundation.db import Database
from search import rebuild, text
from search.engine import UPDATED, Ask, Engine
from search.errors import IndexBroken, IndexMissing, SearchError, SearchUnavailable
from search.rebuild import Change, Report
from search.schema import VISIBILITIES, Document, Scope

_BATCH = 1000
# Enough to tell habits from subjects, and read within a request.
_SAMPLE = 300
# Another connection may still commit a change with a smaller number: go back a little.
_NUMBER_MARGIN = 1000
_KEEP = timedelta(days=3)
_LATE = timedelta(minutes=5)
_PURGE_EVERY = 3600.0
_CHECK_EVERY = 5.0

log = structlog.get_logger()

Builder = Callable[[Session, Sequence[int] | None], Iterator[Document]]


@dataclass(frozen=True)
class Source:
    """A kind of document and the function that builds all of them or those of some ids."""

    kind: str
    build: Builder


@dataclass(frozen=True)
class Difference:
    """What an index lacks, holds too much, or holds in another form than the database."""

    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    differing: tuple[str, ...]
    unfindable: tuple[str, ...]

    @property
    def none(self) -> bool:
        """Tell whether index and database agree."""
        return not (self.missing or self.surplus or self.differing or self.unfindable)


class SearchIndex:
    """The platform's index: an engine, and the sources that fill it."""

    def __init__(self, engine: Engine, database: Database, sources: Sequence[Source]) -> None:
        self.engine = engine
        self._database = database
        self._sources = {source.kind: source for source in sources}
        self._next_check = 0.0
        self._next_purge = 0.0
        self._common: tuple[str, frozenset[str]] | None = None

    @property
    def common(self) -> frozenset[str]:
        """Return the terms with which people ask, whatever for, by the newest of both kinds.

        Counted once per generation: they change with the habits of years, not of days.
        """
        generation = self.engine.generation() or ""
        if self._common is None or self._common[0] != generation:
            counted = text.boilerplate(self._newest("need"), self._newest("achievement"))
            self._common = generation, counted
        return self._common[1]

    def _newest(self, kind: str) -> list[str]:
        ask = Ask(scope=Scope(kinds=frozenset({kind})))
        hits = self.engine.search(ask, sort=UPDATED, limit=_SAMPLE).hits
        return [f"{hit.document.title} {hit.document.body}" for hit in hits]

    def keep_up(self, *, now: datetime) -> int:
        """Take in what changed, and make an index anew that is missing or cannot be opened.

        Return how many changes were taken in. An engine that is away leaves them for later.
        """
        try:
            if time.monotonic() >= self._next_check:
                self._next_check = time.monotonic() + _CHECK_EVERY
                self.ensure(now=now)
            done = 0
            while count := self._take_in(now):
                done += count
            self._purge(now)
            return done
        except SearchError as away:
            log.warning("search.unavailable", reason=str(away))
            return 0

    def ensure(self, *, now: datetime) -> Report | None:
        """Build the index where there is none in use or the one in use cannot be opened."""
        try:
            generation = self.engine.generation()
            if generation is not None:
                health = self.engine.health()
                if health.ok:
                    return None
                if health.away:
                    raise SearchUnavailable(health.reason)
        except (IndexMissing, IndexBroken):
            generation = None
        log.info("search.rebuilding", instead_of=generation)
        return self.rebuild(now=now)

    def complete(self, *, now: datetime) -> Report | None:
        """Build the index anew where it lacks a kind that the database has.

        So a version that indexes more than the one before finds all of it from its first start.
        """
        for kind, source in self._sources.items():
            scope = Scope(kinds=frozenset({kind}), visibilities=frozenset(VISIBILITIES))
            if self.engine.count(Ask(scope=scope)):
                continue
            with self._database.reading() as session:
                lacking = next(iter(source.build(session, None)), None)
            if lacking is not None:
                log.info("search.rebuilding", lacking=kind)
                return self.rebuild(now=now)
        return None

    def roll_back(self) -> str:
        """Take the generation before the one in use into use again, and catch up from there.

        What changed in the days for which changes are kept is replayed; ``check`` names whatever
        an older generation lacks beyond that. Return the generation's name.
        """
        name = rebuild.roll_back(self.engine)
        rebuild.replay(self.engine, self._changes_since(0))
        return name

    def rebuild(self, *, now: datetime) -> Report:
        """Build a new generation from the database and take it into use when it is whole."""
        with self._database.reading() as session:
            last = session.scalar(select(func.max(IndexChange.id))) or 0
        first = max(0, last - _NUMBER_MARGIN)
        return rebuild.rebuild(self.engine, self._all, changes=partial(self._changes_since, first))

    def check(self) -> Difference:
        """Compare the index with the database, document by document."""
        expected = {document.id: document for document in self._all()}
        held = set(self.engine.ids())
        differing = []
        for document in expected.values():
            scope = rebuild.scope_of(document)
            found = self.engine.get([document.id], scope).get(document.id)
            if document.id in held and (found is None or found.document != document):
                differing.append(document.id)
        return Difference(
            missing=tuple(sorted(set(expected) - held)),
            surplus=tuple(sorted(held - set(expected))),
            differing=tuple(differing),
            unfindable=tuple(rebuild.probe(self.engine, expected.values())),
        )

    def problems(self, *, now: datetime) -> list[str]:
        """Say in words for the operator what is wrong with the index; nothing where all is well."""
        health = self.engine.health()
        if health.away:
            return [f"search: {health.reason}; does the server at SEARCH_URL run?"]
        if not health.ok:
            return [f"search: {health.reason}; run `marketplace search rebuild`"]
        with self._database.reading() as session:
            waiting = queries.waiting_changes(session)
        if waiting.since is not None and now - waiting.since > _LATE:
            return [
                f"search: {waiting.count} changes wait since {waiting.since}; "
                "is `marketplace worker` running?"
            ]
        return [f"search: {health.reason}"] if health.reason else []

    def _all(self) -> Iterator[Document]:
        with self._database.reading() as session:
            for source in self._sources.values():
                yield from source.build(session, None)

    def _take_in(self, now: datetime) -> int:
        with self._database.reading() as session:
            rows = session.execute(
                select(IndexChange.id, IndexChange.document_id)
                .where(IndexChange.indexed_at.is_(None))
                .order_by(IndexChange.id)
                .limit(_BATCH)
            ).all()
        if not rows:
            return 0
        rebuild.replay(self.engine, self._read_again({name for _, name in rows}))
        with self._database.transaction() as session:
            session.execute(
                update(IndexChange)
                .where(IndexChange.id.in_([change_id for change_id, _ in rows]))
                .values(indexed_at=now)
            )
        return len(rows)

    def _changes_since(self, first: int) -> Iterator[Change]:
        with self._database.reading() as session:
            names = session.scalars(
                select(IndexChange.document_id).where(IndexChange.id > first).distinct()
            ).all()
        yield from self._read_again(names)

    def _read_again(self, document_ids: Iterable[str]) -> Iterator[Change]:
        """Read documents from the database; those that nobody may find any more are gone."""
        wanted: dict[str, set[int]] = {}
        for document_id in document_ids:
            kind, _, digits = document_id.partition(":")
            wanted.setdefault(kind, set()).add(int(digits))
        with self._database.reading() as session:
            for kind, numbers in wanted.items():
                found: dict[str, Document] = {}
                if kind in self._sources:
                    built = self._sources[kind].build(session, sorted(numbers))
                    found = {document.id: document for document in built}
                for number in sorted(numbers):
                    yield Change(f"{kind}:{number}", found.get(f"{kind}:{number}"))

    def stored(self, document_ids: Iterable[str]) -> dict[str, Document]:
        """Return documents as the database holds them now; without what nobody may find."""
        changes = self._read_again(document_ids)
        return {each.document.id: each.document for each in changes if each.document is not None}

    def _purge(self, now: datetime) -> None:
        if time.monotonic() < self._next_purge:
            return
        self._next_purge = time.monotonic() + _PURGE_EVERY
        with self._database.transaction() as session:
            session.execute(delete(IndexChange).where(IndexChange.indexed_at < now - _KEEP))
