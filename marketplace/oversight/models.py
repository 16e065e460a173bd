"""Tables of oversight: the audit chain's heads, published day by day, and reports of abuse."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.foundation.db import Base, Id
from marketplace.oversight.report_rules import ReportReason, ReportState

_USER = "accounts_users.id"


class DailyHead(Base):
    """Where the audit chain stood when a day had ended; published, never changed."""

    __tablename__ = "oversight_daily_heads"
    __table_args__ = (CheckConstraint("sequence >= 0", name="sequence_not_negative"),)

    id: Mapped[Id]
    day: Mapped[date] = mapped_column(unique=True)
    sequence: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime]
    mailed_at: Mapped[datetime | None] = mapped_column(index=True)


class Report(Base):
    """Somebody's word that a record breaks the rules, and what the operator found."""

    __tablename__ = "oversight_reports"
    __table_args__ = (
        Index("ix_oversight_reports_queue", "state", "reported_at", "id"),
        Index("ix_oversight_reports_subject", "subject", "state"),
        CheckConstraint(
            "state = 'open' OR (decided_at IS NOT NULL AND decision_words <> '')",
            name="decision_has_words",
        ),
    )

    id: Mapped[Id]
    # By what a visitor without an account finds the answer; nobody else can guess it.
    code: Mapped[str] = mapped_column(String(40), unique=True)
    subject: Mapped[str]
    subject_title: Mapped[str]
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_organisations.id"))
    reason: Mapped[ReportReason]
    words: Mapped[str]
    contact: Mapped[str] = mapped_column(default="")
    reporter_user_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
    reported_at: Mapped[datetime]
    state: Mapped[ReportState]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
    decision_words: Mapped[str] = mapped_column(default="")
