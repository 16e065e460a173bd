"""The shape of what the demo's people do: listings, deals, contracts, claims, orders, meetings."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field, field_validator

from marketplace.foundation.clock import LOCAL
from seed.demo.supply_records import Strict


class Intent(Strict):
    """A buyer's intent in a listing."""

    buyer: str
    after: int
    offer_yuan: int
    plan: str
    result: Literal["registered", "reported", "qualified", "rejected", "withdrawn", "barred"]
    reason: str = ""
    scores: tuple[int, ...] = ()


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


class Trial(Strict):
    """The terms of a trial before payment: a price for each unit, within a limit."""

    months: int
    conditions: str
    rate_yuan: int
    unit: str
    cap_yuan: int


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
    bids: tuple[tuple[str, int], ...] = ()
    bidding: Literal["ascending", "sealed", "weighted"] = "ascending"
    criteria: tuple[tuple[str, int], ...] = ()
    # A bidder's private limit, given before the session begins.
    limits: tuple[tuple[str, int], ...] = ()
    objection: Objection | None = None
    outcome: str
    reason: str = ""
    forfeits: bool = False
    extended: bool = False
    agent: tuple[str, str] = ("", "")
    trial: Trial | None = None
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


class Talked(Strict):
    """A meeting that was held before the serious talks, with what came of it."""

    kind: str
    topic: str
    place: str
    minutes: str


class Deal(Strict):
    """One deal on its way."""

    key: str
    pipeline: str | None = None
    changed_to: str | None = None
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
    notes: tuple[tuple[str, str], ...] = ()
    talk: Talked | None = None
    task: Task | None = None
    outcome: str = ""
    stage: str
    lost: Loss | None = None


class Asked(Strict):
    """A seller's application to change or cancel a registration, and its answer."""

    kind: Literal["change", "cancel"]
    day: date | None = None
    words: str
    amount: int | None = None
    months_more: int = 0
    answer: Literal["granted", "declined", "waiting"] = "granted"
    answer_words: str = ""


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
    items: tuple[tuple[str, int], ...] = ()
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
    # Whose duties the text holds where they differ from the form's subtype.
    clauses: str = ""
    # Whose text it repeats, and the project and the payment named in it.
    like: str = ""
    like_name: str = ""
    like_terms: str = ""
    phone: str = ""
    paid: bool = True
    decided: tuple[str, str] | None = None
    asked: Asked | None = None


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
    """An objection to a claim's publicity; it waits where there is no answer."""

    name: str
    contact: str
    text: str
    answer: str = ""
    upheld: bool = False


class Recognition(Strict):
    """A recognition that a claim rests on."""

    document: str
    recognised_on: date
    excellent: bool = False


class Training(Strict):
    """What one broker's training cost."""

    person: str
    certificate_no: str
    ended_on: date
    fee_yuan: int


class Claim(Strict):
    """One subsidy claim, in one of the rounds that the story opens."""

    key: str
    round: Literal["contracts", "fees", "vouchers"] = "contracts"
    organisation: str
    item: str
    applied_on: date
    outcome: str
    words: str = ""
    objection: PublicObjection | None = None
    recognition: Recognition | None = None
    trainings: tuple[Training, ...] = ()


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
    details: dict[str, str | int | date] = Field(default_factory=dict)
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
    repair_on: date | None = None
    deeds: str = ""
    repair_answer: str = ""


class Services(Strict):
    """services.yaml."""

    orders: list[Order]
    answers: list[Answer]
    requests: list[Request]
    integrity: list[Record]
