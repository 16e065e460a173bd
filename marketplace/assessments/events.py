"""What happened to assessments; amounts are fen, days are dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.foundation.outbox import Event


@dataclass(frozen=True, kw_only=True)
class AssessmentRequested(Event):
    """An owner asked for an assessment; its pre-assessment was computed and kept."""

    assessment_id: int
    achievement_id: int
    organisation_id: int
    title: str
    pre_score_tenths: int


@dataclass(frozen=True, kw_only=True)
class AssessmentAssigned(Event):
    """The owner chose an assessor, who accepts or declines."""

    assessment_id: int
    achievement_id: int
    organisation_id: int
    assessor_organisation_id: int
    title: str


@dataclass(frozen=True, kw_only=True)
class AssessmentAccepted(Event):
    """The assessor stated that no conflict of interest stands against it and took the order."""

    assessment_id: int
    achievement_id: int
    organisation_id: int
    assessor_organisation_id: int
    title: str
    fee_fen: int
    due_on: date


@dataclass(frozen=True, kw_only=True)
class AssessmentDeclined(Event):
    """The assessor declined the order; the owner may choose another one."""

    assessment_id: int
    achievement_id: int
    organisation_id: int
    assessor_organisation_id: int
    title: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ExpertInvited(Event):
    """The assessor gave an expert a seat on the panel of an assessment."""

    assessment_id: int
    seat_id: int
    expert_user_id: int
    title: str
    due_on: date


@dataclass(frozen=True, kw_only=True)
class ExpertLeft(Event):
    """An expert gave a seat back, with the reason; the assessor puts another one on it."""

    assessment_id: int
    assessor_organisation_id: int
    title: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PanelScored(Event):
    """The last sheet of a panel came in: from now on the assessor reads the scores."""

    assessment_id: int
    assessor_organisation_id: int
    title: str
    score_tenths: int


@dataclass(frozen=True, kw_only=True)
class ReportIssued(Event):
    """The assessor issued its report with a value range."""

    assessment_id: int
    achievement_id: int
    organisation_id: int
    assessor_organisation_id: int
    title: str
    number: str
    low_fen: int
    high_fen: int


@dataclass(frozen=True, kw_only=True)
class ReportFiled(Event):
    """The operator put a report on file; from now on it counts as the latest valuation."""

    assessment_id: int
    achievement_id: int
    organisation_id: int
    assessor_organisation_id: int
    title: str
    number: str
    low_fen: int
    high_fen: int
    base_on: date
    valid_until: date


@dataclass(frozen=True, kw_only=True)
class AssessmentRejected(Event):
    """An assessment ended without a report on file, for the reason given."""

    assessment_id: int
    achievement_id: int
    organisation_id: int
    assessor_organisation_id: int | None
    title: str
    reason: str
