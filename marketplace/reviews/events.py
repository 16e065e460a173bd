"""What happens in yearly reviews of agencies; grades travel by value, words by their label."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.foundation.outbox import Event


@dataclass(frozen=True, kw_only=True)
class ReviewOpened(Event):
    """An agency's year was computed; the agency supplements and confirms by a day."""

    review_id: int
    organisation_id: int
    year: int
    confirm_by: date


@dataclass(frozen=True, kw_only=True)
class ReviewConfirmed(Event):
    """An agency confirmed its year's figures."""

    review_id: int
    organisation_id: int
    year: int


@dataclass(frozen=True, kw_only=True)
class ReviewPublished(Event):
    """An agency's year was graded and published."""

    review_id: int
    organisation_id: int
    year: int
    grade_label: str
    appeal_by: date


@dataclass(frozen=True, kw_only=True)
class ReviewAppealed(Event):
    """An agency appealed against its grade."""

    review_id: int
    organisation_id: int
    year: int


@dataclass(frozen=True, kw_only=True)
class ReviewAppealDecided(Event):
    """An appeal was decided."""

    review_id: int
    organisation_id: int
    year: int
    outcome: str
    reason: str
