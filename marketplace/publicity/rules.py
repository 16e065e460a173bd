"""The words and rules of public notices: how long, who may object, when a notice is over.

《山东省促进科技成果转化条例》第十四条: a negotiated price stands before the public with name and
price for at least fifteen days, with the way to object, and the result of objections follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from marketplace.foundation.access import Permission, Role
from marketplace.foundation.clock import local_date, local_midnight
from marketplace.foundation.errors import Problem, RuleBroken, raise_if_any
from marketplace.foundation.words import Word


class PublicityKind(Word):
    """What a notice is about."""

    NEGOTIATED_PRICE = "negotiated_price", "协议定价公示"
    TRADING_RESULT = "trading_result", "成交结果公示"
    SUBSIDY_CLAIM = "subsidy_claim", "补助公示"


class PublicityState(Word):
    """Where a notice stands."""

    OPEN = "open", "公示中", "run"
    SUSPENDED = "suspended", "因异议中止", "warn"
    PASSED = "passed", "公示通过", "ok"
    OVERTURNED = "overturned", "异议成立", "danger"


class ObjectionState(Word):
    """Where an objection stands."""

    OPEN = "open", "待答复", "run"
    UPHELD = "upheld", "异议成立", "danger"
    NOT_UPHELD = "not_upheld", "异议不成立", "neutral"


RUNNING = (PublicityState.OPEN, PublicityState.SUSPENDED)

# An objection to a price or a result is answered by the operator, one to a subsidy by the offices
# that review it.
_DECIDERS: dict[PublicityKind, frozenset[Role]] = {
    PublicityKind.NEGOTIATED_PRICE: frozenset({Role.OPERATOR}),
    PublicityKind.TRADING_RESULT: frozenset({Role.OPERATOR}),
    PublicityKind.SUBSIDY_CLAIM: frozenset(
        {Role.DISTRICT_REVIEWER, Role.CENTRE_REVIEWER, Role.BUREAU_REVIEWER}
    ),
}

# Parameter key of the shortest period of each kind.
MINIMUM: dict[PublicityKind, str] = {
    PublicityKind.NEGOTIATED_PRICE: "negotiated_publicity_days",
    PublicityKind.TRADING_RESULT: "result_publicity_workdays",
    PublicityKind.SUBSIDY_CLAIM: "claim_publicity_workdays",
}

DECIDE = Permission(
    "publicity.decide",
    frozenset({Role.OPERATOR, Role.DISTRICT_REVIEWER, Role.CENTRE_REVIEWER, Role.BUREAU_REVIEWER}),
)


def deciders(kind: PublicityKind) -> frozenset[Role]:
    """Return the roles that answer objections to a kind of notice."""
    return _DECIDERS[kind]


def counts_workdays(kind: PublicityKind) -> bool:
    """Tell whether a kind's shortest period is counted in working days."""
    return MINIMUM[kind].endswith("_workdays")


def check_period(kind: PublicityKind, *, ends_on: date, earliest: date, least: int) -> None:
    """Refuse a notice that would end before ``earliest``, the end of its shortest period."""
    if ends_on >= earliest:
        return
    unit = "个工作日" if counts_workdays(kind) else "天"
    raise RuleBroken(
        "publicity.too_short",
        f"{kind.label}不得少于 {least} {unit}，最早到 {earliest.isoformat()} 结束；"
        "请把截止日改到这一天或以后",
        "ends_on",
    )


def earliest_end(opened_on: date, days: int) -> date:
    """Return the last day of a period of calendar days that begins the day after ``opened_on``."""
    return opened_on + timedelta(days=days)


def closes_at(ends_on: date) -> datetime:
    """Return the moment at which a notice that runs through ``ends_on`` is over."""
    return local_midnight(ends_on + timedelta(days=1))


def days_left(ends_on: date, now: datetime) -> int:
    """Count the calendar days from today's date to the last day; negative when past."""
    return (ends_on - local_date(now)).days


@dataclass(frozen=True)
class Objector:
    """Who objects: a member, or a person of the public with a name and a way to be answered."""

    name: str
    contact: str


def check_objection(
    *, state: PublicityState, closes: datetime, now: datetime, text: str, objector: Objector
) -> None:
    """Refuse an objection outside the period, without grounds, or without a name and contact."""
    if state not in RUNNING or now >= closes:
        last = local_date(closes - timedelta(seconds=1))
        raise RuleBroken(
            "publicity.over",
            f"公示期到 {last.isoformat()} 为止，已经结束，不能再提异议；"
            "可以向交易中心或主管部门反映",
        )
    problems = []
    if len(text.strip()) < 10:
        problems.append(
            Problem("publicity.no_grounds", "请写明异议的事实和理由，至少 10 个字", "text")
        )
    if not objector.name.strip():
        problems.append(
            Problem("publicity.no_name", "请填写姓名或单位名称，匿名异议无法核实和答复", "name")
        )
    if len(objector.contact.strip()) < 5:
        problems.append(
            Problem(
                "publicity.no_contact", "请填写电话或电子邮箱，否则收不到答复；不会公开", "contact"
            )
        )
    raise_if_any(problems)


def check_answer(state: ObjectionState, answer: str) -> None:
    """Refuse a second decision, and a decision without an answer to publish."""
    if state is not ObjectionState.OPEN:
        raise RuleBroken("publicity.decided", "这条异议已经答复并公布，不能再改")
    if len(answer.strip()) < 10:
        raise RuleBroken(
            "publicity.no_answer", "请写明核查情况和处理意见，至少 10 个字；答复会公开", "answer"
        )


def after_decision(state: PublicityState, *, upheld: bool, others_open: bool) -> PublicityState:
    """Return the notice's state after one of its objections was decided."""
    if state is PublicityState.OVERTURNED or upheld:
        return PublicityState.OVERTURNED
    return PublicityState.SUSPENDED if others_open else PublicityState.OPEN


def may_pass(state: PublicityState, *, closes: datetime, now: datetime) -> bool:
    """Tell whether a notice has stood its whole period and no objection waits."""
    return state is PublicityState.OPEN and now >= closes
