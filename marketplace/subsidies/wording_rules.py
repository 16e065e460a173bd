"""How rates, amounts, terms of validity and kinds are written in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache

from marketplace.contracts.rules import ContractType
from marketplace.foundation.money import Fen, format_yuan
from marketplace.subsidies.parameters import Policy, Voucher
from marketplace.subsidies.word_rules import Item, PartyKind


# The documents know few rates and few sets of kinds, a year's explanations name them 100,000 times.
@cache
def rate_text(rate: Fraction) -> str:
    """Write a rate as the documents do, ``3 %`` or ``1.5 ‰``."""
    scale, sign = (100, "%") if rate >= Fraction(1, 100) else (1000, "‰")
    figure = rate * scale
    shown = Decimal(figure.numerator) / Decimal(figure.denominator)
    return f"{shown:f}\u00a0{sign}"


def short_yuan(fen: Fen) -> str:
    """Write a threshold or cap of the documents, ``300 万元`` or ``10 亿元``."""
    for size, unit in ((10**10, "亿元"), (10**6, "万元")):
        if fen >= size and fen % size == 0:
            return f"{fen // size:,}\u00a0{unit}"
    return f"{format_yuan(fen)} 元"


def in_force_text(policy: Policy, on: date) -> str:
    """Say whether a document was in force on a day, and when it began or ran out."""
    since, until = policy.in_force.since, policy.in_force.until
    if on < since:
        return f"{policy.document_no}自 {since.isoformat()} 起施行，当时尚未施行"
    if until is not None and on > until:
        return f"{policy.document_no}已于 {until.isoformat()} 到期"
    return f"{policy.document_no}在施行期内"


def ran_out(item: Item, on: date, policies: Iterable[Policy]) -> tuple[str, ...]:
    """Name, for an item, the documents that are not in force on a day and since or until when.

    Empty where a document that pays the item is in force.
    """
    paying = [p for p in policies if p.terms_for(item) and not p.draft]
    if any(p.in_force.covers(on) for p in paying):
        return ()
    latest_first = sorted(paying, key=lambda p: p.in_force.until or date.max, reverse=True)
    return tuple(
        f"{in_force_text(p, on)}（{terms.article}）"
        for p in latest_first
        if (terms := p.terms_for(item)) is not None
    )


def types_text(types: Iterable[ContractType]) -> str:
    """List contract types in the order of the civil code."""
    wanted = set(types)
    return "、".join(kind.label for kind in ContractType if kind in wanted)


@cache
def kinds_text(kinds: frozenset[PartyKind]) -> str:
    """List kinds of organisation in a fixed order."""
    return "、".join(kind.label for kind in PartyKind if kind in kinds)


_HOLDERS = {"enterprise": "每家企业", "team": "每个团队", "institution": "每家机构"}


def holder_caps(voucher: Voucher) -> str:
    """Write a voucher's yearly caps by holder."""
    return "，".join(f"{_HOLDERS[cap.holder]} {short_yuan(cap.cap)}" for cap in voucher.caps)
