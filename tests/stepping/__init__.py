"""Tells in which states of its object an action is open: each state is set, each action sent.

An object is led to its last state through the services, so that nothing but the state closes an
action. What happened is undone before the next state is set.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from marketplace import wiring
from marketplace.app import create_app
from marketplace.foundation.access import Actor
from marketplace.foundation.clock import Clock
from marketplace.foundation.db import Database
from marketplace.foundation.words import Word
from marketplace.settings import Settings
from tests.conftest import START, Browser, MovableClock
from tests.counting import Counter
from tests.world import World


@dataclass
class Site:
    """The application with its database, its clock and its folder of attachments."""

    client: Browser
    world: World
    now: datetime
    folder: Path

    @property
    def clock(self) -> MovableClock:
        """Return the clock that the application reads."""
        clock = self.client.application.extensions["resources"][Clock]
        assert isinstance(clock, MovableClock)
        return clock


class Shared:
    """An application over a database that is emptied for each walk: to build one takes long."""

    def __init__(self, folder: Path, empty: bytes) -> None:
        path = folder / "market.db"
        path.write_bytes(empty)
        self._database = Database(f"sqlite:///{path}")
        self._clock = MovableClock(START)
        settings = Settings(data_dir=folder, secret_key="states-" + "x" * 32)
        services = wiring.build(settings, database=self._database, clock=self._clock)
        app = create_app(services)
        app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
        app.test_client_class = Browser
        self._app, self._folder = app, folder / "attachments"
        self._empty = Copy(self._database)

    def anew(self, now: datetime) -> Site:
        """Return the site as it is before anything happens."""
        self._empty.put_back()
        self._clock.moment = now
        client = self._app.test_client()
        assert isinstance(client, Browser)
        client.database = self._database
        return Site(client, World(self._database, now), now, self._folder)

    def close(self) -> None:
        """Let go of the database."""
        self._empty.close()
        self._database.engine.dispose()


@dataclass
class Act:
    """An action as it is sent: where, by whom, with what; files are made anew for each sending.

    ``body`` may depend on the state that was set.
    """

    path: str
    actor: Actor
    body: dict[str, Any] | Callable[[Any], dict[str, Any]] = field(default_factory=dict)


@dataclass
class Walk:
    """One object in each of its states, and the actions by their endpoints.

    ``put`` sets a state that is not one column's value. ``measure`` tells whether an action
    changed something, where a refusal leaves a row in the audit too.
    """

    table: str
    column: str
    states: type[Word]
    acts: dict[str, Act | tuple[Act, ...]]
    row: int = 1
    put: Callable[[Connection, Any], None] | None = None
    measure: Callable[[Counter], Any] = Counter.changes

    def set(self, connection: Connection, state: Word) -> None:
        """Set the state of the object, whatever else the row would need for it."""
        if self.put is not None:
            self.put(connection, state)
            return
        connection.execute(
            text(f"UPDATE {self.table} SET {self.column} = :state WHERE id = :id"),
            {"state": state.value, "id": self.row},
        )


class Copy:
    """The database as it stood, put back after each action that changed it."""

    def __init__(self, database: Database) -> None:
        self._live = sqlite3.connect(str(database.engine.url.database))
        self._kept = sqlite3.connect(":memory:")
        self._live.backup(self._kept)

    def put_back(self) -> None:
        """Undo all that happened since."""
        self._kept.backup(self._live)

    def close(self) -> None:
        """Let go of both."""
        self._live.close()
        self._kept.close()


class Steps:
    """The findings of one walk: where each action was open, and refusals without a word."""

    def __init__(self, site: Site, walk: Walk) -> None:
        self._client, self._walk = site.client, walk
        self._cookies: dict[tuple[int | None, int | None], Any] = {}
        for acts in walk.acts.values():
            for act in acts if isinstance(acts, tuple) else (acts,):
                self._sign_in(act.actor)
        self._copy = Copy(site.client.database)
        self._counter = Counter(site.client.database)
        self.silent: list[str] = []
        self.open_in = {
            endpoint: {
                state.value
                for state in walk.states
                for act in (acts if isinstance(acts, tuple) else (acts,))
                if self._opens(endpoint, act, state)
            }
            for endpoint, acts in walk.acts.items()
        }
        self._copy.close()

    def _sign_in(self, actor: Actor) -> None:
        """Sign somebody in before the copy is made, so that it is done once."""
        key = (actor.user_id, actor.organisation_id)
        if key not in self._cookies:
            self._client.sign_in_as(actor)
            with self._client.session_transaction() as cookie:
                self._cookies[key] = dict(cookie)

    def _opens(self, endpoint: str, act: Act, state: Word) -> bool:
        with self._client.database.engine.begin() as connection:
            # What a state brings with it (a day, a sum) has no say in whether an action is open.
            connection.execute(text("PRAGMA ignore_check_constraints = ON"))
            self._walk.set(connection, state)
            connection.execute(text("PRAGMA ignore_check_constraints = OFF"))
        with self._client.session_transaction() as cookie:
            cookie.clear()
            cookie.update(self._cookies[act.actor.user_id, act.actor.organisation_id])
        before = self._walk.measure(self._counter)
        body = act.body(state) if callable(act.body) else act.body
        answer = self._client.post(act.path, data=body)
        assert answer.status_code < 500, f"{endpoint} in {state.value}: {answer.text}"
        if self._walk.measure(self._counter) != before:
            self._copy.put_back()
            return True
        with self._client.session_transaction() as cookie:
            said = answer.status_code >= 400 or "_flashes" in cookie
        if not said:
            self.silent.append(f"{endpoint} in {state.value}")
        return False
