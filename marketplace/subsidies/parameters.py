"""The documents that pay, as dated data: one file each under seed/reference/policies.

Rates are exact fractions, caps and thresholds whole yuan turned into fen here, once. A file with
an unknown key, an inexact rate or two groups for one contract refuses to load.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from marketplace.contracts.rules import ContractType
from marketplace.foundation import reference, reference_messages
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import FEN_PER_YUAN, MAX_FEN, Fen
from marketplace.subsidies.word_rules import Base, Item, PartyKind, PolicyStatus

FOLDER = "policies"

_FRACTION = re.compile(r"[0-9]{1,9}(/[1-9][0-9]{0,8})?")


def _exact(value: object) -> Fraction:
    if not isinstance(value, str) or not _FRACTION.fullmatch(value):
        raise ValueError("比例要写成带斜杠的分数，例如 3/2000（即 1.5‰），不能写成小数")
    rate = Fraction(value)
    if not 0 < rate <= 1:
        raise ValueError(f"比例 {value} 应大于 0、不超过 1")
    return rate


def _fen(value: object) -> Fen:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError("金额要写成以元计的正整数，不带引号和逗号")
    if value * FEN_PER_YUAN > MAX_FEN:
        raise ValueError("金额超过 1000 亿元，请检查单位：这里以元计")
    return Fen(value * FEN_PER_YUAN)


Rate = Annotated[Fraction, BeforeValidator(_exact), PlainSerializer(str)]
Yuan = Annotated[Fen, BeforeValidator(_fen)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Validity(_Strict):
    """From the first day to the last, both included; without an end it is open."""

    since: date = Field(alias="from")
    until: date | None = Field(alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until is not None and self.until < self.since:
            raise ValueError("截止日早于开始日")
        return self

    def covers(self, day: date) -> bool:
        """Tell whether a day lies within."""
        return self.since <= day and (self.until is None or day <= self.until)

    def touches(self, year: int) -> bool:
        """Tell whether any day of a calendar year lies within."""
        return self.since <= date(year, 12, 31) and (
            self.until is None or self.until >= date(year, 1, 1)
        )


class Claimant(_Strict):
    """What an organisation must be to earn an item; no kinds means any kind."""

    in_city: bool = False
    sme: bool = False
    kinds: frozenset[PartyKind] = frozenset()


class Acceptance(_Strict):
    """Which contracts a group takes; no seller kinds means any seller."""

    types: frozenset[ContractType] = Field(min_length=1)
    seller_kinds: frozenset[PartyKind] = frozenset()
    seller_in_city: bool = False
    buyer_in_city: bool = False


class Group(_Strict):
    """Contracts that share a base, a rate and a yearly cap."""

    key: str
    label: str
    base: Base
    rate: Rate
    cap: Yuan = Field(alias="cap_yuan")
    accepts: tuple[Acceptance, ...] = Field(min_length=1)


class ItemTerms(_Strict):
    """What one document pays for one item, and on which terms."""

    item: Item
    article: str
    clause: str
    claimant: Claimant
    groups: tuple[Group, ...] = Field(min_length=1)
    threshold: Yuan | None = Field(default=None, alias="threshold_yuan")
    added_value: bool = False
    one_activity_once: bool = False
    filing_required: bool = False
    readings: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_group_for_a_type(self) -> Self:
        seen: dict[ContractType, str] = {}
        for group, acceptance in ((g, a) for g in self.groups for a in g.accepts):
            for kind in acceptance.types:
                if kind in seen:
                    raise ValueError(f"{kind.label}合同同时归入“{seen[kind]}”和“{group.label}”")
                seen[kind] = group.label
        if self.item is not Item.SELLER and (self.added_value or self.one_activity_once):
            raise ValueError("增值部分和同一活动只补一次只用于卖方补助")
        return self

    def group_for(self, kind: ContractType) -> tuple[Group, Acceptance] | None:
        """Return the group that takes a type of contract and the terms on which it does."""
        for group in self.groups:
            for acceptance in group.accepts:
                if kind in acceptance.types:
                    return group, acceptance
        return None


class ArticleRule(_Strict):
    """A rule that needs no number, with the article it stands in."""

    article: str


class SinglePayment(_Strict):
    """An amount that is paid for one event.

    ``review`` asks for a result of the provincial review. ``until`` ends a clause before its
    document, with the ``reading`` that says why.
    """

    key: str
    label: str
    article: str
    amount: Yuan = Field(alias="amount_yuan")
    frequency: Literal["once", "yearly"]
    condition: str = ""
    review: Literal["excellent"] | None = None
    until: date | None = None
    reading: str = ""

    @model_validator(mode="after")
    def _early_end_has_its_reading(self) -> Self:
        if self.until is not None and not self.reading:
            raise ValueError("写了 until（条款提前失效）就要写 reading（为什么）")
        return self


class FeePayment(_Strict):
    """A share of fees that an organisation paid."""

    key: str
    label: str
    article: str
    clause: str
    share: Rate
    claimant: Claimant
    reading: str = ""


class VoucherCap(_Strict):
    """What one holder may use in a year."""

    holder: Literal["enterprise", "team", "institution"]
    cap: Yuan = Field(alias="cap_yuan")


class Voucher(_Strict):
    """A voucher: a share of a fee, or a fixed value each."""

    key: str
    label: str
    article: str
    share: Rate | None = None
    each: Yuan | None = Field(default=None, alias="each_yuan")
    at_most_per_event: int | None = None
    caps: tuple[VoucherCap, ...]

    @model_validator(mode="after")
    def _share_or_value(self) -> Self:
        if (self.share is None) == (self.each is None):
            raise ValueError("创新券要么写比例 share，要么写面额 each_yuan，二者取一")
        return self


class Provision(_Strict):
    """A clause that computes nothing here but is shown with the document."""

    article: str
    text: str


class Policy(_Strict):
    """One document."""

    id: str = Field(pattern=r"^[a-z]+-\d{4}(-\d+)?$")
    document_no: str
    title: str
    short: str
    issuer: str
    status: PolicyStatus
    in_force: Validity
    in_force_reading: str = ""
    confirmed_on: date
    # Since when this data was known, where that is not the first day in force; and what a later
    # edition corrects in the one before it.
    known_from: date | None = None
    correction: str = ""
    no_fiscal_funds: ArticleRule | None = None
    one_role_per_contract: ArticleRule | None = None
    items: tuple[ItemTerms, ...]
    single_payments: tuple[SinglePayment, ...] = ()
    fees: tuple[FeePayment, ...] = ()
    vouchers: tuple[Voucher, ...] = ()
    references: tuple[Provision, ...] = ()

    @model_validator(mode="after")
    def _correction_has_its_day(self) -> Self:
        if self.correction and self.known_from is None:
            raise ValueError("写了 correction（更正了什么）就要写 known_from（从哪天起知道）")
        return self

    @model_validator(mode="after")
    def _items_once(self) -> Self:
        if len({terms.item for terms in self.items}) != len(self.items):
            raise ValueError("同一项补助在一份文件里只能写一次")
        return self

    @property
    def draft(self) -> bool:
        """Tell whether the document is a draft, which never pays."""
        return self.status is PolicyStatus.DRAFT

    @property
    def known_since(self) -> date:
        """Return the day from which this edition counts for what is decided."""
        return self.known_from or self.in_force.since

    @property
    def file_name(self) -> str:
        """Return the name its file must have: the id, for a correction with the day it is known."""
        return f"{self.id}@{self.known_from}" if self.correction else self.id

    @property
    def issued_order(self) -> tuple[date, str]:
        """Return what orders documents by age: of equal amounts the later one pays."""
        return self.in_force.since, self.id

    def as_if_in_force(self) -> Policy:
        """Return the same document without an end or a beginning, to compare what it would pay."""
        return self.model_copy(update={"in_force": _ALWAYS})

    def terms_for(self, item: Item) -> ItemTerms | None:
        """Return what the document pays for an item, or None."""
        return next((terms for terms in self.items if terms.item is item), None)


class Reading(_Strict):
    """How an unclear clause is read."""

    key: str
    title: str
    source: str
    text: str


class Readings(_Strict):
    """All readings, by letter."""

    readings: tuple[Reading, ...]


_ALWAYS = Validity.model_validate({"from": date.min, "to": None})


@cache
def readings() -> dict[str, Reading]:
    """Return the readings by letter."""
    listed = reference.load("subsidy_readings", Readings).readings
    return {reading.key: reading for reading in listed}


def load_policy(name: str) -> Policy:
    """Load one policy file by its name under seed/reference."""
    text = reference.text(name)
    return read_policy(name, reference_messages.parse(name, text), text)


def read_policy(name: str, content: object, text: str = "") -> Policy:
    """Build a policy from a file's content; refuse with the place and the reason, in Chinese.

    ``text`` is the file as it is written, to name the line.
    """
    try:
        policy = Policy.model_validate(content)
    except ValidationError as broken:
        told = reference_messages.explain(name, text, broken.errors(), _KEYS)
        raise RuleBroken("policies.invalid", told) from broken
    if name.rsplit("/", 1)[-1] != policy.file_name:
        raise RuleBroken(
            "policies.name",
            f"{name}.yaml 里的 id 是 {policy.id}，应与文件名相同；更正版的文件名是"
            f" {policy.id}@知悉日期.yaml，并写明 known_from 和 correction",
        )
    for terms, key in ((t, key) for t in policy.items for key in t.readings):
        if key not in readings():
            raise RuleBroken(
                "policies.reading", f"{name}.yaml：{terms.article}引用了不存在的释读 {key}"
            )
    return policy


def _keys(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items())


# What may stand under a key, by that key; the file itself has none.
_KEYS = {
    "": _keys(Policy),
    "in_force": _keys(Validity),
    "items": _keys(ItemTerms),
    "claimant": _keys(Claimant),
    "groups": _keys(Group),
    "accepts": _keys(Acceptance),
    "single_payments": _keys(SinglePayment),
    "fees": _keys(FeePayment),
    "vouchers": _keys(Voucher),
    "caps": _keys(VoucherCap),
    "references": _keys(Provision),
    "no_fiscal_funds": _keys(ArticleRule),
    "one_role_per_contract": _keys(ArticleRule),
}


@cache
def editions() -> tuple[Policy, ...]:
    """Return every document in each edition of its data, by the day from which it was known."""
    loaded = [load_policy(name) for name in reference.names(FOLDER)]
    loaded.sort(key=lambda policy: (policy.known_since, policy.issued_order))
    return tuple(loaded)


def editions_of(policy_id: str) -> tuple[Policy, ...]:
    """Return one document's editions, the first one first."""
    return tuple(policy for policy in editions() if policy.id == policy_id)


def policies(known_on: date | None = None) -> tuple[Policy, ...]:
    """Return every document, oldest first, in its latest edition.

    With ``known_on`` as it was known on that day: a later correction is left out, and so is a
    document that nobody knew yet. What was decided on a day is computed again with these.
    """
    known: dict[str, Policy] = {}
    for policy in editions():
        if known_on is None or policy.known_since <= known_on:
            known[policy.id] = policy
    return tuple(sorted(known.values(), key=lambda policy: policy.issued_order))


def select_policies(
    ids: Iterable[str] = (),
    *,
    include_drafts: bool = False,
    known_on: date | None = None,
) -> tuple[Policy, ...]:
    """Return the documents with the given ids (all when none is given), drafts only if asked for.

    An unknown id raises ``RuleBroken`` and names the known ones.
    """
    known = {policy.id: policy for policy in policies(known_on)}
    wanted = tuple(ids) or tuple(known)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise RuleBroken(
            "policies.unknown",
            f"没有编号为 {'、'.join(unknown)} 的文件；可选：{'、'.join(known)}",
        )
    chosen = [known[name] for name in dict.fromkeys(wanted)]
    usable = [policy for policy in chosen if include_drafts or not policy.draft]
    return tuple(sorted(usable, key=lambda policy: policy.issued_order))
