"""Tables of training: courses, places, attendance, questions, attempts, certificates."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.brokerage.register_rules import BrokerLevel
from marketplace.foundation.db import Base, Id, Json
from marketplace.foundation.money import Fen
from marketplace.training.exam_rules import QuestionKind
from marketplace.training.rules import PlaceState

_USER = "accounts_users.id"
_COURSE = "training_courses.id"
_RUNNING = text("submitted_at IS NULL")


class Course(Base):
    """A course with its exam's terms."""

    __tablename__ = "training_courses"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="times_in_order"),
        CheckConstraint("capacity > 0", name="capacity_positive"),
        CheckConstraint("hours > 0", name="hours_positive"),
        CheckConstraint("fee_fen >= 0", name="fee_not_negative"),
        CheckConstraint("pass_percent BETWEEN 1 AND 100", name="pass_range"),
        CheckConstraint("question_count > 0", name="questions_positive"),
        CheckConstraint("attempts > 0", name="attempts_positive"),
        Index("ix_training_courses_starts_at", "starts_at"),
    )

    id: Mapped[Id]
    title: Mapped[str]
    level: Mapped[BrokerLevel]
    body: Mapped[str] = mapped_column(default="")
    teacher: Mapped[str] = mapped_column(default="")
    place: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    hours: Mapped[int]
    capacity: Mapped[int]
    fee_fen: Mapped[Fen]
    question_count: Mapped[int]
    minutes: Mapped[int]
    pass_percent: Mapped[int]
    attempts: Mapped[int]
    announced_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    cancelled_reason: Mapped[str] = mapped_column(default="")


class CoursePlace(Base):
    """Somebody's place in a course, or in its waiting list."""

    __tablename__ = "training_places"
    __table_args__ = (
        UniqueConstraint("course_id", "user_id"),
        Index("ix_training_places_state", "course_id", "state", "signed_up_at"),
    )

    id: Mapped[Id]
    course_id: Mapped[int] = mapped_column(ForeignKey(_COURSE))
    user_id: Mapped[int] = mapped_column(ForeignKey(_USER), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_organisations.id"))
    state: Mapped[PlaceState]
    signed_up_at: Mapped[datetime]


class Attendance(Base):
    """One day on which somebody came, by the code shown in the room."""

    __tablename__ = "training_attendances"
    __table_args__ = (
        UniqueConstraint("place_id", "day"),
        CheckConstraint("hours > 0", name="hours_positive"),
    )

    id: Mapped[Id]
    place_id: Mapped[int] = mapped_column(ForeignKey("training_places.id"))
    day: Mapped[date]
    hours: Mapped[int]
    checked_in_at: Mapped[datetime]
    # Set when the organiser did not find the person in the room: the day counts no longer.
    struck_at: Mapped[datetime | None]


class BankQuestion(Base):
    """A question of the bank; a withdrawn one is drawn no more."""

    __tablename__ = "training_questions"
    __table_args__ = (Index("ix_training_questions_level", "level", "withdrawn_at"),)

    id: Mapped[Id]
    level: Mapped[BrokerLevel]
    kind: Mapped[QuestionKind]
    text: Mapped[str]
    options: Mapped[Json]
    right: Mapped[Json]
    written_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class Attempt(Base):
    """One attempt at an exam: its seed, its paper as it was drawn, the answers, the result."""

    __tablename__ = "training_attempts"
    __table_args__ = (
        UniqueConstraint("course_id", "user_id", "number"),
        # One paper at a time, however many windows are open.
        Index(
            "uq_training_attempts_running",
            "course_id",
            "user_id",
            unique=True,
            sqlite_where=_RUNNING,
            postgresql_where=_RUNNING,
        ),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent_range"),
    )

    id: Mapped[Id]
    course_id: Mapped[int] = mapped_column(ForeignKey(_COURSE))
    user_id: Mapped[int] = mapped_column(ForeignKey(_USER))
    number: Mapped[int]
    seed: Mapped[str] = mapped_column(String(64))
    # Of {id, kind, text, options, right}: the bank may change afterwards.
    paper: Mapped[Json]
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    answers: Mapped[Json] = mapped_column(default=dict)
    percent: Mapped[int | None]
    passed: Mapped[bool] = mapped_column(default=False)
    late: Mapped[bool] = mapped_column(default=False)


class TrainingCertificate(Base):
    """A certificate of a passed course, with the code that shows its holder to who checks it."""

    __tablename__ = "training_certificates"
    __table_args__ = (UniqueConstraint("course_id", "user_id"),)

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    check_code: Mapped[str] = mapped_column(String(8))
    course_id: Mapped[int] = mapped_column(ForeignKey(_COURSE))
    user_id: Mapped[int] = mapped_column(ForeignKey(_USER), index=True)
    name: Mapped[str]
    organisation_name: Mapped[str]
    course_title: Mapped[str]
    level: Mapped[BrokerLevel]
    hours: Mapped[int]
    issuer: Mapped[str]
    issued_on: Mapped[date]
    valid_to: Mapped[date]
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str] = mapped_column(default="")
