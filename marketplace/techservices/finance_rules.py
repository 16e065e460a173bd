"""科技金融 "评、保、贷、投、易": evaluation, guarantee, loan, investment, exchange."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.foundation.errors import Problem
from marketplace.foundation.money import Fen, format_yuan
from marketplace.techservices.rules import ServiceKind

_TERM_MOST = 120
_WITH_TERM = frozenset({ServiceKind.GUARANTEE, ServiceKind.LOAN})
_WITH_AMOUNT = _WITH_TERM | {ServiceKind.INVESTMENT}


@dataclass(frozen=True)
class FinanceDetails:
    """How much is wanted, for how long, what for, and what stands behind it."""

    purpose: str
    amount_fen: Fen | None = None
    term_months: int | None = None
    pledge: str = ""


def check(kind: ServiceKind, details: FinanceDetails) -> list[Problem]:
    """List what is missing: an amount for money, a term for credit, a purpose for all."""
    problems = []
    if len(details.purpose.strip()) < 6:
        problems.append(Problem("finance.purpose", "请写明资金用途或评价目的", "purpose"))
    if kind in _WITH_AMOUNT and not details.amount_fen:
        problems.append(Problem("finance.amount", f"{kind.label}要写明金额", "amount"))
    if kind in _WITH_TERM and not details.term_months:
        problems.append(Problem("finance.term", f"{kind.label}要写明期限", "term_months"))
    if details.term_months is not None and not 1 <= details.term_months <= _TERM_MOST:
        problems.append(
            Problem("finance.term_range", f"期限应在 1 到 {_TERM_MOST} 个月之间", "term_months")
        )
    return problems


def facts(details: FinanceDetails) -> list[tuple[str, str]]:
    """List the details for the page."""
    amount = details.amount_fen
    return [
        ("用途", details.purpose),
        ("金额", f"{format_yuan(amount)} 元" if amount is not None else ""),
        ("期限", f"{details.term_months} 个月" if details.term_months else ""),
        ("质押或担保", details.pledge),
    ]
