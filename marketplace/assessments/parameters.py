"""Weights of the indicators and terms of a valuation: dated data with their reference."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Literal, Protocol, Self, TypeVar

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


class SubIndicator(_Strict):
    """One line of a score sheet; ``weight`` is per cent within its indicator.

    A line with a ``scale`` takes a level instead of points.
    """

    code: str
    label: str
    weight: int
    meaning: str
    scale: Literal["", "trl", "innovation", "advancement"] = ""


class Sheet(_Strict):
    """What experts score for one type of achievement."""

    type: str
    weights: Weights
    indicators: dict[str, tuple[SubIndicator, ...]]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if set(self.indicators) != set(Weights.model_fields):
            raise ValueError(f"the sheet {self.type} must hold the five indicators")
        if any(sum(part.weight for part in parts) != 100 for parts in self.indicators.values()):
            raise ValueError(f"the lines of each indicator of {self.type} must sum to 100")
        codes = [part.code for parts in self.indicators.values() for part in parts]
        if len(codes) != len(set(codes)):
            raise ValueError(f"a code of {self.type} stands twice")
        return self

    def lines(self) -> tuple[SubIndicator, ...]:
        """List all lines in the order of the sheet."""
        return tuple(part for parts in self.indicators.values() for part in parts)


class Scales(_Strict):
    """The words of each level, from level 1."""

    innovation: tuple[str, ...]
    advancement: tuple[str, ...]


class PanelTerms(_Strict):
    """How a panel is composed and its scores are read, from one day through another."""

    since: date = Field(alias="from")
    until: date | None = Field(alias="to")
    reference: str
    sizes: tuple[int, ...]
    field_share_of: tuple[int, int]
    past_deal_years: int
    weak_agreement_per_mille: int
    outlier_hundredths: int
    outlier_points: int
    scales: Scales
    sheets: tuple[Sheet, ...]

    def sheet(self, kind: str) -> Sheet:
        """Return the sheet of a type of achievement."""
        return next(sheet for sheet in self.sheets if sheet.type == kind)


class AssessmentParameters(_Strict):
    """The whole file."""

    versions: tuple[ScoringVersion, ...]
    valuation: tuple[ValuationTerms, ...]
    panels: tuple[PanelTerms, ...]


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


def panel_terms_on(on: date) -> PanelTerms:
    """Return how a panel is composed and read on a day."""
    return _on(_file().panels, on)
