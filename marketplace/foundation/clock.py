"""The time, asked for at the edge and passed inwards: no rule or service reads a clock."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy import CheckConstraint, inspect, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace.foundation.db import Base, Database
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.local_time import LOCAL, local_date, local_midnight

__all__ = [
    "DEMO_START",
    "LOCAL",
    "Clock",
    "DemoClock",
    "DemoClockRow",
    "SystemClock",
    "advance_demo",
    "demo_started",
    "local_date",
    "local_midnight",
    "start_demo",
]

DEMO_START = datetime(2024, 3, 15, 9, 0, tzinfo=LOCAL)


class Clock(Protocol):
    """Tells the present moment, aware, in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)


class DemoClockRow(Base):
    """The demo's distance from the system clock; a database without this row is no demo."""

    __tablename__ = "foundation_demo_clock"
    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    offset_seconds: Mapped[int]


def start_demo(session: Session, *, at: datetime = DEMO_START) -> None:
    """Set the demo clock to ``at``; the clock must not have been started before."""
    if session.get(DemoClockRow, 1) is not None:
        raise Conflict("clock.started", "演示时钟已经启动，只能向前拨")
    session.add(DemoClockRow(id=1, offset_seconds=_seconds_until(at)))


def advance_demo(session: Session, *, to: datetime) -> None:
    """Move the demo clock forward to ``to``; going back is refused."""
    row = session.get(DemoClockRow, 1, with_for_update=True)
    if row is None:
        raise RuleBroken("clock.not_demo", "这里不是演示环境，时钟不能拨动")
    offset = _seconds_until(to)
    if offset < row.offset_seconds:
        raise RuleBroken("clock.backwards", "演示时钟只能向前拨，不能倒退")
    row.offset_seconds = offset


def demo_started(database: Database) -> bool:
    """Tell whether a database carries a demo clock; one without tables does not."""
    if not inspect(database.engine).has_table(DemoClockRow.__tablename__):
        return False
    with database.reading() as session:
        return session.get(DemoClockRow, 1) is not None


class DemoClock:
    """The system clock moved by the offset that the demo database keeps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(self) -> datetime:
        """Return the demo's present moment in UTC."""
        with self._database.reading() as session:
            offset = session.scalar(select(DemoClockRow.offset_seconds))
        return datetime.now(UTC) + timedelta(seconds=offset or 0)


def _seconds_until(moment: datetime) -> int:
    # Up to two seconds late, never early, also where the machine's clock is set back a little: what
    # is due at the moment is due when the clock shows it.
    return math.ceil((moment - datetime.now(UTC)).total_seconds()) + 1
