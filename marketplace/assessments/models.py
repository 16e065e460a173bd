"""The tables of assessments: the order, the experts' scores, the methods of the valuation."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.assessments.library_rules import ExpertGrade, HouseGrade, TieKind
from marketplace.assessments.panel_rules import AchievementType, SeatState
from marketplace.assessments.rules import AssessmentState, Indicator, ValuationMethod
from marketplace.foundation.db import Base, Id, Json
from marketplace.foundation.money import Fen

_OPEN = text("state NOT IN ('filed', 'rejected')")


class Assessment(Base):
    """One order, from the request to the filed report; ``pre_result`` is kept as computed."""

    __tablename__ = "assessments_assessments"
    __table_args__ = (
        CheckConstraint("low_fen IS NULL OR (0 < low_fen AND low_fen <= high_fen)", name="range"),
        CheckConstraint("base_on IS NULL OR base_on < valid_until", name="validity"),
        CheckConstraint("fee_fen >= 0", name="fee"),
        # One open assessment per achievement, whoever asks at the same moment.
        Index(
            "uq_assessments_open",
            "achievement_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_assessments_client", "organisation_id", "requested_at"),
        Index("ix_assessments_assessor", "assessor_organisation_id", "requested_at"),
        Index("ix_assessments_filed", "achievement_id", "filed_at"),
    )

    id: Mapped[Id]
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[AssessmentState]
    achievement_id: Mapped[int] = mapped_column(ForeignKey("achievements_achievements.id"))
    title: Mapped[str]
    organisation_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    requested_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    requested_at: Mapped[datetime]
    purpose: Mapped[str]
    pre_result: Mapped[Json]
    pre_score_tenths: Mapped[int]

    assessor_organisation_id: Mapped[int | None] = mapped_column(
        ForeignKey("accounts_organisations.id")
    )
    assigned_at: Mapped[datetime | None]
    answer_by: Mapped[date | None]
    declined_reason: Mapped[str] = mapped_column(default="")
    accepted_at: Mapped[datetime | None]
    accepted_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    statement: Mapped[str] = mapped_column(default="")
    expert_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    fee_fen: Mapped[Fen] = mapped_column(default=Fen(0))
    payment_id: Mapped[int | None] = mapped_column(index=True)
    fee_paid_at: Mapped[datetime | None]
    due_on: Mapped[date | None]

    achievement_type: Mapped[AchievementType | None]
    panel_called_at: Mapped[datetime | None]
    # Why the experts differ and what was made of it, where they do.
    disagreement_note: Mapped[str] = mapped_column(default="")
    score_tenths: Mapped[int | None]
    scored_at: Mapped[datetime | None]
    low_fen: Mapped[Fen | None]
    high_fen: Mapped[Fen | None]
    base_on: Mapped[date | None]
    valid_until: Mapped[date | None]
    reasoning: Mapped[str] = mapped_column(default="")
    report_number: Mapped[str | None] = mapped_column(unique=True)
    reported_at: Mapped[datetime | None]
    reported_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    filed_at: Mapped[datetime | None]
    filed_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    ended_reason: Mapped[str] = mapped_column(default="")


class ScoreRow(Base):
    """One expert's points for one indicator, with the reason."""

    __tablename__ = "assessments_scores"
    __table_args__ = (
        UniqueConstraint("assessment_id", "expert_id", "indicator"),
        CheckConstraint("points BETWEEN 0 AND 100", name="points"),
    )

    id: Mapped[Id]
    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessments_assessments.id"))
    expert_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"))
    indicator: Mapped[Indicator]
    points: Mapped[int]
    reason: Mapped[str]


class Seat(Base):
    """One expert's place on the panel of an assessment; ``number`` tells nothing about who it is.

    The levels and marks are the expert's own and stay closed until every sheet is in.
    """

    __tablename__ = "assessments_seats"
    __table_args__ = (
        CheckConstraint(
            "(state = 'submitted') = (submitted_at IS NOT NULL)", name="submitted_exactly_once"
        ),
        # One seat per expert, but for one who had to leave it.
        Index(
            "uq_assessments_seats_live",
            "assessment_id",
            "expert_id",
            unique=True,
            sqlite_where=text("state <> 'declined'"),
            postgresql_where=text("state <> 'declined'"),
        ),
        Index("ix_assessments_seats_expert", "expert_id", "state"),
    )

    id: Mapped[Id]
    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessments_assessments.id"), index=True)
    expert_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"))
    number: Mapped[int]
    in_field: Mapped[bool]
    state: Mapped[SeatState]
    invited_at: Mapped[datetime]
    statement: Mapped[str] = mapped_column(default="")
    declared_at: Mapped[datetime | None]
    marks: Mapped[Json] = mapped_column(default=dict)
    trl_evidence: Mapped[str] = mapped_column(default="")
    submitted_at: Mapped[datetime | None]


class HouseEntry(Base):
    """An assessment house in the library, with its grade and fields (``TechnologyField``)."""

    __tablename__ = "assessments_houses"

    id: Mapped[Id]
    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("accounts_organisations.id"), unique=True
    )
    grade: Mapped[HouseGrade]
    fields: Mapped[Json]
    basis: Mapped[str]
    entered_at: Mapped[datetime]


class ExpertEntry(Base):
    """An expert in the library, with title and fields; one who has left is kept."""

    __tablename__ = "assessments_experts"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"), unique=True)
    grade: Mapped[ExpertGrade]
    fields: Mapped[Json]
    basis: Mapped[str]
    entered_at: Mapped[datetime]
    left_at: Mapped[datetime | None]


class Tie(Base):
    """What ties two organisations; the smaller id stands first."""

    __tablename__ = "assessments_ties"
    __table_args__ = (
        CheckConstraint("first_id < second_id", name="order"),
        UniqueConstraint("first_id", "second_id", "kind", "source"),
        Index("ix_assessments_ties_second", "second_id"),
    )

    id: Mapped[Id]
    first_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    second_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    kind: Mapped[TieKind]
    since: Mapped[date]
    until: Mapped[date | None]
    source: Mapped[str]
    recorded_at: Mapped[datetime]


class MethodRow(Base):
    """One method of a valuation with its figures as entered: fen and parts per million."""

    __tablename__ = "assessments_methods"
    __table_args__ = (UniqueConstraint("assessment_id", "method"),)

    id: Mapped[Id]
    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessments_assessments.id"))
    method: Mapped[ValuationMethod]
    inputs: Mapped[Json]
