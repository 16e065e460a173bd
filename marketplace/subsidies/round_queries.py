"""Rounds and how far their budgets are spoken for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen
from marketplace.subsidies import rules
from marketplace.subsidies.models import Claim, Round
from marketplace.subsidies.rules import ClaimStatus
from marketplace.subsidies.word_rules import ClaimItem


@dataclass(frozen=True)
class RoundView:
    """A round with how much of its budget is spoken for."""

    id: int
    number: str
    year: int
    title: str
    body: str
    opens_on: date
    closes_on: date
    budget_fen: Fen
    items: tuple[ClaimItem, ...]
    eligible: str
    documents: str
    expert_count: int
    opened_at: datetime
    claim_counts: dict[ClaimStatus, int]
    granted_fen: Fen
    settling_fen: Fen
    reviewing_fen: Fen

    def open_on(self, day: date) -> bool:
        """Tell whether one may apply on a day."""
        return self.opens_on <= day <= self.closes_on

    @property
    def claim_count(self) -> int:
        """Count the applications, drafts left out."""
        return sum(n for status, n in self.claim_counts.items() if status in rules.COUNTS)

    @property
    def left_fen(self) -> Fen:
        """Return what of the budget is not granted yet."""
        return Fen(self.budget_fen - self.granted_fen)


def list_rounds(session: Session) -> list[RoundView]:
    """List all rounds, the newest first."""
    rows = list(session.scalars(select(Round).order_by(Round.opened_at.desc(), Round.id.desc())))
    return _round_views(session, rows)


def open_rounds(session: Session, *, now: datetime) -> list[RoundView]:
    """List the rounds in which one may apply today."""
    today = local_date(now)
    rows = session.scalars(
        select(Round)
        .where(Round.opens_on <= today, Round.closes_on >= today)
        .order_by(Round.year.desc(), Round.id.desc())
    )
    return _round_views(session, list(rows))


def get_round(session: Session, round_id: int) -> RoundView:
    """Return one round or raise ``NotFound``."""
    row = session.get(Round, round_id)
    if row is None:
        raise NotFound()
    return _round_views(session, [row])[0]


def _round_views(session: Session, rows: Sequence[Round]) -> list[RoundView]:
    counted = session.execute(
        select(
            Claim.round_id,
            Claim.status,
            func.count(),
            func.sum(Claim.claimed_fen),
            func.sum(func.coalesce(Claim.approved_fen, 0)),
            func.sum(func.coalesce(Claim.payable_fen, 0)),
        )
        .where(Claim.round_id.in_([row.id for row in rows]))
        .group_by(Claim.round_id, Claim.status)
    ).all()

    def view(row: Round) -> RoundView:
        own = [line for line in counted if line[0] == row.id]
        return RoundView(
            id=row.id,
            number=row.number,
            year=row.year,
            title=row.title,
            body=row.body,
            opens_on=row.opens_on,
            closes_on=row.closes_on,
            budget_fen=row.budget_fen,
            items=tuple(ClaimItem(value) for value in row.items),
            eligible=row.eligible,
            documents=row.documents,
            expert_count=row.expert_count,
            opened_at=row.opened_at,
            claim_counts={line[1]: line[2] for line in own},
            granted_fen=Fen(sum(int(line[5]) for line in own if line[1] in rules.GRANTED)),
            settling_fen=Fen(sum(int(line[4]) for line in own if line[1] is ClaimStatus.SETTLING)),
            reviewing_fen=Fen(sum(int(line[3]) for line in own if line[1] in rules.IN_REVIEW)),
        )

    return [view(row) for row in rows]
