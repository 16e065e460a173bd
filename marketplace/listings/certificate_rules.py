"""The transaction certificate: what it states, and what a file handed in for verification is.

It serves a public unit as proof of pricing (倍增计划, 15). A file is genuine when it is, byte for
byte, what was issued; one byte more, less or other makes it a changed one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.foundation.errors import Conflict
from marketplace.foundation.words import Word

NUMBER = re.compile(rb"JY-\d{4}-\d{4,}")
_NUMBER_TEXT = re.compile(r"JY-\d{4}-\d{4,}")


class CertificateState(Word):
    """Where a certificate stands."""

    ISSUED = "issued", "有效", "ok"
    WITHDRAWN = "withdrawn", "已撤销", "danger"


class FileFinding(Word):
    """What a file handed in for verification is."""

    GENUINE = "genuine", "真实，未改动", "ok"
    WITHDRAWN = "withdrawn_file", "文件未改动，但凭证已撤销", "danger"
    CHANGED = "changed", "已被改动，不是交易中心出具的原件", "danger"
    UNKNOWN = "unknown_file", "不是本平台出具的凭证", "warn"


@dataclass(frozen=True)
class Line:
    """One line of a certificate as it is printed."""

    label: str
    value: str


@dataclass(frozen=True)
class TradeFacts:
    """All that a certificate states of a trade; amounts and days as they are printed."""

    listing_number: str
    subject: str
    rights: tuple[str, ...]
    seller: str
    seller_uscc: str
    buyer: str
    buyer_uscc: str
    trading_mode: str
    pricing_mode: str
    base_price: str
    listed_from: date
    listed_to: date
    intent_count: int
    bid_count: int
    price: str
    price_capital: str
    payment: str
    publicity_from: date
    publicity_to: date
    objections: str
    contract_no: str
    registered_on: date
    related: bool


@dataclass(frozen=True)
class SealReading:
    """What a file's seal says: whose it is, and whether what it covers is whole."""

    owner: str
    whole: bool


def lines_of(facts: TradeFacts) -> list[Line]:
    """Write the facts as the certificate prints them, in its order."""
    return [
        Line("挂牌编号", facts.listing_number),
        Line("标的", facts.subject),
        Line("知识产权", "；".join(facts.rights) or "只交易技术，没有登记权利"),
        Line("转让方", f"{facts.seller}　{facts.seller_uscc}"),
        Line("受让方", f"{facts.buyer}　{facts.buyer_uscc}"),
        Line("转化方式", facts.trading_mode),
        Line("定价方式", facts.pricing_mode),
        Line("挂牌底价", facts.base_price),
        Line("挂牌期间", f"{facts.listed_from.isoformat()} 至 {facts.listed_to.isoformat()}"),
        Line("意向与报价", f"{facts.intent_count} 家，{facts.bid_count} 次"),
        Line("成交价", f"{facts.price}（大写：{facts.price_capital}）"),
        Line("付款", facts.payment),
        Line("公示", f"{facts.publicity_from.isoformat()} 至 {facts.publicity_to.isoformat()}"),
        Line("异议", facts.objections),
        Line("关联关系", "有，公示时已注明" if facts.related else "未申报"),
        Line("合同编号", facts.contract_no),
        Line("登记日期", facts.registered_on.isoformat()),
    ]


def digest(content: bytes) -> str:
    """Return the digest that names a file, hexadecimal SHA-256."""
    return hashlib.sha256(content).hexdigest()


def numbers_in(content: bytes) -> list[str]:
    """List the certificate numbers that stand readable in a file, each once."""
    return sorted({found.decode() for found in NUMBER.findall(content)})


def clean_number(text: str) -> str:
    """Return the number in what was typed or scanned, also out of a whole address; else nothing."""
    found = _NUMBER_TEXT.search(text.strip().upper())
    return found.group() if found else ""


def first_difference(one: bytes, other: bytes) -> int | None:
    """Return where two files first differ, counted from 1, or None when they are equal."""
    shorter = min(len(one), len(other))
    if one[:shorter] == other[:shorter]:
        return None if len(one) == len(other) else shorter + 1
    low, high = 0, shorter
    while high - low > 1:
        middle = (low + high) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle
    return high


def check_standing(state: CertificateState) -> None:
    """Refuse to withdraw a certificate twice."""
    if state is CertificateState.WITHDRAWN:
        raise Conflict("certificates.withdrawn", "这份凭证已经撤销，不必再撤销")


def objections_text(outcomes: Sequence[str]) -> str:
    """Write what became of the objections to the notice."""
    return f"{len(outcomes)} 项，{'、'.join(sorted(set(outcomes)))}" if outcomes else "无"
