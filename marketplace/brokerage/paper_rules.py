"""Drafts of three-party contracts: which type a deal asks for, and how its facts are written.

Pure. The five types are those of 民法典 book three, chapter 20; the broker is the third party,
the intermediary (中介人) of chapter 26.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.foundation.capitals import capital_yuan
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.trade import TradingMode
from marketplace.foundation.words import Word


class PaperType(Word):
    """The type of a three-party contract."""

    DEVELOPMENT = "development", "技术开发合同"
    TRANSFER = "transfer", "技术转让合同"
    LICENCE = "licence", "技术许可合同"
    CONSULTING = "consulting", "技术咨询合同"
    SERVICE = "service", "技术服务合同"


_TYPE_OF_MODE = {
    TradingMode.TRANSFER: PaperType.TRANSFER,
    TradingMode.EQUITY: PaperType.TRANSFER,
    TradingMode.DEVELOPMENT: PaperType.DEVELOPMENT,
    TradingMode.SERVICE: PaperType.SERVICE,
}


def type_of(mode: TradingMode | None) -> PaperType:
    """Return the type that a trading mode asks for: a licence where it moves no right."""
    return _TYPE_OF_MODE.get(mode, PaperType.LICENCE) if mode else PaperType.LICENCE


BLANK = "＿＿＿＿＿＿"


@dataclass(frozen=True, kw_only=True)
class PaperFacts:
    """What a deal knows of its contract; empty where it is not agreed yet."""

    title: str
    achievement: str
    mode: str
    amount_fen: Fen | None
    signed_on: date | None
    seller: str
    seller_uscc: str
    seller_representative: str
    buyer: str
    buyer_uscc: str
    buyer_representative: str
    agency: str
    agency_uscc: str
    broker: str
    introduction_digest: str
    introduced_on: date | None
    commissions: Sequence[str]


def values_of(facts: PaperFacts) -> dict[str, object]:
    """Return what stands in the template's places; what is not agreed stays a blank line."""

    def written(value: object) -> str:
        return str(value) if value else BLANK

    amount = facts.amount_fen
    return {
        "title": written(facts.title),
        "achievement": written(facts.achievement or facts.title),
        "mode": written(facts.mode),
        "amount": format_yuan(amount) if amount is not None else BLANK,
        "capital": capital_yuan(amount) if amount is not None else BLANK,
        "signed_on": facts.signed_on.isoformat() if facts.signed_on else BLANK,
        "seller": written(facts.seller),
        "seller_uscc": written(facts.seller_uscc),
        "seller_representative": written(facts.seller_representative),
        "buyer": written(facts.buyer),
        "buyer_uscc": written(facts.buyer_uscc),
        "buyer_representative": written(facts.buyer_representative),
        "agency": written(facts.agency),
        "agency_uscc": written(facts.agency_uscc),
        "broker": written(facts.broker),
        "introduction_digest": written(facts.introduction_digest),
        "introduced_on": facts.introduced_on.isoformat() if facts.introduced_on else BLANK,
        "commissions": list(facts.commissions) or [f"佣金由{BLANK}支付，金额{BLANK}元。"],
    }
