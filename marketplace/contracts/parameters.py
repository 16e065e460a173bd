"""Dated data of contract registration: rule versions, review terms, bounds, code lists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache

from pydantic import BaseModel, ConfigDict

from marketplace.contracts.proposal_rules import Cue, Cues
from marketplace.contracts.rules import ContractSubtype, ContractType, ReviewTerms
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.parameters import value_on
from marketplace.foundation.reference import load


class RuleVersion(BaseModel):
    """The rules under which contracts are registered in a period, both ends included."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    reference: str
    since: date
    until: date | None


class _RuleVersions(BaseModel):
    model_config = ConfigDict(extra="forbid")

    versions: tuple[RuleVersion, ...]


@cache
def _versions() -> tuple[RuleVersion, ...]:
    return load("contract_rules", _RuleVersions).versions


def rules_on(day: date) -> RuleVersion:
    """Return the registration rules in force on a day; refuse a day before the first."""
    for version in _versions():
        if version.since <= day and (version.until is None or day <= version.until):
            return version
    raise RuleBroken("contracts.no_rules", "该日期没有可适用的技术合同认定登记办法，请检查日期")


def review_terms_on(day: date) -> ReviewTerms:
    """Return the registrar's terms for a contract submitted on a day."""
    return ReviewTerms(
        normal=value_on("registration_review_workdays", day),
        large=value_on("registration_review_large_workdays", day),
        large_from_yuan=value_on("registration_large_from_yuan", day),
    )


@dataclass(frozen=True)
class PriceBounds:
    """How far a price may lie from a valuation before the registrar is told."""

    low_per_mille: int
    high_per_mille: int


def price_bounds_on(day: date) -> PriceBounds:
    """Return the bounds that held on a day."""
    return PriceBounds(
        low_per_mille=value_on("sham_price_low_per_mille", day),
        high_per_mille=value_on("sham_price_high_per_mille", day),
    )


class _Code(BaseModel):
    model_config = ConfigDict(extra="ignore")

    code: str
    name: str


class _Objectives(BaseModel):
    model_config = ConfigDict(extra="ignore")

    objectives: tuple[_Code, ...]


class _Industries(BaseModel):
    model_config = ConfigDict(extra="ignore")

    divisions: tuple[_Code, ...]


@cache
def objectives() -> dict[str, str]:
    """Return the social and economic objectives by code (GB/T 24450)."""
    return {
        entry.code: entry.name
        for entry in load("social_economic_objectives", _Objectives).objectives
    }


@cache
def industries() -> dict[str, str]:
    """Return the divisions of the national industry classification by code (GB/T 4754)."""
    return {entry.code: entry.name for entry in load("industries", _Industries).divisions}


class _DutyEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    says: str
    pattern: re.Pattern[str]
    weight: int
    subtype: ContractSubtype | None


class _TypeEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: ContractType
    article: str
    name: re.Pattern[str]
    cues: tuple[_DutyEntry, ...]


class _DoubtEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    says: str
    article: str
    pattern: re.Pattern[str]
    weight: int


class _CueFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    types: tuple[_TypeEntry, ...]
    not_technology: tuple[_DoubtEntry, ...]


@cache
def type_cues() -> Cues:
    """Return what clauses must say for a type to be proposed."""
    read = load("contract_type_cues", _CueFile)
    return Cues(
        duties=tuple(
            Cue(cue.says, cue.pattern, cue.weight, entry.article, entry.type, cue.subtype)
            for entry in read.types
            for cue in entry.cues
        ),
        names=tuple((entry.type, entry.name) for entry in read.types),
        not_technology=tuple(
            Cue(cue.says, cue.pattern, cue.weight, cue.article, None) for cue in read.not_technology
        ),
    )


@dataclass(frozen=True)
class ShamBounds:
    """From where on the platform points at a contract; shares are per mille."""

    text_per_mille: int
    circle_days: int
    circle_most_count: int
    unpaid_days: int


def sham_bounds_on(day: date) -> ShamBounds:
    """Return the bounds of the signs that held on a day."""
    return ShamBounds(
        text_per_mille=value_on("sham_text_per_mille", day),
        circle_days=value_on("sham_circle_days", day),
        circle_most_count=value_on("sham_circle_most_count", day),
        unpaid_days=value_on("sham_unpaid_days", day),
    )
