"""Numbers that people quote: one gapless sequence per prefix and year."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace.foundation.db import Base, ensure_row


class Sequence(Base):
    """The last number given out under a prefix in a year."""

    __tablename__ = "foundation_sequences"

    prefix: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]


def next_number(session: Session, prefix: str, year: int) -> str:
    """Take the next number, ``GP-2024-0001``; the row stays locked until the commit."""
    return take_numbers(session, prefix, year, 1)[0]


def take_numbers(session: Session, prefix: str, year: int, count: int) -> list[str]:
    """Take several numbers in a row, for a bulk load."""
    ensure_row(session, Sequence, prefix=prefix, year=year, last=0)
    row = session.get_one(Sequence, (prefix, year), with_for_update=True, populate_existing=True)
    first = row.last + 1
    row.last += count
    session.flush()
    return [f"{prefix}-{year}-{number:04d}" for number in range(first, first + count)]
