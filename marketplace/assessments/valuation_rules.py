"""The value range by income, market or cost method, with the working shown; exact fractions.

Amounts are fen, rates are parts per million of the whole (``rate_ppm``), so that 12.5 % is exactly
125,000. Every shown line is floored to the fen and the sums add up what is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from marketplace.assessments.parameters import ValuationTerms
from marketplace.assessments.rules import ValuationMethod
from marketplace.foundation.errors import Problem, raise_if_any
from marketplace.foundation.money import Fen, format_yuan

PPM = 1_000_000


@dataclass(frozen=True)
class IncomeInput:
    """Income method: yearly revenue, the technology's share of it low and high, discount rate."""

    revenues_fen: tuple[Fen, ...]
    share_low_ppm: int
    share_high_ppm: int
    discount_ppm: int


@dataclass(frozen=True)
class Comparable:
    """A comparable deal: what, its price, and the factor that makes it comparable."""

    what: str
    price_fen: Fen
    factor_ppm: int


@dataclass(frozen=True)
class MarketInput:
    """Market method: comparable deals, each with its adjustment."""

    comparables: tuple[Comparable, ...]


@dataclass(frozen=True)
class CostItem:
    """What it costs to make the technology again."""

    what: str
    amount_fen: Fen


@dataclass(frozen=True)
class CostInput:
    """Cost method: items, a usual profit on them, and the loss of value low and high."""

    items: tuple[CostItem, ...]
    profit_ppm: int
    depreciation_low_ppm: int
    depreciation_high_ppm: int


MethodInput = IncomeInput | MarketInput | CostInput


@dataclass(frozen=True)
class WorkingLine:
    """One line of the working: what, how, and the amounts low and high."""

    what: str
    formula: str
    low_fen: Fen
    high_fen: Fen


@dataclass(frozen=True)
class MethodResult:
    """What one method gives."""

    method: ValuationMethod
    lines: tuple[WorkingLine, ...]
    low_fen: Fen
    high_fen: Fen
    explanation: str


def percent_text(ppm: int) -> str:
    """Write parts per million as a percentage without needless zeros, ``12.5 %``."""
    whole, rest = divmod(ppm, 10_000)
    decimals = f"{rest:04d}".rstrip("0")
    return f"{whole}.{decimals} %" if decimals else f"{whole} %"


def _floor(amount: Fraction) -> Fen:
    return Fen(amount.numerator // amount.denominator)


def _share(ppm: int) -> Fraction:
    return Fraction(ppm, PPM)


def _decimals(value: Fraction, places: int) -> str:
    scaled = value * 10**places
    whole, rest = divmod(scaled.numerator // scaled.denominator, 10**places)
    return f"{whole}.{rest:0{places}d}"


def by_income(data: IncomeInput) -> MethodResult:
    """Value = Σ revenue × share ÷ (1 + discount)^year, years counted from the base date."""
    rate = 1 + _share(data.discount_ppm)
    lines = []
    for year, revenue in enumerate(data.revenues_fen, start=1):
        factor = 1 / rate**year
        low = _floor(revenue * _share(data.share_low_ppm) * factor)
        high = _floor(revenue * _share(data.share_high_ppm) * factor)
        lines.append(
            WorkingLine(
                f"第 {year} 年",
                f"{format_yuan(revenue)} × 分成率 × 折现系数 {_decimals(factor, 6)}",
                low,
                high,
            )
        )
    return _sum(
        ValuationMethod.INCOME,
        lines,
        f"分成率 {percent_text(data.share_low_ppm)} 至 {percent_text(data.share_high_ppm)}，"
        f"折现率 {percent_text(data.discount_ppm)}；每年的现值舍去不足一分的部分后相加",
    )


def by_market(data: MarketInput) -> MethodResult:
    """Value lies between the lowest and the highest adjusted price of the comparable deals."""
    lines = []
    for deal in data.comparables:
        adjusted = _floor(deal.price_fen * _share(deal.factor_ppm))
        lines.append(
            WorkingLine(
                deal.what,
                f"{format_yuan(deal.price_fen)} × 修正系数 {percent_text(deal.factor_ppm)}",
                adjusted,
                adjusted,
            )
        )
    amounts = [line.low_fen for line in lines] or [Fen(0)]
    return MethodResult(
        ValuationMethod.MARKET,
        tuple(lines),
        min(amounts),
        max(amounts),
        f"{len(lines)} 个可比交易修正后的最低价与最高价",
    )


def by_cost(data: CostInput) -> MethodResult:
    """Value = Σ cost × (1 + profit) × (1 − depreciation)."""
    keep = 1 + _share(data.profit_ppm)
    lines = [
        WorkingLine(
            item.what,
            f"{format_yuan(item.amount_fen)} × (1 + 利润率) × (1 − 贬值率)",
            _floor(item.amount_fen * keep * (1 - _share(data.depreciation_high_ppm))),
            _floor(item.amount_fen * keep * (1 - _share(data.depreciation_low_ppm))),
        )
        for item in data.items
    ]
    return _sum(
        ValuationMethod.COST,
        lines,
        f"利润率 {percent_text(data.profit_ppm)}，贬值率 {percent_text(data.depreciation_low_ppm)} "
        f"至 {percent_text(data.depreciation_high_ppm)}；每项舍去不足一分的部分后相加",
    )


def _sum(method: ValuationMethod, lines: Sequence[WorkingLine], explanation: str) -> MethodResult:
    return MethodResult(
        method,
        tuple(lines),
        Fen(sum(line.low_fen for line in lines)),
        Fen(sum(line.high_fen for line in lines)),
        explanation,
    )


def compute(data: MethodInput) -> MethodResult:
    """Compute one method's range."""
    if isinstance(data, IncomeInput):
        return by_income(data)
    if isinstance(data, MarketInput):
        return by_market(data)
    return by_cost(data)


def check_input(data: MethodInput, terms: ValuationTerms) -> list[Problem]:
    """List what makes a method's figures unusable; empty when they can be computed with."""
    if isinstance(data, IncomeInput):
        return _check_income(data, terms)
    if isinstance(data, MarketInput):
        return _check_market(data, terms)
    return _check_cost(data)


def _check_income(data: IncomeInput, terms: ValuationTerms) -> list[Problem]:
    problems = []
    if not data.revenues_fen or not any(data.revenues_fen):
        problems.append(Problem("valuation.no_revenue", "收益法至少要有一年的预期收入", "revenues"))
    if len(data.revenues_fen) > terms.forecast_years_maximum:
        problems.append(
            Problem(
                "valuation.too_long",
                f"预测期最长 {terms.forecast_years_maximum} 年，且不应超过权利剩余年限",
                "revenues",
            )
        )
    if not 0 < data.share_low_ppm <= data.share_high_ppm <= PPM:
        problems.append(
            Problem(
                "valuation.share",
                "分成率应大于 0、不超过 100 %，且低值不大于高值",
                "share_low",
            )
        )
    least, most = terms.discount_rate_minimum_per_mille, terms.discount_rate_maximum_per_mille
    if not least * 1000 <= data.discount_ppm <= most * 1000:
        problems.append(
            Problem(
                "valuation.discount",
                f"折现率应在 {percent_text(least * 1000)} 到 {percent_text(most * 1000)} 之间",
                "discount",
            )
        )
    return problems


def _check_market(data: MarketInput, terms: ValuationTerms) -> list[Problem]:
    problems = []
    if len(data.comparables) < terms.comparables_minimum:
        problems.append(
            Problem(
                "valuation.comparables",
                f"市场法至少要 {terms.comparables_minimum} 个可比交易，"
                f"现在有 {len(data.comparables)} 个；找不到时请改用收益法或成本法",
                "comparables",
            )
        )
    if any(deal.price_fen <= 0 or deal.factor_ppm <= 0 for deal in data.comparables):
        problems.append(
            Problem("valuation.comparable", "可比交易的成交价和修正系数都要大于 0", "comparables")
        )
    return problems


def _check_cost(data: CostInput) -> list[Problem]:
    problems = []
    if not data.items or not any(item.amount_fen for item in data.items):
        problems.append(Problem("valuation.no_cost", "成本法至少要有一项成本", "costs"))
    if not 0 <= data.depreciation_low_ppm <= data.depreciation_high_ppm < PPM:
        problems.append(
            Problem(
                "valuation.depreciation",
                "贬值率应不小于 0、小于 100 %，且低值不大于高值",
                "depreciation_low",
            )
        )
    if not 0 <= data.profit_ppm <= PPM:
        problems.append(Problem("valuation.profit", "利润率应在 0 到 100 % 之间", "profit"))
    return problems


@dataclass(frozen=True)
class Conclusion:
    """The range that the report states, and for when it holds."""

    low_fen: Fen
    high_fen: Fen
    base_on: date
    valid_until: date
    reasoning: str


def hull(results: Sequence[MethodResult]) -> tuple[Fen, Fen]:
    """Return the widest range that the methods support."""
    return min(r.low_fen for r in results), max(r.high_fen for r in results)


def latest_validity(base_on: date, terms: ValuationTerms) -> date:
    """Return the last day on which a report with that base date may be used."""
    return base_on + timedelta(days=terms.validity_days)


def check_conclusion(
    conclusion: Conclusion, results: Sequence[MethodResult], terms: ValuationTerms, *, today: date
) -> None:
    """Refuse a range that no method supports, and dates that cannot be.

    A report may be used for a year from its base date (资产评估执业准则——资产评估报告, 第十条).
    """
    problems = []
    if not results:
        problems.append(Problem("valuation.no_method", "请至少用一种方法计算", "methods"))
    if not 0 < conclusion.low_fen <= conclusion.high_fen:
        problems.append(Problem("valuation.range", "评估值下限应大于 0，且不大于上限", "low"))
    elif results:
        low, high = hull(results)
        if conclusion.low_fen < low or conclusion.high_fen > high:
            problems.append(
                Problem(
                    "valuation.outside",
                    f"结论应在计算结果之内：{format_yuan(low)} 至 {format_yuan(high)} 元；"
                    "要超出，请先修改方法的取值并说明理由",
                    "low",
                )
            )
    if conclusion.base_on > today:
        problems.append(Problem("valuation.base_future", "评估基准日不能晚于今天", "base_on"))
    latest = latest_validity(conclusion.base_on, terms)
    if not conclusion.base_on < conclusion.valid_until <= latest:
        problems.append(
            Problem(
                "valuation.validity",
                f"有效期应晚于基准日，最迟到 {latest.isoformat()}（自基准日起 "
                f"{terms.validity_days} 天）",
                "valid_until",
            )
        )
    if len(conclusion.reasoning.strip()) < 20:
        problems.append(
            Problem("valuation.reasoning", "请说明为什么取这个区间，至少 20 个字", "reasoning")
        )
    raise_if_any(problems)
