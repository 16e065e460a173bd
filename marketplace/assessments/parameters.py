"""Weights of the indicators and terms of a valuation: dated data with their reference."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Protocol, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.reference import load


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Weights(_Strict):
    """Per mille of each indicator in the whole."""

    scientific: int
    technical: int
    economic: int
    social: int
    transfer: int

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if sum(self.model_dump().values()) != 1000:
            raise ValueError("the weights must sum to 1000 per mille")
        return self


class CriterionPoints(_Strict):
    """The most points each criterion gives; those of one indicator sum to 100."""

    principle: int
    examined_rights: int
    classification: int
    team: int
    maturity: int
    innovation: int
    advancement: int
    benefit_figure: int
    price: int
    protection: int
    user_evidence: int
    public_benefit: int
    funding_declared: int
    modes: int
    clear_owners: int
    rights_in_force: int
    industry: int
    fresh: int

    @model_validator(mode="after")
    def _hundred_each(self) -> Self:
        groups = (
            self.principle + self.examined_rights + self.classification + self.team,
            self.maturity + self.innovation + self.advancement,
            self.benefit_figure + self.price + self.protection + self.user_evidence,
            self.public_benefit + self.funding_declared,
            self.modes + self.clear_owners + self.rights_in_force + self.industry + self.fresh,
        )
        if any(total != 100 for total in groups):
            raise ValueError(
                f"the criteria of each indicator must sum to 100, they sum to {groups}"
            )
        return self


class Thresholds(_Strict):
    """From where a criterion counts in full."""

    principle_characters: int
    team_members: int
    innovation_rights: int
    comparison_lines: int
    protection_years: int
    mode_count: int
    unevidenced_maturity_per_mille: int
    strong_from: int
    fair_from: int


class ScoringVersion(_Strict):
    """The rules of the pre-assessment from one day through another."""

    since: date = Field(alias="from")
    until: date | None = Field(alias="to")
    reference: str
    weights: Weights
    criteria: CriterionPoints
    thresholds: Thresholds
    public_benefit_terms: tuple[str, ...]


class ValuationTerms(_Strict):
    """The terms of a valuation from one day through another."""

    since: date = Field(alias="from")
    until: date | None = Field(alias="to")
    reference: str
    validity_days: int
    comparables_minimum: int
    forecast_years_maximum: int
    discount_rate_minimum_per_mille: int
    discount_rate_maximum_per_mille: int
    accept_workdays: int


class AssessmentParameters(_Strict):
    """The whole file."""

    versions: tuple[ScoringVersion, ...]
    valuation: tuple[ValuationTerms, ...]


class _Dated(Protocol):
    @property
    def since(self) -> date: ...

    @property
    def until(self) -> date | None: ...


Version = TypeVar("Version", bound=_Dated)


@cache
def _file() -> AssessmentParameters:
    return load("assessment", AssessmentParameters)


def _on(versions: tuple[Version, ...], on: date) -> Version:
    for version in versions:
        if version.since <= on and (version.until is None or on <= version.until):
            return version
    raise RuleBroken(
        "assessments.undated", f"{on.isoformat()} 没有评估参数，无法办理；请交易中心补录"
    )


def scoring_on(on: date) -> ScoringVersion:
    """Return the scoring rules of a day."""
    return _on(_file().versions, on)


def valuation_terms_on(on: date) -> ValuationTerms:
    """Return the terms of a valuation of a day."""
    return _on(_file().valuation, on)
