"""What happens in training."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from marketplace.foundation.outbox import Event


@dataclass(frozen=True, kw_only=True)
class CoursePlaceOffered(Event):
    """Somebody moved up from the waiting list."""

    course_id: int
    course_title: str
    user_id: int
    starts_at: datetime


@dataclass(frozen=True, kw_only=True)
class CourseCancelled(Event):
    """A course will not take place; one event for each person who signed up."""

    course_id: int
    course_title: str
    user_id: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class AttendanceStruck(Event):
    """The organiser did not find somebody in the room who had checked in."""

    course_id: int
    course_title: str
    user_id: int
    day: date


@dataclass(frozen=True, kw_only=True)
class TrainingCertificateRevoked(Event):
    """The platform took a certificate back."""

    user_id: int
    number: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class TrainingCertificateIssued(Event):
    """Somebody passed the exam of a course."""

    course_id: int
    course_title: str
    user_id: int
    number: str
    valid_to: date
