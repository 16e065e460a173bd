"""Reads of the audit trail for the operator: one page at a time, whatever its length."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation.access import Actor, require
from marketplace.foundation.audit import AuditRow
from marketplace.foundation.audit_actions import (
    action_label,
    code_label,
    field_label,
    subject_label,
)
from marketplace.foundation.clock import LOCAL, local_midnight
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.money import Fen, format_yuan
from marketplace.oversight import rules

_LONGEST = 200


@dataclass(frozen=True)
class AuditFilter:
    """What the operator looks for; None and empty texts leave a question open."""

    user_id: int | None = None
    organisation_id: int | None = None
    action: str = ""
    subject: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Change:
    """One field of a change in words; a side that was not noted is empty."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class AuditLine:
    """One row of the audit in words."""

    sequence: int
    happened_at: datetime
    who: str
    organisation: str
    what: str
    subject: str
    changes: tuple[Change, ...]
    origin: str
    algorithm: str
    digest: str


def page_of_rows(
    session: Session, actor: Actor, chosen: AuditFilter, *, after: str | None, size: int = 50
) -> Page[AuditLine]:
    """Read one page of the audit, newest first, in three statements."""
    require(actor, rules.WATCH)
    statement = select(AuditRow)
    if chosen.user_id is not None:
        statement = statement.where(AuditRow.user_id == chosen.user_id)
    if chosen.organisation_id is not None:
        statement = statement.where(AuditRow.organisation_id == chosen.organisation_id)
    if chosen.action:
        statement = statement.where(AuditRow.action == chosen.action)
    if chosen.subject:
        statement = statement.where(AuditRow.subject == chosen.subject)
    if chosen.since:
        statement = statement.where(AuditRow.happened_at >= local_midnight(chosen.since))
    if chosen.until:
        end = local_midnight(chosen.until + timedelta(days=1))
        statement = statement.where(AuditRow.happened_at < end)
    page = paginate(
        session,
        statement,
        keys=[AuditRow.happened_at.desc(), AuditRow.sequence.desc()],
        after=after,
        size=size,
    )
    people = accounts.get_users(session, {row.user_id for row in page.items if row.user_id})
    houses = accounts.get_organisations(
        session, {row.organisation_id for row in page.items if row.organisation_id}
    )
    return page.map(lambda row: _line(row, people, houses))


def _line(
    row: AuditRow,
    people: dict[int, accounts.UserView],
    houses: dict[int, accounts.OrganisationView],
) -> AuditLine:
    person = people.get(row.user_id or 0)
    house = houses.get(row.organisation_id or 0)
    return AuditLine(
        row.sequence,
        row.happened_at,
        row.actor_name or (person.name if person else "未登录"),
        house.short_name if house else "",
        action_label(row.action),
        subject_label(row.subject),
        _changes(row),
        row.origin,
        row.algorithm,
        row.digest,
    )


def _changes(row: AuditRow) -> tuple[Change, ...]:
    was, became = row.before or {}, row.after or {}
    return tuple(
        Change(
            field_label(name),
            _in_words(row.action, name, was[name]) if name in was else "",
            _in_words(row.action, name, became[name]) if name in became else "",
        )
        for name in {**was, **became}
    )


def _in_words(action: str, name: str, value: Any) -> str:
    if value is None or value == "":
        return "（空）"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int) and name.endswith("_fen"):
        return f"{format_yuan(Fen(value))} 元"
    if isinstance(value, list):
        return "、".join(_part_in_words(action, name, part) for part in value)[:_LONGEST]
    return _moment_in_words(_part_in_words(action, name, value))[:_LONGEST]


def _part_in_words(action: str, name: str, value: Any) -> str:
    if isinstance(value, dict):
        return "，".join(f"{key} {part}" for key, part in value.items())
    return code_label(action, name, value) if isinstance(value, str) else str(value)


def _moment_in_words(text: str) -> str:
    """Write a stored moment in local time; anything else stays as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is None:
        return text
    return f"{moment.astimezone(LOCAL):%Y-%m-%d %H:%M}"
