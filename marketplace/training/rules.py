"""Courses for brokers: places, the waiting list, the check-in code, hours of attendance.

Pure. A check-in code carries its course and its end and is signed with the site's key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from itsdangerous import BadSignature, Signer

from marketplace.foundation.access import Permission, Role
from marketplace.foundation.errors import Conflict, Problem, RuleBroken, raise_if_any
from marketplace.foundation.words import Word

CONDUCT = Permission("training.conduct", frozenset({Role.OPERATOR}))
ATTEND = Permission("training.attend", frozenset({Role.BROKER}))

LONGEST_DAYS = 30
SHORTEST_REASON = 5
_SHORTEST_GROUND = 10


class CourseState(Word):
    """Where a course stands."""

    OPEN = "open", "报名中", "run"
    FULL = "full", "已满，可候补", "warn"
    RUNNING = "running", "授课中", "run"
    OVER = "over", "已结束", "neutral"
    CANCELLED = "cancelled", "已取消", "danger"


BEFORE = frozenset({CourseState.OPEN, CourseState.FULL})
# In which an exam is begun; who sits one when its course is cancelled finishes it.
EXAMINED = frozenset({CourseState.RUNNING, CourseState.OVER})
CANCELLABLE = BEFORE | {CourseState.RUNNING}


class PlaceState(Word):
    """Where somebody's place in a course stands."""

    BOOKED = "booked", "已报名", "ok"
    WAITING = "waiting", "候补中", "run"
    GIVEN_UP = "given_up", "已取消报名", "neutral"


def course_state(
    *, cancelled: bool, starts_at: datetime, ends_at: datetime, free: int, now: datetime
) -> CourseState:
    """Return where a course stands at a moment."""
    if cancelled:
        return CourseState.CANCELLED
    if now >= ends_at:
        return CourseState.OVER
    if now >= starts_at:
        return CourseState.RUNNING
    return CourseState.OPEN if free > 0 else CourseState.FULL


def check_course(
    *, title: str, place: str, starts_at: datetime, ends_at: datetime, hours: int, now: datetime
) -> None:
    """Refuse a course that is over before it begins, without a place, or with too many hours."""
    problems: list[Problem] = []
    if not title.strip():
        problems.append(Problem("training.title", "请填写课程名称", "title"))
    if not place.strip():
        problems.append(Problem("training.place", "请填写上课地点", "place"))
    if starts_at <= now:
        problems.append(Problem("training.past", "开课时间已过，请改为以后的时间", "first_on"))
    days = days_of(starts_at.date(), ends_at.date())
    if ends_at <= starts_at:
        problems.append(Problem("training.times", "结束时间要晚于开始时间", "ends_at"))
    elif len(days) > LONGEST_DAYS:
        problems.append(
            Problem("training.long", f"一个课程最长 {LONGEST_DAYS} 天，请分期开课", "last_on")
        )
    elif hours > 12 * len(days):
        problems.append(
            Problem("training.hours", f"{len(days)} 天排不下 {hours} 学时，请核对", "hours")
        )
    raise_if_any(problems)


def check_sign_up(state: CourseState) -> None:
    """Refuse a place in a course that has begun or will not take place."""
    if state not in BEFORE:
        raise Conflict("training.closed", f"课程{state.label}，不能再报名")


def check_give_up(state: CourseState) -> None:
    """Refuse to give a place back after the course has begun."""
    if state not in BEFORE:
        raise Conflict("training.begun", f"课程{state.label}，不能再取消报名")


def check_cancel(state: CourseState, reason: str) -> str:
    """Return the trimmed reason; a course that is over is not cancelled."""
    if state not in CANCELLABLE:
        raise Conflict("training.done", f"课程{state.label}，不能再取消")
    text = reason.strip()
    if len(text) < SHORTEST_REASON:
        raise RuleBroken(
            "training.reason",
            f"请写明原因（至少 {SHORTEST_REASON} 个字），会告知报名的人",
            "reason",
        )
    return text


def check_exam(state: CourseState) -> None:
    """Refuse the exam of a course that has not begun or does not take place."""
    if state not in EXAMINED:
        raise Conflict("training.no_exam", f"课程{state.label}，不能参加考试；请看课程页的安排")


def check_revocation(reason: str) -> str:
    """Return the trimmed reason why a certificate is taken back."""
    text = reason.strip()
    if len(text) < _SHORTEST_GROUND:
        raise RuleBroken(
            "training.revocation",
            f"请写明撤销的依据（至少 {_SHORTEST_GROUND} 个字），持证人会看到",
            "reason",
        )
    return text


def check_strike(day: date, *, today: date) -> None:
    """Refuse to change who was there on a day that is over: nobody sees it any more."""
    if day != today:
        raise Conflict("training.not_today", "只能在上课当天核对到场；过后有出入请按考勤争议处理")


def days_of(first: date, last: date) -> list[date]:
    """List the calendar days of a course."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def hours_of_day(hours: int, days: Sequence[date], day: date) -> int:
    """Return the hours of one day: the whole divided evenly, the rest on the first days."""
    each, rest = divmod(hours, len(days))
    return each + (1 if list(days).index(day) < rest else 0)


def may_be_examined(attended: int, hours: int, percent: int) -> bool:
    """Tell whether somebody attended enough hours of a course for its exam."""
    return attended * 100 >= hours * percent


def _signer(key: bytes) -> Signer:
    return Signer(key, salt="training.check_in", digest_method=hashlib.sha256)


def make_code(key: bytes, *, course_id: int, now: datetime, seconds: int) -> str:
    """Return a check-in code for a course that ends after some seconds.

    The end is part of what is signed: a demo's clock is not the machine's, by which the library's
    own terms run.
    """
    return _signer(key).sign(f"{course_id}-{int(now.timestamp()) + seconds}").decode()


def read_code(key: bytes, code: str, *, now: datetime) -> int:
    """Return the course of a check-in code, or refuse one that is forged or has ended."""
    try:
        course, end = map(int, _signer(key).unsign(code).split(b"-"))
    except (BadSignature, UnicodeEncodeError) as forged:
        raise RuleBroken("training.code", "签到码无效，请扫描教室里显示的二维码") from forged
    if now.timestamp() > end:
        raise RuleBroken("training.code_over", "签到码已过期，请扫描教室里现在显示的二维码")
    return course
