"""What a view asks of its request: who, when, a session to read, a transaction to write.

``submit`` and ``act`` run one use case in one transaction, once for each submission key: a double
click, a repeated POST or the way back in the browser creates nothing a second time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, current_app, flash, g, redirect, request
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column
from werkzeug.routing import IntegerConverter
from werkzeug.wrappers import Response as BaseResponse

from marketplace.foundation import audit
from marketplace.foundation.access import ANONYMOUS, Actor
from marketplace.foundation.clock import Clock
from marketplace.foundation.db import Base, Database
from marketplace.foundation.errors import DomainError, NotFound
from marketplace.foundation.group_commit import GroupCommit
from marketplace.foundation.web.forms import Form

SUBMISSION_KEY = "submission_key"
_KEEP_SUBMISSIONS = timedelta(days=2)

# The largest number that a column of ids holds; PostgreSQL refuses to compare with a larger one.
_LARGEST_ID = 2**31 - 1

Thing = TypeVar("Thing")
Resources = Mapping[type[Any], Any]


class Submission(Base):
    """A form that was carried out, and where it led."""

    __tablename__ = "foundation_submissions"

    key: Mapped[str] = mapped_column(primary_key=True)
    target: Mapped[str]
    carried_out_at: Mapped[datetime] = mapped_column(index=True)


class IdConverter(IntegerConverter):
    """The number of a row in an address; one that no row can have is no page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max": _LARGEST_ID, **kwargs})


def install(app: Flask, resources: Resources) -> None:
    """Hand the application what was wired once; ``Database`` and ``Clock`` are required."""
    app.extensions["resources"] = dict(resources)
    app.url_map.converters["int"] = IdConverter

    @app.teardown_appcontext
    def close(_error: BaseException | None) -> None:
        opened = g.pop("read_session", None)
        if opened is not None:
            opened.close()


def bound_text(app: Flask, most: int) -> None:
    """Refuse a body without files that is longer than ``most`` bytes; it is read all at once."""

    @app.before_request
    def bound() -> None:
        if request.mimetype != "multipart/form-data":
            request.max_content_length = most


def resource(kind: type[Thing]) -> Thing:
    """Return the one thing of a kind that the composition root has wired."""
    return cast(Thing, current_app.extensions["resources"][kind])


def now() -> datetime:
    """Return the moment of this request, the same throughout it."""
    if "now" not in g:
        # mypy: a Protocol is a fine key although it cannot be instantiated
        clock: Clock = current_app.extensions["resources"][Clock]
        g.now = clock.now()
    return cast(datetime, g.now)


def actor() -> Actor:
    """Return who is acting; accounts puts it into ``g`` before each request."""
    return cast(Actor, g.get("actor", ANONYMOUS))


def session() -> Session:
    """Return the request's session for reading."""
    if "read_session" not in g:
        g.read_session = resource(Database).open_reading()
    return cast(Session, g.read_session)


@contextmanager
def transaction() -> Iterator[Session]:
    """Open the one transaction of this request; the read session starts afresh afterwards."""
    opened = g.pop("read_session", None)
    if opened is not None:
        opened.close()
    with resource(Database).transaction() as writing:
        audit.come_from(writing, request.remote_addr or "")
        yield writing


def write_with_others(write: Callable[[Session], None]) -> None:
    """Do a small write in one transaction with those of other requests; see ``GroupCommit``."""
    origin = request.remote_addr or ""

    def from_here(writing: Session) -> None:
        audit.come_from(writing, origin)
        write(writing)

    resource(GroupCommit).carry_out(from_here)


def submit(form: Form, use_case: Callable[[Session], str]) -> BaseResponse | None:
    """Carry out a form and redirect to the URL the use case returns.

    A refusal is put on the form, beside its fields, and None is returned: render the page again.
    """
    try:
        return redirect(_once(use_case), 303)
    except NotFound:
        raise
    except DomainError as refusal:
        form.take(refusal)
        g.refusal = refusal  # the frame shows it where the page has no place for the form any more
        return None


def refused(code: str) -> bool:
    """Tell whether ``submit`` put this refusal on the form of the request."""
    refusal = g.get("refusal")
    return isinstance(refusal, DomainError) and refusal.code == code


def act(use_case: Callable[[Session], str], *, back: str) -> BaseResponse:
    """Carry out a one-button act; a refusal is shown as a message on the page it came from."""
    try:
        return redirect(_once(use_case), 303)
    except NotFound:
        raise
    except DomainError as refusal:
        for problem in refusal.problems:
            flash(problem.message, "danger")
        return redirect(back, 303)


def carried_out_before() -> str | None:
    """Return where the form of this request led when it was carried out, or None.

    What the first click changed may no longer be found by the second one.
    """
    sent = request.form.get(SUBMISSION_KEY, "") if request.method == "POST" else ""
    return _carried_out(_key(sent)) if sent else None


def _key(sent: str) -> str:
    # A key counts for one person on one page: it opens no way into what somebody else sent.
    scope = f"{sent}\n{actor().user_id}\n{request.path}"
    return hashlib.sha256(scope.encode()).hexdigest()


def _once(use_case: Callable[[Session], str]) -> str:
    sent = request.form.get(SUBMISSION_KEY, "")
    if not sent:
        with transaction() as writing:
            return use_case(writing)
    key = _key(sent)
    moment = now()
    done = _carried_out(key)
    if done is not None:
        return done
    try:
        with transaction() as writing:
            # The key first: a second click waits here for the first one's commit, then fails.
            row = Submission(key=key, target="", carried_out_at=moment)
            writing.add(row)
            writing.flush()
            row.target = use_case(writing)
            writing.execute(
                delete(Submission).where(Submission.carried_out_at < moment - _KEEP_SUBMISSIONS)
            )
            return row.target
    except IntegrityError:
        done = _carried_out(key)
        if done is None:
            raise
        return done


def _carried_out(key: str) -> str | None:
    with resource(Database).reading() as reading:
        row = reading.get(Submission, key)
        return None if row is None else row.target


def argument(name: str, default: str = "", *, longest: int = 400) -> str:
    """Return a query argument as text, without control characters, cut to ``longest``."""
    value = request.args.get(name, default)
    return "".join(c for c in value if c.isprintable())[:longest].strip()


def local_next(fallback: str) -> str:
    """Return the ``next`` target when it stays on this host, else the fallback."""
    target = request.values.get("next", "")
    parts = urlsplit(target)
    inside = not parts.scheme and not parts.netloc and target.startswith("/")
    return target if inside and not target.startswith(("//", "/\\")) else fallback
