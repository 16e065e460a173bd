"""How values read on the screen: amounts, dates, terms. Templates format nothing themselves."""

from __future__ import annotations

import secrets
from datetime import date, datetime

from flask import Flask, current_app
from markupsafe import Markup

from marketplace.foundation.access import permits
from marketplace.foundation.capitals import capital_yuan
from marketplace.foundation.clock import LOCAL, local_date
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import Fen, format_yuan, scale
from marketplace.foundation.personal import masked
from marketplace.foundation.web.permissions import permission_of
from marketplace.foundation.web.requests import actor
from marketplace.foundation.web.requests import now as request_moment
from marketplace.foundation.workdays import workdays_between

_WEEKDAYS = "一二三四五六日"


def day(value: date | datetime | None) -> str:
    """Write a calendar day, ``2026-11-20``, in Jinan's time zone."""
    if value is None:
        return ""
    return (local_date(value) if isinstance(value, datetime) else value).isoformat()


def moment(value: datetime | None) -> str:
    """Write a moment to the minute, ``2026-11-20 14:30``, in Jinan's time zone."""
    return "" if value is None else value.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M")


def clock(value: datetime) -> str:
    """Write the time of day to the second, ``14:22:36``, in Jinan's time zone."""
    return value.astimezone(LOCAL).strftime("%H:%M:%S")


def clock_ms(value: datetime) -> str:
    """Write the time of day to the millisecond, ``14:21:18.204``, as a bid's record needs it."""
    return value.astimezone(LOCAL).isoformat(timespec="milliseconds")[11:23]


def weekday(value: date) -> str:
    """Write the day of the week, ``星期五``."""
    return f"星期{_WEEKDAYS[value.weekday()]}"


def days_left(end: date | datetime, now: datetime) -> str:
    """Say in words how many calendar days are left until the end of a day."""
    last = local_date(end) if isinstance(end, datetime) else end
    days = (last - local_date(now)).days
    if days < 0:
        return f"超期 {-days} 天"
    return "今天到期" if days == 0 else f"还剩 {days} 天"


def workdays_left(end: date, now: datetime) -> str:
    """Say in words how many working days are left; calendar days where no calendar is out yet."""
    try:
        days = workdays_between(local_date(now), end)
    except RuleBroken:
        return days_left(end, now)
    if end < local_date(now):
        return f"超期 {-days} 个工作日" if days else "已到期"
    return "今天到期" if end == local_date(now) else f"还剩 {days} 个工作日"


def due(end: date | datetime, workdays: bool = False) -> str:
    """Say what is left until a term at this request's moment; the hour on its last day."""
    moment_now = request_moment()
    if isinstance(end, datetime) and local_date(end) == local_date(moment_now):
        clock_time = end.astimezone(LOCAL).strftime("%H:%M")
        return f"今天 {clock_time}" if end > moment_now else f"已过今天 {clock_time}"
    last = local_date(end) if isinstance(end, datetime) else end
    return workdays_left(last, moment_now) if workdays else days_left(last, moment_now)


def endpoint_exists(endpoint: str) -> bool:
    """Tell whether a page is part of this application, for links that lead across slices."""
    return endpoint in current_app.view_functions


def reachable(endpoint: str) -> bool:
    """Tell whether a page exists and the person may open it, after signing in if need be."""
    view = current_app.view_functions.get(endpoint)
    if view is None:
        return False
    permission, person = permission_of(view), actor()
    return permission is None or not person.signed_in or permits(person, permission)


def new_submission_key() -> str:
    """Make the key by which a one-button form is carried out once."""
    return secrets.token_urlsafe(18)


def yuan(fen: Fen | None) -> str:
    """Write exact yuan with two decimals."""
    return "" if fen is None else format_yuan(fen)


def scaled(fen: Fen | None) -> str:
    """Write an amount with its unit for running text, ``260 万元``."""
    if fen is None:
        return ""
    figure, unit = scale(fen)
    return f"{figure}\u00a0{unit}"


def file_size(byte_count: int) -> str:
    """Write a file's size in KB or MB."""
    if byte_count < 1024 * 1024:
        return f"{max(1, round(byte_count / 1024))} KB"
    return f"{byte_count / 1024 / 1024:.1f} MB"


def paragraphs(text: str) -> Markup:
    """Write plain text as paragraphs, everything escaped."""
    parts = [part.strip() for part in (text or "").split("\n") if part.strip()]
    return Markup("").join(Markup("<p>{}</p>").format(part) for part in parts)


def register_filters(app: Flask) -> None:
    """Make the filters known to the templates."""
    app.jinja_env.filters.update(
        day=day,
        moment=moment,
        clock=clock,
        clock_ms=clock_ms,
        weekday=weekday,
        days_left=days_left,
        workdays_left=workdays_left,
        due=due,
        yuan=yuan,
        scaled=scaled,
        scale=scale,
        capital=capital_yuan,
        file_size=file_size,
        paragraphs=paragraphs,
        masked=masked,
    )
    app.jinja_env.globals.update(
        endpoint_exists=endpoint_exists, reachable=reachable, submission_key=new_submission_key
    )
