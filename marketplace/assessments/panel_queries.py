"""Reads of panels: an expert's own seats and dossier, the house's panel, what the sheets add up to.

An expert sees the matter without its owners and inventors and nobody else's sheet; the house sees
the sheets, by seat number, when the last one is in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.achievements.rules import TRL_MEANING, AchievementContent
from marketplace.assessments import panel_rules
from marketplace.assessments.agreement_rules import AgreementLevel
from marketplace.assessments.library_queries import experts as library
from marketplace.assessments.models import Assessment, ScoreRow, Seat
from marketplace.assessments.panel_rules import AchievementType, PanelResult, SeatState
from marketplace.assessments.parameters import PanelTerms, Sheet, panel_terms_on
from marketplace.assessments.radar_rules import Radar, radar
from marketplace.assessments.rules import AssessmentState, Indicator
from marketplace.foundation.access import Actor
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound

__all__ = [
    "PanelView",
    "SeatReport",
    "SeatView",
    "library",
    "my_seats",
    "panel_of",
    "result_of",
    "seat_for",
]


@dataclass(frozen=True)
class SeatView:
    """An expert's own seat: the matter without names, what to score, what was handed in."""

    id: int
    assessment_id: int
    number: int
    state: SeatState
    title: str
    due_on: date | None
    invited_at: datetime
    submitted_at: datetime | None
    over: bool
    achievement_type: AchievementType
    sheet: Sheet
    terms: PanelTerms
    content: AchievementContent | None
    marks: dict[str, int]
    reasons: dict[Indicator, str]
    trl_evidence: str


@dataclass(frozen=True)
class SeatReport:
    """A seat as the house sees it; without name where the list of names stands apart."""

    number: int
    state: SeatState
    in_field: bool
    marks: dict[str, int]
    reasons: dict[Indicator, str]
    trl_evidence: str


@dataclass(frozen=True)
class PanelView:
    """A panel: who sits on it by name, and its sheets by seat once all are in."""

    achievement_type: AchievementType
    sheet: Sheet
    terms: PanelTerms
    names: tuple[tuple[str, SeatState], ...]
    seats: tuple[SeatReport, ...]
    result: PanelResult | None
    radar: Radar | None
    level: AgreementLevel | None
    submitted_count: int

    @property
    def complete(self) -> bool:
        """Tell whether every seat is taken."""
        return len(self.names) in self.terms.sizes


def my_seats(session: Session, actor: Actor) -> list[SeatView]:
    """List the seats of the acting expert, open ones first, then the newest."""
    if actor.user_id is None:
        return []
    rows = session.execute(
        select(Seat, Assessment)
        .join(Assessment, Assessment.id == Seat.assessment_id)
        .where(Seat.expert_id == actor.user_id)
        .order_by(Seat.invited_at.desc(), Seat.id.desc())
        .limit(100)
    ).all()
    found = [_seat_view(seat, row, None, {}) for seat, row in rows]
    done = (SeatState.SUBMITTED, SeatState.DECLINED)
    return sorted(found, key=lambda seat: seat.over or seat.state in done)


def seat_for(session: Session, actor: Actor, seat_id: int) -> SeatView:
    """Return an expert's own seat, with the dossier once declared; else raise ``NotFound``."""
    seat = session.get(Seat, seat_id)
    if seat is None or seat.expert_id != actor.user_id:
        raise NotFound()
    row = session.get_one(Assessment, seat.assessment_id)
    content = None
    reasons: dict[Indicator, str] = {}
    if seat.state in (SeatState.DECLARED, SeatState.SUBMITTED):
        content = achievements.get_internal(session, row.achievement_id).content
        scores = session.scalars(
            select(ScoreRow).where(
                ScoreRow.assessment_id == row.id, ScoreRow.expert_id == seat.expert_id
            )
        )
        reasons = {score.indicator: score.reason for score in scores}
    return _seat_view(seat, row, content, reasons)


def _seat_view(
    seat: Seat,
    row: Assessment,
    content: AchievementContent | None,
    reasons: dict[Indicator, str],
) -> SeatView:
    kind, terms = _terms(row)
    return SeatView(
        seat.id,
        row.id,
        seat.number,
        seat.state,
        row.title,
        row.due_on,
        seat.invited_at,
        seat.submitted_at,
        row.state is not AssessmentState.SCORING,
        kind,
        terms.sheet(kind.value),
        terms,
        content,
        seat.marks,
        reasons,
        seat.trl_evidence,
    )


def _terms(row: Assessment) -> tuple[AchievementType, PanelTerms]:
    # Both are set when the panel is called; a seat exists only after that.
    assert row.achievement_type is not None
    assert row.panel_called_at is not None
    return row.achievement_type, panel_terms_on(local_date(row.panel_called_at))


def panel_of(session: Session, assessment_id: int) -> PanelView | None:
    """Return the panel of an assessment, None before it is called; the caller checks who asks."""
    row = session.get_one(Assessment, assessment_id)
    if row.panel_called_at is None:
        return None
    kind, terms = _terms(row)
    seats = session.scalars(
        select(Seat)
        .where(Seat.assessment_id == row.id, Seat.state != SeatState.DECLINED)
        .order_by(Seat.number)
    ).all()
    users = accounts.get_users(session, [seat.expert_id for seat in seats])
    names = sorted((users[seat.expert_id].name, seat.state) for seat in seats)
    submitted = sum(seat.state is SeatState.SUBMITTED for seat in seats)
    result = result_of(row, seats) if row.score_tenths is not None else None
    reasons: dict[int, dict[Indicator, str]] = {}
    if result is not None:
        for score in session.scalars(select(ScoreRow).where(ScoreRow.assessment_id == row.id)):
            reasons.setdefault(score.expert_id, {})[score.indicator] = score.reason
    return PanelView(
        kind,
        terms.sheet(kind.value),
        terms,
        tuple(names),
        tuple(
            SeatReport(
                seat.number,
                seat.state,
                seat.in_field,
                seat.marks if result else {},
                reasons.get(seat.expert_id, {}),
                seat.trl_evidence if result else "",
            )
            for seat in seats
        ),
        result,
        _radar(result) if result else None,
        result.agreement.level(terms.weak_agreement_per_mille) if result else None,
        submitted,
    )


def result_of(row: Assessment, seats: Sequence[Seat]) -> PanelResult:
    """Add up the sheets of a panel in the order of its seats; all are in."""
    kind, terms = _terms(row)
    meanings = {
        "trl": [TRL_MEANING[level] for level in sorted(TRL_MEANING)],
        "innovation": terms.scales.innovation,
        "advancement": terms.scales.advancement,
    }
    return panel_rules.panel_result(
        [seat.marks for seat in seats], terms.sheet(kind.value), terms, meanings
    )


def _radar(result: PanelResult) -> Radar:
    return radar(
        [part.indicator.label for part in result.indicators],
        [part.tenths for part in result.indicators],
        [min(part.points) * 10 for part in result.indicators],
        [max(part.points) * 10 for part in result.indicators],
    )
