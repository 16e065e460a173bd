"""An organisation's own approval: its chain, the steps of a submission, where one waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.achievements.models import ChainStepRow, ReviewRow
from marketplace.achievements.rules import (
    DEFAULT_CHAIN,
    REVIEW_ROLES,
    STEP_LABELS,
    ReviewOutcome,
    ReviewStep,
)
from marketplace.foundation.access import Role


@dataclass(frozen=True)
class ReviewView:
    """One step of a submission."""

    round: int
    position: int
    role: Role
    outcome: ReviewOutcome
    reason: str
    decided_by_name: str
    decided_at: datetime | None
    label: str


def reviews(session: Session, achievement_id: int) -> list[ReviewView]:
    """List all review steps of an achievement, oldest submission first."""
    rows = session.scalars(
        select(ReviewRow)
        .where(ReviewRow.achievement_id == achievement_id)
        .order_by(ReviewRow.round, ReviewRow.position)
    )
    return [
        ReviewView(
            row.round,
            row.position,
            row.role,
            row.outcome,
            row.reason,
            row.decided_by_name,
            row.decided_at,
            STEP_LABELS[row.role],
        )
        for row in rows
    ]


def current_step(session: Session, achievement_id: int) -> ReviewView | None:
    """Return the step that an achievement waits at, or None."""
    steps = reviews(session, achievement_id)
    latest = max((step.round for step in steps), default=0)
    return next(
        (step for step in steps if step.round == latest and step.outcome is ReviewOutcome.PENDING),
        None,
    )


def chain_of(session: Session, organisation_id: int) -> tuple[ReviewStep, ...]:
    """Return an organisation's review chain, or the default for one that has set nothing."""
    rows = session.scalars(
        select(ChainStepRow).where(ChainStepRow.organisation_id == organisation_id)
    )
    steps = sorted(rows, key=lambda row: REVIEW_ROLES.index(row.role))
    return tuple(ReviewStep(row.role, row.from_fen) for row in steps) or DEFAULT_CHAIN
