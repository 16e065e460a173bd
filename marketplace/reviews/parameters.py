"""The dated rule of yearly reviews, and what documents promise for their grades."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from pydantic import BaseModel, ConfigDict, Field

from marketplace.foundation.money import Fen
from marketplace.foundation.reference import load
from marketplace.reviews.rules import Deduction, Grade, Indicator, ReviewRule, Scale
from marketplace.subsidies.parameters import policies

# Where a file's first version begins for want of a date: earlier than anything on the platform.
_ALWAYS = date(2000, 1, 1)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class _Scale(_Strict):
    key: Indicator
    points: int = Field(gt=0)
    zero: int
    full: int
    absent: int = Field(ge=0, le=100)


class _Deduction(_Strict):
    key: Indicator
    points: int = Field(gt=0)


class RuleVersion(_Strict):
    """One version of the rule with its source and its terms in working days."""

    since: date = Field(alias="from")
    until: date | None = Field(alias="to")
    basis: str
    reference: str
    confirm_workdays: int
    appeal_workdays: int
    indicators: tuple[_Scale, ...]
    deductions: tuple[_Deduction, ...]
    grades: dict[Grade, int]

    @property
    def name(self) -> str:
        """Name the version as a review keeps it; one that has always been there bears no day."""
        if self.since == _ALWAYS:
            return self.reference
        return f"{self.reference}（{self.since.isoformat()} 起）"

    @property
    def rule(self) -> ReviewRule:
        """Return the rule as the calculation takes it, the best grade first."""
        return ReviewRule(
            tuple(Scale(e.key, e.points, e.zero, e.full, e.absent) for e in self.indicators),
            tuple(Deduction(e.key, e.points) for e in self.deductions),
            tuple(sorted(self.grades.items(), key=lambda pair: -pair[1])),
        )


class _Versions(_Strict):
    versions: tuple[RuleVersion, ...]


@cache
def _versions() -> tuple[RuleVersion, ...]:
    return load("agency_review", _Versions).versions


def rule_on(day: date) -> RuleVersion:
    """Return the version that holds on a day."""
    return next(
        each
        for each in _versions()
        if each.since <= day and (each.until is None or day <= each.until)
    )


@dataclass(frozen=True)
class Award:
    """What a document promises for a grade, and whether it is in force."""

    grade: Grade
    amount_fen: Fen
    document: str
    article: str
    draft: bool


def awards() -> list[Award]:
    """List what the policy data knows of rewards for grades; a draft pays nothing."""
    return [
        Award(grade, payment.amount, policy.title, payment.article, policy.status == "draft")
        for policy in policies()
        for payment in policy.single_payments
        for grade in Grade
        if payment.key == f"agency_review_{grade.value}"
    ]
