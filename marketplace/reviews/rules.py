"""The yearly review of a filed agency: words, scoring, grades, who may do what when.

Pure. Points and grades are dated data; the four grades and the end of a filing after two failed
years rest on 倍增计划 (draft) art. 12, applied as platform rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from marketplace.foundation.access import Actor, Permission, Role
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken
from marketplace.foundation.words import Word

CONDUCT = Permission("reviews.conduct", frozenset({Role.OPERATOR, Role.BUREAU_REVIEWER}))
SUPPLEMENT = Permission(
    "reviews.supplement",
    frozenset({Role.AGENCY_HEAD, Role.ORG_ADMIN, Role.OFFICER, Role.LEADER}),
)

SHORTEST_WORDS = 10
_TENTHS = 10
_WHOLE = 100


class Grade(Word):
    """What a year of an agency is graded."""

    EXCELLENT = "excellent", "优秀", "ok"
    GOOD = "good", "良好", "ok"
    FAIR = "fair", "合格", "neutral"
    UNFIT = "unfit", "不合格", "danger"


class ReviewState(Word):
    """Where a yearly review stands."""

    OPEN = "open", "待机构补充确认", "run"
    CONFIRMED = "confirmed", "待评定", "run"
    PUBLISHED = "published", "已公布，可申诉", "warn"
    APPEALED = "appealed", "申诉处理中", "warn"
    SETTLED = "settled", "已生效", "ok"


PUBLIC_STATES = frozenset({ReviewState.PUBLISHED, ReviewState.APPEALED, ReviewState.SETTLED})


class Indicator(Word):
    """What of an agency's year is counted."""

    BROKERED = "brokered", "促成合同金额"
    CONTRACTS = "contracts", "促成并登记的合同"
    IN_CITY = "in_city", "在济转化的金额占比"
    INTRODUCTIONS = "introductions", "介绍识别出的合同"
    ANSWER = "answer", "答复留言用时（中位数）"
    CERTIFIED = "certified", "持证技术经理人"
    TRAINING = "training", "经理人参训学时"
    RATING = "rating", "合同双方的评价"
    CANCELLED = "cancelled", "被撤销登记的合同"
    REJECTED = "rejected", "经认定不成立的佣金争议"
    CLAWED_BACK = "clawed_back", "被追回的补助"


# How a stored whole number is read: its unit and what divides it.
UNITS: Mapping[Indicator, tuple[str, int]] = {
    Indicator.BROKERED: ("元", 1),
    Indicator.CONTRACTS: ("份", 1),
    Indicator.IN_CITY: ("%", 10),
    Indicator.INTRODUCTIONS: ("份", 1),
    Indicator.ANSWER: ("个工作日", 10),
    Indicator.CERTIFIED: ("人", 1),
    Indicator.TRAINING: ("学时", 1),
    Indicator.RATING: ("分", 10),
    Indicator.CANCELLED: ("份", 1),
    Indicator.REJECTED: ("件", 1),
    Indicator.CLAWED_BACK: ("件", 1),
}


def written(indicator: Indicator, value: int | None) -> str:
    """Write a value with its unit; what there is no data of is said so."""
    if value is None:
        return "没有数据"
    unit, divisor = UNITS[indicator]
    number = f"{value:,}" if divisor == 1 else f"{value // divisor}.{value % divisor}"
    return f"{number} {unit}"


class EvidenceKind(Word):
    """What a figure rests on."""

    CONTRACT = "contract", "技术合同"
    CLAIM = "claim", "补助申报"
    BROKER = "broker", "技术经理人"
    DISPUTE = "dispute", "佣金争议"


@dataclass(frozen=True)
class Evidence:
    """One record behind a figure."""

    kind: EvidenceKind
    number: int
    label: str


@dataclass(frozen=True)
class Figure:
    """A value of the year with what it rests on."""

    indicator: Indicator
    value: int | None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Scale:
    """What an indicator earns: nothing at ``zero``, all ``points`` from ``full`` on.

    ``full`` below ``zero``: less is better. ``absent`` is the share in per cent without data.
    """

    indicator: Indicator
    points: int
    zero: int
    full: int
    absent: int

    def earned(self, value: int | None) -> int:
        """Return the tenths of a point that a value earns, half up."""
        if value is None:
            share = Fraction(self.absent, _WHOLE)
        else:
            share = Fraction(value - self.zero, self.full - self.zero)
            share = min(max(share, Fraction(0)), Fraction(1))
        return _half_up(share * self.points * _TENTHS)


@dataclass(frozen=True)
class Deduction:
    """The points that each of something takes away."""

    indicator: Indicator
    points: int


@dataclass(frozen=True)
class ReviewRule:
    """One version of the rule, with the least points of each grade but the last."""

    scales: tuple[Scale, ...]
    deductions: tuple[Deduction, ...]
    grades: tuple[tuple[Grade, int], ...]


@dataclass(frozen=True)
class Line:
    """One line of a score in tenths of a point; below zero where something is taken away."""

    indicator: Indicator
    tenths: int
    most: int


@dataclass(frozen=True)
class Score:
    """A year's points, line by line, with the grade that the rule gives them."""

    lines: tuple[Line, ...]
    tenths: int
    grade: Grade


def _half_up(value: Fraction) -> int:
    return int(value + Fraction(1, 2))


def grade_of(tenths: int, rule: ReviewRule) -> Grade:
    """Return the best grade whose least points are reached."""
    for grade, least in rule.grades:
        if tenths >= least * _TENTHS:
            return grade
    return Grade.UNFIT


def score(values: Mapping[Indicator, int | None], rule: ReviewRule) -> Score:
    """Score a year: the lines add up to the total, which does not fall below zero."""
    lines = [
        Line(scale.indicator, scale.earned(values.get(scale.indicator)), scale.points)
        for scale in rule.scales
    ]
    lines += [
        Line(each.indicator, -each.points * _TENTHS * (values.get(each.indicator) or 0), 0)
        for each in rule.deductions
    ]
    total = max(0, sum(line.tenths for line in lines))
    return Score(tuple(lines), total, grade_of(total, rule))


def points(tenths: int) -> str:
    """Write tenths of a point."""
    sign = "-" if tenths < 0 else ""
    return f"{sign}{abs(tenths) // _TENTHS}.{abs(tenths) % _TENTHS}"


def check_year(year: int, *, today: date) -> None:
    """Refuse a year that is not over, or that lies before any filing."""
    if not 2000 <= year < today.year:
        raise RuleBroken("reviews.year", "年度评价在年度结束以后进行，请选择已结束的年度", "year")


def check_party(actor: Actor, organisation_id: int) -> None:
    """Refuse who does not act for the agency; strangers are told nothing."""
    if actor.organisation_id != organisation_id:
        raise NotFound()


def check_confirm(state: ReviewState, *, organisation_id: int, actor: Actor) -> None:
    """Refuse who does not act for the agency, and what is confirmed already."""
    check_party(actor, organisation_id)
    if state is not ReviewState.OPEN:
        raise Conflict("reviews.confirmed", f"这项评价已经是“{state.label}”，不能再补充")


def check_recompute(state: ReviewState) -> None:
    """Refuse to compute anew what is decided."""
    if state not in (ReviewState.OPEN, ReviewState.CONFIRMED):
        raise Conflict("reviews.decided", f"这项评价已经是“{state.label}”，数据不再重算")


def check_decision(
    state: ReviewState, *, proposed: Grade, grade: Grade, reason: str, confirm_by: date, today: date
) -> None:
    """Refuse a decision before the agency confirmed or its term ended, and an unexplained grade."""
    if state is ReviewState.OPEN and today <= confirm_by:
        raise Conflict(
            "reviews.too_early",
            f"机构补充确认的期限到 {confirm_by.isoformat()}，在此之前要等机构确认",
        )
    if state not in (ReviewState.OPEN, ReviewState.CONFIRMED):
        raise Conflict("reviews.decided", f"这项评价已经是“{state.label}”，不能再次评定")
    if grade is not proposed and len(reason.strip()) < SHORTEST_WORDS:
        raise RuleBroken(
            "reviews.reason",
            f"评定的等次与按规则算出的“{proposed.label}”不同，请写明理由，"
            f"至少 {SHORTEST_WORDS} 个字，机构会看到",
            "reason",
        )


def check_appeal(state: ReviewState, *, words: str, appeal_by: date | None, today: date) -> str:
    """Return the trimmed words of an appeal; refuse one that is late or says nothing."""
    if state is not ReviewState.PUBLISHED:
        raise Conflict("reviews.not_published", f"这项评价是“{state.label}”，现在不能申诉")
    if appeal_by is None or today > appeal_by:
        raise Conflict("reviews.appeal_over", "申诉期限已过，评价结果已经生效")
    text = words.strip()
    if len(text) < SHORTEST_WORDS:
        raise RuleBroken(
            "reviews.appeal_words",
            f"请写明哪一项有误、依据是什么，至少 {SHORTEST_WORDS} 个字",
            "words",
        )
    return text


def check_appeal_decision(
    state: ReviewState, *, reason: str, decided_by_id: int | None, user_id: int | None
) -> str:
    """Return the trimmed reason; who graded the year does not decide the appeal against it."""
    if state is not ReviewState.APPEALED:
        raise Conflict("reviews.no_appeal", f"这项评价是“{state.label}”，没有待处理的申诉")
    if decided_by_id is not None and decided_by_id == user_id:
        raise RuleBroken("reviews.own_decision", "您作出了原评定，申诉请由其他同事处理")
    text = reason.strip()
    if len(text) < SHORTEST_WORDS:
        raise RuleBroken(
            "reviews.appeal_reason",
            f"请写明核查情况和处理理由，至少 {SHORTEST_WORDS} 个字，机构会看到",
            "reason",
        )
    return text


def ends_filing(grade: Grade | None, before: Grade | None) -> bool:
    """Tell whether a year's grade ends the filing: unfit, and unfit the year before."""
    return grade is Grade.UNFIT and before is Grade.UNFIT


def consequence(ended_on: date) -> str:
    """Say what the end of a filing does to the agency's subsidies (reading J)."""
    return (
        f"{ended_on.isoformat()} 及以前登记的合同照旧计入服务机构补助，已拨付的不受影响；"
        "之后登记的合同不再计入，重新备案以后登记的才重新计入"
    )


def per_mille(part: Sequence[int], whole: Sequence[int]) -> int | None:
    """Return the share of a part in the whole in per mille; None of nothing."""
    total = sum(whole)
    return None if total == 0 else _half_up(Fraction(sum(part) * 1000, total))
