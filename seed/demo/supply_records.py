"""The shape of the demo's organisations, people, achievements and needs."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A record of the demo."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class Contact(Strict):
    """Who answers for an organisation."""

    person: str | None = None
    name: str
    phone: str
    email: str


class Organisation(Strict):
    """One organisation."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    key: str
    name: str
    short_name: str
    kind: str
    subkinds: list[str]
    uscc: str
    district: str | None
    region_code: str
    industry: str | None
    scale: str | None
    high_tech: bool
    address: str
    representative: str | None
    contact: Contact | None
    agency_filed_from: date | None = None
    agency_filed_to: date | None = None
    state: Literal["verified", "registered", "rejected"] = "verified"
    state_reason: str = ""


class Certificate(Strict):
    """A broker's certificate."""

    number: str
    issued_on: date
    hours: int


class Person(Strict):
    """One member of an organisation."""

    key: str
    name: str
    org: str
    roles: list[str]
    title: str
    fields: list[str]
    phone: str
    email: str
    level: str | None = None
    introduction: str = ""
    certificate: Certificate | None = None


class Share(Strict):
    """An owner and its part of the whole."""

    org: str
    share: float


class Industry(Strict):
    """A class of GB/T 4754."""

    code: str
    name: str


class Maturity(Strict):
    """A readiness level and what shows it."""

    trl: int
    evidence: str


class ComparisonLine(Strict):
    """One indicator against the best alternative."""

    indicator: str
    value: str
    alternative: str
    alternative_value: str
    unit: str | None
    evidence: str


class Right(Strict):
    """One intellectual property right."""

    kind: str
    number: str | None
    title: str
    legal_status: str
    filed_on: date | None
    expires_on: date | None


class Achievement(Strict):
    """One achievement; ``state`` is what it reaches without a listing or a deal."""

    key: str
    title: str
    owners: list[Share]
    inventors: list[str]
    field: str
    local_industry: str
    industry: Industry
    ipc: list[str]
    maturity: Maturity
    problem: str
    solution: str
    benefit: str
    comparison: list[ComparisonLine]
    ip_rights: list[Right]
    modes: list[str]
    expected_price_yuan: int | None
    fiscal_funded: bool
    keywords: list[str]
    visibility: dict[str, str]
    visibility_note: str
    confidential: str
    published_on: date | None
    confirmed_on: date | None
    state: Literal["published", "draft", "internal_review", "withdrawn", "expired"]
    approved_steps: int = 0
    withdrawn_on: date | None = None
    withdrawn_reason: str = ""
    returned_reason: str = ""


class Target(Strict):
    """One target indicator of a need."""

    name: str
    target: str
    unit: str
    present: str


class Need(Strict):
    """One need; ``fits`` and ``style`` are for readers and tests."""

    key: str
    organisation: str
    contact: str
    style: Literal["professional", "workshop"]
    title: str
    problem: str
    present_solution: str
    indicators: list[Target]
    budget_yuan: tuple[int, int] | None
    deadline: date
    cooperation: list[str]
    anonymous: bool
    field: str
    local_industry: str
    industry: Industry
    keywords: list[str]
    confidential: str
    fits: list[str]
    posted_on: date
    state: str
    closed_on: date | None = None
    closed_reason: str = ""
    returned_reason: str = ""


class SavedSearch(Strict):
    """A search that somebody keeps; an empty tab is that of the achievements."""

    by: str
    name: str
    q: str
    tab: Literal["", "needs"] = ""
    frequency: Literal["immediate", "daily", "weekly"]
    saved_on: date
