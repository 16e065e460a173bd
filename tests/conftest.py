"""Fixtures of all tests: databases, a clock, the application and a world to act in."""

from __future__ import annotations

import fcntl
import re
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import event, text
from sqlalchemy.orm import Session
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from marketplace import wiring
from marketplace.accounts import sign_in, tokens
from marketplace.app import create_app
from marketplace.foundation import audit
from marketplace.foundation.access import Actor
from marketplace.foundation.audit_actions import code_label
from marketplace.foundation.clock import LOCAL, SystemClock
from marketplace.foundation.db import Base, Database, TransactionSession
from marketplace.foundation.words import Word
from marketplace.settings import Settings
from tests import beside, demo
from tests.counting import Counter
from tests.identity import Site
from tests.postgres import Cluster, empty
from tests.world import World

# No test is timed: what takes how long depends on who else uses the machine.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

START = datetime(2024, 3, 15, 9, 0, tzinfo=LOCAL)

# Housekeeping, projections and queues: written without anybody having decided anything.
UNAUDITED = ("foundation_", "accounts_sessions", "accounts_sign_in_failures",
             "accounts_pending_sign_ins", "accounts_known_devices", "accounts_mailed_links",
             "accounts_used_challenges",
             "notifications_",
             "statistics_", "discovery_")  # fmt: skip


@pytest.fixture(autouse=True)
def every_change_is_audited() -> Iterator[None]:
    """Fail the commit of a domain row that changed without an audit row in the transaction."""

    def note(session: Session, _context: Any, _instances: Any) -> None:
        changed = [*session.new, *session.dirty, *session.deleted]
        names = {
            row.__tablename__ for row in changed if session.is_modified(row) or row in session.new
        }
        names |= {row.__tablename__ for row in session.deleted}
        session.info.setdefault("changed", set()).update(
            name for name in names if not name.startswith(UNAUDITED)
        )

    def check(session: Session) -> None:
        session.flush()
        changed = session.info.pop("changed", set())
        assert not changed or audit.pending_count(session), f"unaudited change of {changed}"

    event.listen(TransactionSession, "before_flush", note)
    event.listen(TransactionSession, "before_commit", check, insert=True)
    yield
    event.remove(TransactionSession, "before_flush", note)
    event.remove(TransactionSession, "before_commit", check)


@pytest.fixture(autouse=True)
def every_recorded_word_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where the audit's page would not say a recorded word of the trade by its label."""
    record = audit.record

    def check(session: Session, *, action: str, **told: Any) -> None:
        for side in ("before", "after"):
            for field, value in (told.get(side) or {}).items():
                listed = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
                for word in listed:
                    if isinstance(word, Word):
                        said = code_label(action, field, word.value)
                        assert said == word.label, f"{action}, {field}: {word!r} reads {said}"
        record(session, action=action, **told)

    monkeypatch.setattr(audit, "record", check)


@pytest.fixture(scope="session", autouse=True)
def thorough_hasher() -> Iterator[PasswordHasher]:
    """The product's own hasher of passwords, for whose tenth of a second no test waits."""
    thorough, tokens.HASHER = tokens.HASHER, PasswordHasher(1, 8, 1)
    yield thorough
    tokens.HASHER = thorough


@pytest.fixture(scope="session", autouse=True)
def compiled_templates(shared_folder: Path) -> Iterator[None]:
    """Compile each template once for the run: nearly every test makes an application of its own."""
    folder = shared_folder / "templates"
    folder.mkdir(exist_ok=True)
    options = Flask.jinja_options
    Flask.jinja_options = {**options, "bytecode_cache": FileSystemBytecodeCache(str(folder))}
    yield
    Flask.jinja_options = options


@pytest.fixture(scope="session", autouse=True)
def compiled_addresses() -> Iterator[None]:
    """Compile the builder of each address once: 500 rules take longer than most tests."""
    compile_builder, builders = Rule._compile_builder, dict[Any, Any]()

    def compile_once(rule: Rule, append_unknown: bool = True) -> Any:
        # A builder asks the rule it is bound to for its converters when it is called.
        known = (rule.rule, rule.merge_slashes, repr(rule.defaults), append_unknown)
        if known not in builders:
            builders[known] = compile_builder(rule, append_unknown)
        return builders[known]

    Rule._compile_builder = compile_once
    yield
    Rule._compile_builder = compile_builder


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One PostgreSQL cluster for the whole run."""
    started = Cluster()
    yield started
    started.stop()


@pytest.fixture(scope="session")
def postgresql_database(cluster: Cluster, worker_id: str) -> Iterator[Database]:
    """One PostgreSQL database with the schema of the models."""
    opened = Database(cluster.create(f"market_{worker_id}"), pool_size=60)
    Base.metadata.create_all(opened.engine)
    yield opened
    opened.engine.dispose()


@pytest.fixture(scope="session")
def sqlite_schema(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An empty SQLite database with the schema of the models, as bytes."""
    path = tmp_path_factory.mktemp("schema") / "empty.db"
    made = Database(f"sqlite:///{path}")
    Base.metadata.create_all(made.engine)
    with made.engine.begin() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    made.engine.dispose()
    return path.read_bytes()


@pytest.fixture
def sqlite_database(tmp_path: Path, sqlite_schema: bytes) -> Iterator[Database]:
    """An empty SQLite database."""
    path = tmp_path / "market.db"
    path.write_bytes(sqlite_schema)
    opened = Database(f"sqlite:///{path}")
    # The product waits for the disk at every commit; no test cuts the power.
    event.listen(opened.engine, "connect", lambda dbapi, _: dbapi.execute("PRAGMA synchronous=OFF"))
    yield opened
    opened.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_database")
        return
    opened: Database = request.getfixturevalue("postgresql_database")
    yield opened
    empty(opened.engine, Base.metadata)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of this run see."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


def once(folder: Path, name: str, make: Callable[[Path], None]) -> Path:
    """Make something in the shared folder, by whichever worker comes first."""
    place = folder / name
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            scratch = folder / f"{name}.being-made"
            make(scratch)
            scratch.replace(place)
    return place


@pytest.fixture(scope="session")
def demo_folder(shared_folder: Path) -> Path:
    """A folder with the demo as this process loaded it, to be copied and never changed."""

    def make(place: Path) -> None:
        place.mkdir()
        demo.load_here(place)

    return once(shared_folder, "demo", make)


@pytest.fixture(scope="session")
def commanded_demo_folder(shared_folder: Path) -> Path:
    """A folder with the demo as the command loaded it, to be copied and never changed."""

    def make(place: Path) -> None:
        place.mkdir()
        demo.load_by_command(place)

    return once(shared_folder, "commanded-demo", make)


class MovableClock:
    """A clock that stands until a test moves it."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """Return the moment it stands at."""
        return self.moment

    def forward(self, **amount: float) -> datetime:
        """Move it forward by a timedelta's arguments and return the new moment."""
        self.moment += timedelta(**amount)
        return self.moment


@pytest.fixture
def now() -> datetime:
    """The moment at which tests begin."""
    return START


@pytest.fixture
def clock(now: datetime) -> MovableClock:
    """A clock that a test moves."""
    return MovableClock(now)


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    """A builder of organisations and members on each database."""
    return World(database, now)


@pytest.fixture
def services(sqlite_database: Database, clock: MovableClock, tmp_path: Path) -> wiring.Services:
    """All services on SQLite with a movable clock."""
    settings = Settings(data_dir=tmp_path, secret_key="test-key-" + "x" * 32)
    return wiring.build(settings, database=sqlite_database, clock=clock)


@pytest.fixture
def app(services: wiring.Services) -> Flask:
    """The application, without CSRF tokens: their own test switches them on."""
    made = create_app(services)
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    return made


@pytest.fixture
def page_world(sqlite_database: Database, now: datetime) -> World:
    """A builder on the database that the application uses."""
    return World(sqlite_database, now)


_KEPT_WHOLE = re.compile('<span class="nb">([^<]*)</span>')


class Browser(FlaskClient):
    """A test client that can sign in as any actor and settle what happens afterwards.

    It reads a page as a person does: what keeps a figure on one line is no part of the words.
    """

    database: Database

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request and return what a person reads of the answer."""
        answer = super().open(*args, **kwargs)
        if answer.mimetype == "text/html":
            answer.set_data(_KEPT_WHOLE.sub(r"\1", answer.get_data(as_text=True)))
        return answer

    def sign_in_as(self, actor: Actor) -> None:
        """Open a session for the actor."""
        with self.database.transaction() as session:
            token = sign_in.open_session(
                session,
                now=SystemClock().now(),
                user_id=actor.user_id or 0,
                address="127.0.0.1",
                device="test",
                second_factor=True,
            )
        with self.session_transaction() as cookie:
            cookie.clear()
            cookie["_user_id"] = token
            cookie["_fresh"] = True

    def sign_out(self) -> None:
        """Forget the session."""
        with self.session_transaction() as cookie:
            cookie.clear()

    def send(self, path: str, **form: Any) -> TestResponse:
        """Post a form and return the response without following it."""
        return self.post(path, data=form)

    def click_twice(self, path: str, **form: Any) -> TestResponse:
        """Post a form as a double click does; fail unless the second click changed nothing.

        Returns the first response, which must lead on to the page that the second one leads to.
        """
        form.setdefault("submission_key", f"clicked-{path}")
        counter = Counter(self.database)
        changes = counter.changes()
        first = self.send(path, **form)
        assert first.status_code == 303, first.get_data(as_text=True)
        rows, after = counter.rows(), counter.changes()
        assert after > changes, f"the click on {path} changed nothing"
        second = self.send(path, **form)
        assert (counter.rows(), counter.changes()) == (rows, after)
        assert (second.status_code, second.location) == (303, first.location)
        return first


@pytest.fixture
def client(app: Flask, sqlite_database: Database) -> Browser:
    """A client of the application."""
    app.test_client_class = Browser
    made = app.test_client()
    assert isinstance(made, Browser)
    made.database = sqlite_database
    return made


@pytest.fixture
def settle(services: wiring.Services, clock: MovableClock) -> Any:
    """Deliver the outbox and do what is due, as the worker would, until all is quiet."""

    def run() -> None:
        for _ in range(20):
            done = services.due.run(services.database, now=clock.now())
            done += services.outbox.deliver_due(services.database, now=clock.now())
            if done == 0:
                return
        raise AssertionError("the outbox never becomes quiet")

    return run


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    """The application outside of the demo, with a wall clock that stands."""
    return Site(sqlite_database, World(sqlite_database, START), tmp_path, START)


def pytest_unconfigure() -> None:
    """Say last of all which programs were not tried, and why."""
    for name, reason in beside.untried.items():
        sys.stdout.write(f"{name.capitalize()} was not tried: {reason}\n")
