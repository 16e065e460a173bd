"""Reads of the published heads, and whether the chain still meets them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation import audit
from marketplace.foundation.db import Page, paginate
from marketplace.oversight.models import DailyHead


@dataclass(frozen=True)
class HeadView:
    """Where the chain stood at the end of a day."""

    day: date
    sequence: int
    digest: str
    published_at: datetime
    mailed_at: datetime | None


def page_of_heads(session: Session, *, after: str | None, size: int = 31) -> Page[HeadView]:
    """Read one page of published heads, the newest first."""
    page = paginate(session, select(DailyHead), keys=[DailyHead.day.desc()], after=after, size=size)
    return page.map(_view)


def latest_head(session: Session) -> HeadView | None:
    """Return the newest published head."""
    row = session.scalar(select(DailyHead).order_by(DailyHead.day.desc()).limit(1))
    return None if row is None else _view(row)


def head_from(session: Session, sequence: int) -> HeadView | None:
    """Return the first published head that covers a place of the chain."""
    row = session.scalar(
        select(DailyHead)
        .where(DailyHead.sequence >= sequence)
        .order_by(DailyHead.sequence, DailyHead.day)
        .limit(1)
    )
    return None if row is None else _view(row)


def broken_heads(session: Session) -> list[HeadView]:
    """List published heads that the chain does not meet any more: it was made anew.

    A chain whose every digest was computed again holds in itself; only what was published
    before tells.
    """
    rows = session.scalars(select(DailyHead).order_by(DailyHead.day))
    return [_view(row) for row in rows if audit.digest_at(session, row.sequence) != row.digest]


def _view(row: DailyHead) -> HeadView:
    return HeadView(row.day, row.sequence, row.digest, row.published_at, row.mailed_at)
