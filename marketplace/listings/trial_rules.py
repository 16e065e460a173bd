"""Trial before payment (先使用后付费): the period, its conditions, and what the price follows."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from marketplace.foundation.errors import Problem, RuleBroken, raise_if_any
from marketplace.foundation.money import MAX_FEN, Fen, format_yuan
from marketplace.foundation.words import Word

MONTHS_MAX = 36


class PriceFormula(Word):
    """What the price of a trial follows."""

    FIXED = "fixed", "试用合格后按约定价格支付"
    PER_UNIT = "per_unit", "按产量或用量计价"
    REVENUE_SHARE = "revenue_share", "按实施收入提成"


class TrialState(Word):
    """Where a trial stands."""

    OFFERED = "offered", "待签约", "neutral"
    RUNNING = "running", "试用中", "run"
    ADOPTED = "adopted", "采用，按公式付费", "ok"
    DROPPED = "dropped", "不采用，不付费", "neutral"


@dataclass(frozen=True)
class TrialTerms:
    """What buyer and seller agree on before the trial; amounts in fen, shares per mille.

    ``rate_fen`` is the fixed price, or the price of one ``unit``; ``cap_fen`` None: no limit.
    """

    months: int
    conditions: str
    formula: PriceFormula
    rate_fen: Fen = Fen(0)
    rate_per_mille: int = 0
    unit: str = ""
    floor_fen: Fen = Fen(0)
    cap_fen: Fen | None = None


def check_terms(terms: TrialTerms) -> None:
    """Refuse terms by which a price could not be computed or a trial could not end."""
    problems = []
    if not 1 <= terms.months <= MONTHS_MAX:
        problems.append(
            Problem("listings.trial_months", f"试用期应为 1 到 {MONTHS_MAX} 个月", "trial_months")
        )
    if len(terms.conditions.strip()) < 10:
        problems.append(
            Problem(
                "listings.trial_conditions",
                "请写明怎样算试用合格：在什么条件下、达到哪些指标，至少 10 个字",
                "trial_conditions",
            )
        )
    shared = terms.formula is PriceFormula.REVENUE_SHARE
    if shared and not 0 < terms.rate_per_mille <= 1000:
        problems.append(
            Problem("listings.trial_share", "提成比例应大于 0、不超过 100 %", "trial_share")
        )
    if not shared and not 0 < terms.rate_fen <= MAX_FEN:
        problems.append(Problem("listings.trial_rate", "请填写大于 0 的价格", "trial_rate"))
    if terms.formula is PriceFormula.PER_UNIT and not terms.unit.strip():
        problems.append(Problem("listings.trial_unit", "请写明按什么计价，如吨、台", "trial_unit"))
    if terms.cap_fen is not None and terms.cap_fen < terms.floor_fen:
        problems.append(Problem("listings.trial_cap", "最高价不能低于最低价", "trial_cap"))
    raise_if_any(problems)


def price_of(terms: TrialTerms, *, units: int, revenue_fen: Fen) -> Fen:
    """Compute the price by the formula from what was measured, within its floor and its cap.

    A share is floored to the fen. ``units`` are whole units, ``revenue_fen`` the whole revenue.
    """
    if units < 0 or revenue_fen < 0:
        raise RuleBroken("listings.trial_measure", "计量结果不能小于 0", "measured")
    if terms.formula is PriceFormula.FIXED:
        price = int(terms.rate_fen)
    elif terms.formula is PriceFormula.PER_UNIT:
        price = terms.rate_fen * units
    else:
        price = revenue_fen * terms.rate_per_mille // 1000
    price = max(price, terms.floor_fen)
    if terms.cap_fen is not None:
        price = min(price, terms.cap_fen)
    if price > MAX_FEN:
        raise RuleBroken("listings.trial_price", "算出的价格过大，请核对计量结果", "measured")
    return Fen(price)


def months_later(day: date, months: int) -> date:
    """Return the same day some months later, or the last day of a shorter month."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def formula_text(terms: TrialTerms) -> str:
    """Write the formula as the announcement shows it."""
    if terms.formula is PriceFormula.FIXED:
        said = f"试用合格后支付 {format_yuan(terms.rate_fen)} 元"
    elif terms.formula is PriceFormula.PER_UNIT:
        said = f"{format_yuan(terms.rate_fen)} 元 × 实际{terms.unit}数"
    else:
        whole, rest = divmod(terms.rate_per_mille, 10)
        said = f"实施收入 × {whole}{f'.{rest}' if rest else ''} %"
    if terms.floor_fen:
        said += f"，最低 {format_yuan(terms.floor_fen)} 元"
    if terms.cap_fen is not None:
        said += f"，最高 {format_yuan(terms.cap_fen)} 元"
    return said
