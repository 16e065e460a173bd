"""Words, permissions and states of service orders and meetings; pure.

What each kind of service asks for stands in a file of its own: ``ip_rules``, ``finance_rules``,
``park_rules``, ``instrument_rules``; ``line_rules`` joins them.
"""

from __future__ import annotations

from datetime import date, datetime

from marketplace.foundation.access import PUBLIC, SIGNED_IN, Permission, Role
from marketplace.foundation.errors import Conflict, Problem, RuleBroken, raise_if_any
from marketplace.foundation.words import Word


class ServiceLine(Word):
    """The services that are ordered here."""

    IP = "ip", "知识产权"
    FINANCE = "finance", "科技金融"
    PARK = "park", "园区落地"
    INSTRUMENT = "instrument", "大型仪器共享"


class ServiceKind(Word):
    """What exactly is ordered."""

    FILING = "ip_filing", "专利申请"
    CHANGE = "ip_change", "著录项目变更"
    RECORDAL = "ip_recordal", "许可与转让备案"
    ANNUAL_FEE = "ip_annual_fee", "年费代缴"
    WATCH = "ip_watch", "专利监控"
    EVALUATION = "finance_evaluation", "评：投融资评价"
    GUARANTEE = "finance_guarantee", "保：融资担保"
    LOAN = "finance_loan", "贷：科技贷款"
    INVESTMENT = "finance_investment", "投：股权投资"
    EXCHANGE = "finance_exchange", "易：股权与收益权转让"
    LANDING = "park_landing", "项目落地"
    INSTRUMENT_USE = "instrument_use", "仪器检测与试验"


class OrderState(Word):
    """Where an order stands; one-way."""

    REQUESTED = "requested", "待接受", "neutral"
    ACCEPTED = "accepted", "已接受", "run"
    IN_PROGRESS = "in_progress", "办理中", "run"
    DELIVERED = "delivered", "待客户确认", "warn"
    CONFIRMED = "confirmed", "已确认", "ok"
    DECLINED = "declined", "未接受", "danger"
    WITHDRAWN = "withdrawn", "已撤回", "neutral"


_S = OrderState

TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    _S.REQUESTED: frozenset({_S.ACCEPTED, _S.DECLINED, _S.WITHDRAWN}),
    _S.ACCEPTED: frozenset({_S.IN_PROGRESS, _S.DELIVERED}),
    _S.IN_PROGRESS: frozenset({_S.IN_PROGRESS, _S.DELIVERED}),
    _S.DELIVERED: frozenset({_S.CONFIRMED}),
    _S.CONFIRMED: frozenset(),
    _S.DECLINED: frozenset(),
    _S.WITHDRAWN: frozenset(),
}
OPEN_STATES = tuple(state for state in OrderState if TRANSITIONS[state])


class MeetingKind(Word):
    """What people come together for (对接会, 路演, 培训)."""

    MATCHMAKING = "matchmaking", "对接会"
    ROADSHOW = "roadshow", "路演"
    TRAINING = "training", "培训"


class MeetingState(Word):
    """Where a meeting stands; that it is over is a matter of time."""

    OPEN = "open", "报名中", "ok"
    FULL = "full", "名额已满", "warn"
    OVER = "over", "已结束", "neutral"
    CANCELLED = "cancelled", "已取消", "danger"


# That it has not ended: until then it is cancelled and places are given back.
COMING = frozenset({MeetingState.OPEN, MeetingState.FULL})


class VoucherKind(Word):
    """创新券 that an order or an attendance can carry (济科发〔2019〕78号)."""

    INSTRUMENT = "instrument", "大型仪器共享券"
    EVENT = "event", "活动券"


SEE_HALL = PUBLIC
ORDER = Permission("techservices.order", frozenset({Role.OFFICER, Role.ENTERPRISE, Role.ORG_ADMIN}))
SERVE = Permission("techservices.serve", frozenset({Role.PROVIDER, Role.OFFICER, Role.ORG_ADMIN}))
SEE_ORDERS = Permission(
    "techservices.see_orders",
    frozenset({Role.OFFICER, Role.ENTERPRISE, Role.ORG_ADMIN, Role.PROVIDER, Role.OPERATOR}),
    verified=False,
)
ORGANISE = Permission(
    "techservices.organise",
    frozenset({Role.OPERATOR, Role.PROVIDER, Role.AGENCY_HEAD, Role.OFFICER}),
)
ATTEND = SIGNED_IN

REASON_MIN = 4
TITLE_MIN = 4


def move(state: OrderState, to: OrderState) -> OrderState:
    """Return the new state, or refuse with ``Conflict`` when the step does not exist."""
    if to not in TRANSITIONS[state]:
        raise Conflict(
            "techservices.state",
            f"这份委托现在是“{state.label}”，不能变为“{to.label}”；请刷新页面看最新状态",
        )
    return to


def check_text(text: str, what: str, *, field: str, least: int = REASON_MIN) -> str:
    """Return the trimmed text; refuse one too short for the other side to act on."""
    trimmed = text.strip()
    if len(trimmed) < least:
        raise RuleBroken(
            "techservices.too_short", f"请写明{what}，至少 {least} 个字，对方要据此办理", field
        )
    return trimmed


def meeting_state(
    *, cancelled: bool, ends_at: datetime, seats_left: int, now: datetime
) -> MeetingState:
    """Return how a meeting stands at a moment."""
    if cancelled:
        return MeetingState.CANCELLED
    if now >= ends_at:
        return MeetingState.OVER
    return MeetingState.OPEN if seats_left > 0 else MeetingState.FULL


def check_meeting(
    *,
    title: str,
    place: str,
    starts_at: datetime,
    ends_at: datetime,
    capacity: int,
    now: datetime,
) -> None:
    """Refuse a meeting without a name or a place, that ends before it begins, or lies past."""
    problems = []
    if len(title.strip()) < TITLE_MIN:
        problems.append(Problem("meetings.title", f"活动名称至少 {TITLE_MIN} 个字", "title"))
    if not place.strip():
        problems.append(Problem("meetings.place", "请写明地点；线上活动写入会方式", "place"))
    if ends_at <= starts_at:
        problems.append(Problem("meetings.order", "结束时间应晚于开始时间", "ends_at"))
    if starts_at <= now:
        problems.append(Problem("meetings.past", "开始时间应晚于现在", "held_on"))
    if not 1 <= capacity <= 2000:
        problems.append(Problem("meetings.capacity", "名额应在 1 到 2000 之间", "capacity"))
    raise_if_any(problems)


def check_sign_up(state: MeetingState) -> None:
    """Refuse a sign-up where none is taken, and say why."""
    reasons = {
        MeetingState.FULL: "名额已满；有人取消时会空出名额，可以稍后再看",
        MeetingState.OVER: "活动已经结束，不能再报名",
        MeetingState.CANCELLED: "活动已经取消",
    }
    if state in reasons:
        raise RuleBroken("meetings.closed", reasons[state])


def check_give_up(state: MeetingState) -> None:
    """Refuse to give back a place that nobody can take any more: who stayed away stays listed."""
    if state not in COMING:
        raise Conflict("meetings.not_open", f"活动{state.label}，不用再取消报名")


def check_check_in(*, starts_on: date, today: date, cancelled: bool) -> None:
    """Refuse to check somebody in before the day of the meeting or after a cancelled one."""
    if cancelled:
        raise RuleBroken("meetings.cancelled", "活动已经取消，不能签到")
    if today < starts_on:
        raise RuleBroken("meetings.too_early", f"活动在 {starts_on.isoformat()}，当天才能签到")
