"""The database: typed base class, sessions, locks and keyset paging.

SQLite (WAL) and PostgreSQL are equals. Services receive a session and never commit; the entry
point opens ``Database.transaction()`` around one use case.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Annotated, Any, Generic, TypeVar

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    DateTime,
    MetaData,
    Select,
    TypeDecorator,
    UnaryExpression,
    and_,
    create_engine,
    event,
    func,
    or_,
    select,
    text,
)
from sqlalchemy import Enum as SqlEnum
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection, Dialect, Engine, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql import operators

from marketplace.foundation.errors import NotFound, RuleBroken
from marketplace.foundation.money import Fen

# A connection used within this time is taken to be alive.
RESTED_SECONDS = 2.0

Id = Annotated[int, mapped_column(primary_key=True)]
Json = Annotated[Any, mapped_column(JSON().with_variant(JSONB(), "postgresql"))]


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, stored in UTC, also where the database knows no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored moment must carry its time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _values(enumeration: type[Enum]) -> list[str]:
    return [str(member.value) for member in enumeration]


class Base(DeclarativeBase):
    """The base of every table."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 -- SQLAlchemy reads this plain class attribute
        datetime: UtcDateTime(),
        Fen: BigInteger(),
        # Stored by value and without a native type: PostgreSQL would store member names (trap 14).
        Enum: SqlEnum(
            Enum, native_enum=False, length=40, values_callable=_values, validate_strings=True
        ),
    }


class TransactionSession(Session):
    """A session whose work is committed by ``Database.transaction`` and by nobody else."""


class QuestionSession(Session):
    """A session without a transaction: what is changed in it could not be taken back."""


@event.listens_for(QuestionSession, "before_flush")
def _refuse_to_store(*_: Any) -> None:
    raise RuntimeError("questions are asked outside of a transaction: nothing is stored with them")


class Database:
    """One database by URL: ``sqlite:///…`` or ``postgresql+psycopg://…``."""

    def __init__(self, url: str, *, pool_size: int = 20) -> None:
        parsed = make_url(url)
        if parsed.drivername in ("postgres", "postgresql"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite":
            self.engine = create_engine(parsed, connect_args={"timeout": 30})
            _speak_sqlite(self.engine)
        else:
            self.engine = create_engine(parsed, pool_size=pool_size, max_overflow=pool_size)
            _ask_after_rest(self.engine)
        self._reading = sessionmaker(self.engine, autoflush=False)
        self._asking = sessionmaker(
            self.engine
            if self.engine.dialect.name == "sqlite"
            else self.engine.execution_options(isolation_level="AUTOCOMMIT"),
            class_=QuestionSession,
            autoflush=False,
        )
        self._writing = sessionmaker(
            self.engine.execution_options(begin_immediate=True),
            class_=TransactionSession,
            expire_on_commit=False,
        )

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session to read with; what is changed in it is thrown away."""
        with self._reading() as session:
            yield session

    @contextmanager
    def asking(self) -> Iterator[Session]:
        """Open a session for questions that stand alone, each one statement.

        On PostgreSQL no transaction is begun and ended around them: two round trips less, which in
        a rush cost more than the questions. Nothing can be stored through it.
        """
        with self._asking() as session:
            yield session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a session around one use case; commit at the end, roll back on any error."""
        with self._writing() as session, session.begin():
            yield session

    def answers(self) -> bool:
        """Tell whether the database can be reached and answers."""
        try:
            with self.reading() as session:
                session.execute(text("SELECT 1"))
        except DBAPIError:
            return False
        return True

    def open_reading(self) -> Session:
        """Open a read session that the caller closes, for the length of a request."""
        return self._reading()


def _ask_after_rest(engine: Engine) -> None:
    """Ask a connection whether it still lives only when it has rested: a page takes up to three.

    A server that goes away ends all connections at once; the first error empties the pool.
    """

    @event.listens_for(engine, "checkin")
    def rest(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ask(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("rests_since", time.monotonic()) < RESTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as gone:
            raise DisconnectionError() from gone


def _speak_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: Any, _entry: ConnectionPoolEntry) -> None:
        # We emit BEGIN ourselves: the driver's own habit starts transactions too late to lock.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # an acknowledged bid survives a power cut
            "foreign_keys=ON",
            "busy_timeout=30000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the lock at once: upgrading a read lock later fails without waiting.
        immediate = connection.get_execution_options().get("begin_immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


Row = TypeVar("Row", bound=Base)


def hold(session: Session, name: str) -> None:
    """Let one transaction at a time go on with what has this name, where no row can be locked.

    On SQLite there is one writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        session.execute(select(func.pg_advisory_xact_lock(number)))


def lock(session: Session, model: type[Row], row_id: int) -> Row:
    """Load one row and hold it until the transaction ends; raise ``NotFound`` when missing."""
    row = session.get(model, row_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound()
    return row


def ensure_row(session: Session, model: type[Base], **values: Any) -> None:
    """Insert a row unless one with the same key stands there, also while others try the same."""
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    session.execute(insert(model).values(**values).on_conflict_do_nothing())


def ensure_rows(session: Session, model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert several rows at once, passing over those whose keys stand there."""
    if rows:
        insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
        session.execute(insert(model).on_conflict_do_nothing(), list(rows))


Item = TypeVar("Item")
Other = TypeVar("Other")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page of a list and the token of the next, ``None`` at the end."""

    items: list[Item]
    next_token: str | None

    def map(self, change: Callable[[Item], Other]) -> Page[Other]:
        """Return the same page with every item changed."""
        return Page([change(item) for item in self.items], self.next_token)


# Digits: more than any table has rows, and a database still counts with them.
_LONGEST_ID = 9


def written_id(text: str) -> int | None:
    """Read an id as somebody wrote it; None for anything that no row can bear."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID else None


def paginate(
    session: Session,
    statement: Select[Row],
    *,
    keys: Sequence[UnaryExpression[Any]],
    after: str | None,
    size: int = 20,
) -> Page[Row]:
    """Read one page by keyset: no page is skipped or shown twice while rows come and go.

    ``keys`` are ``Model.column.desc()`` or ``.asc()``; the last must be unique and none may be
    NULL. ``after`` is the token of the page before; a forged one raises ``RuleBroken``.
    """
    if after:
        statement = statement.where(_beyond(keys, _read_token(after, len(keys))))
    rows = list(session.scalars(statement.order_by(*keys).limit(size + 1)))
    if len(rows) <= size:
        return Page(rows, None)
    last = rows[size - 1]
    values = [getattr(last, _column(key).key or "") for key in keys]
    return Page(rows[:size], _write_token(values))


def _column(key: UnaryExpression[Any]) -> ColumnElement[Any]:
    return key.element


def _beyond(keys: Sequence[UnaryExpression[Any]], values: list[Any]) -> ColumnElement[bool]:
    steps = []
    for position, key in enumerate(keys):
        column = _column(key)
        value = values[position]
        further = column < value if key.modifier is operators.desc_op else column > value
        same = [_column(k) == v for k, v in zip(keys[:position], values[:position], strict=True)]
        steps.append(and_(*same, further))
    # Said twice on purpose: by an alternative alone no database finds its place in an index.
    column, value = _column(keys[0]), values[0]
    within = column <= value if keys[0].modifier is operators.desc_op else column >= value
    return and_(within, or_(*steps))


def _write_token(values: list[Any]) -> str:
    tagged = [
        {"t": value.isoformat()}
        if isinstance(value, datetime)
        else {"d": value.isoformat()}
        if isinstance(value, date)
        else {"v": value}
        for value in values
    ]
    return base64.urlsafe_b64encode(json.dumps(tagged).encode()).decode().rstrip("=")


def _read_token(token: str, length: int) -> list[Any]:
    try:
        padded = token + "=" * (-len(token) % 4)
        tagged = json.loads(base64.urlsafe_b64decode(padded))
        values = [
            datetime.fromisoformat(entry["t"])
            if "t" in entry
            else date.fromisoformat(entry["d"])
            if "d" in entry
            else entry["v"]
            for entry in tagged
        ]
        if len(values) != length:
            raise ValueError(length)
        return values
    except (ValueError, KeyError, TypeError) as broken:
        raise RuleBroken("paging.token", "翻页位置无效，请从第一页重新打开") from broken
