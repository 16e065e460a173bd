"""The shape of the demo's YAML files; an unknown or missing key stops the load."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, field_validator

from marketplace.foundation.clock import LOCAL


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


class Intent(Strict):
    """A buyer's intent in a listing."""

    buyer: str
    after: int
    offer_yuan: int
    plan: str
    result: Literal["registered", "reported", "qualified", "rejected", "withdrawn"]
    reason: str = ""


class Agreed(Strict):
    """A negotiated price, so many working days after the announcement."""

    price_yuan: int
    after: int


class Objection(Strict):
    """What somebody of the public objects, so many days after the notice began."""

    name: str
    contact: str
    text: str
    after_days: int = 2
    answer: str = ""
    upheld: bool = False


class Listing(Strict):
    """One listing."""

    key: str
    achievement: str
    title: str
    pricing: str
    mode: str
    base_price_yuan: int
    deposit_yuan: int
    increment_yuan: int = 0
    payment_mode: str
    payment_terms: str
    conditions: str
    applied_on: date
    intents: list[Intent]
    agreed: Agreed | None = None
    bids: list[tuple[str, int]] = []
    objection: Objection | None = None
    outcome: str
    reason: str = ""
    extended: bool = False
    contract: str | None = None


class Commission(Strict):
    """What a broker is to get: a rate of the price or a fixed amount."""

    payer: str
    rate_percent: float | None = None
    fixed_yuan: int | None = None
    confirmed: bool = True


class Task(Strict):
    """The next thing to do on a deal."""

    what: str
    due_on: date


class Loss(Strict):
    """Why a deal came to nothing."""

    reason: str
    words: str
    lost_on: date | None = None


class Deal(Strict):
    """One deal on its way."""

    key: str
    achievement: str
    need: str | None = None
    buyer: str
    broker: str | None
    opened_on: date
    listing: str | None = None
    contract: str | None = None
    agreement: str
    revoked: str = ""
    mode: str
    amount_yuan: int | None = None
    commission: Commission | None = None
    notes: list[tuple[str, str]] = []
    task: Task | None = None
    outcome: str = ""
    stage: str
    lost: Loss | None = None


class Contract(Strict):
    """One technology contract."""

    key: str
    deal: str | None = None
    seller: str | None = None
    buyer: str | None = None
    agency: str | None = None
    registrar: str
    name: str
    type: str
    subtype: str
    signed_on: date | None = None
    months: int
    amount: int | None = None
    technology: int | None = None
    items: list[tuple[str, int]] = []
    exempt: bool = False
    pay: str
    terms: str
    ip: str | None
    field: str | None = None
    objective: str
    industry: str
    plan: str = "none"
    fiscal: bool = False
    related: str = ""
    project: str = ""
    activity: str = ""
    outcome: str = "registered"
    reason: str = ""
    words: str = ""
    corrected: str = ""
    changed_amount: int | None = None
    changed_technology: int | None = None


class Assessment(Strict):
    """One assessment."""

    key: str
    achievement: str
    assessor: str | None
    requested_on: date
    method: str = "income"
    base_on: date | None = None
    range_yuan: tuple[int, int] | None = None
    fee_yuan: int = 0
    outcome: str
    comment: str = ""


class PublicObjection(Strict):
    """An objection to a claim's publicity."""

    name: str
    contact: str
    text: str


class Claim(Strict):
    """One subsidy claim."""

    key: str
    organisation: str
    item: str
    applied_on: date
    outcome: str
    words: str = ""
    objection: PublicObjection | None = None


class Meeting(Strict):
    """One meeting, roadshow or training."""

    key: str
    kind: str
    title: str
    organiser: str
    starts: datetime
    ends: datetime
    place: str
    capacity: int
    vouchers: bool = False
    description: str
    attend: list[str]
    present: int
    cancelled: str = ""

    @field_validator("starts", "ends", mode="before")
    @classmethod
    def _local(cls, value: str) -> datetime:
        return datetime.strptime(value, "%Y-%m-%d %H:%M").replace(tzinfo=LOCAL)


class Order(Strict):
    """One service order."""

    key: str
    kind: str
    customer: str
    provider: str
    achievement: str | None = None
    asked_on: date
    title: str
    brief: str
    details: dict[str, str | int | date] = {}
    fee: int
    voucher: bool = False
    outcome: str
    note: str = ""


class Answer(Strict):
    """我能解决: an answer to a need."""

    need: str
    by: str
    achievement: str | None = None
    asked_on: date
    text: str
    state: str
    reason: str = ""


class Request(Strict):
    """An enterprise asks a broker to get in touch."""

    asker: str
    broker: str
    asked_on: date
    text: str
    state: str
    answer: str = ""


class Record(Strict):
    """An integrity record."""

    organisation: str
    ground: str
    document: str
    starts_on: date
    ends_on: date
    reason: str
    recorded_on: date
    revoked_on: date | None = None
    revoked_reason: str = ""


class Services(Strict):
    """services.yaml."""

    orders: list[Order]
    answers: list[Answer]
    requests: list[Request]
    integrity: list[Record]


class Content(Strict):
    """All of the demo's content."""

    organisations: list[Organisation]
    people: list[Person]
    achievements: list[Achievement]
    needs: list[Need]
    listings: list[Listing]
    assessments: list[Assessment]
    deals: list[Deal]
    contracts: list[Contract]
    claims: list[Claim]
    events: list[Meeting]
    services: Services


Model = TypeVar("Model", bound=BaseModel)

# The C loader reads the 12,000 lines in a fraction of the time.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def content() -> Content:
    """Read all files of seed/demo."""
    folder = files("seed.demo")

    def read(name: str) -> object:
        text = folder.joinpath(f"{name}.yaml").read_text(encoding="utf-8")
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 -- a safe loader, C or Python

    whole: dict[str, object] = {"services": read("services")}
    for name in Content.model_fields:
        if name != "services":
            part = read(name)
            assert isinstance(part, dict)
            whole[name] = part[name]
    return Content.model_validate(whole)
