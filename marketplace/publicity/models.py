"""The tables of notices and objections."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.foundation.db import Base, Id, Json
from marketplace.publicity.rules import ObjectionState, PublicityKind, PublicityState


class Notice(Base):
    """One matter before the public; ``facts`` are (label, value) pairs shown above the text."""

    __tablename__ = "publicity_notices"
    __table_args__ = (
        CheckConstraint("ends_on > opened_on", name="ends_after_opening"),
        Index("ix_publicity_notices_state", "state", "closes_at"),
        Index("ix_publicity_notices_subject", "subject"),
    )

    id: Mapped[Id]
    kind: Mapped[PublicityKind]
    state: Mapped[PublicityState]
    subject: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    facts: Mapped[Json]
    organisation_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    opened_at: Mapped[datetime]
    opened_on: Mapped[date]
    ends_on: Mapped[date]
    closes_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Objection(Base):
    """One objection to a notice; name, contact and text are for those who answer it."""

    __tablename__ = "publicity_objections"
    __table_args__ = (
        CheckConstraint(
            "(state = 'open') = (decided_at IS NULL)", name="decided_exactly_when_closed"
        ),
        Index("ix_publicity_objections_notice", "notice_id", "state"),
    )

    id: Mapped[Id]
    notice_id: Mapped[int] = mapped_column(ForeignKey("publicity_notices.id"))
    state: Mapped[ObjectionState]
    name: Mapped[str]
    contact: Mapped[str]
    text: Mapped[str]
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_organisations.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    raised_at: Mapped[datetime]
    # None where the calendar of those days was not published yet.
    answer_by: Mapped[date | None]
    answer: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
