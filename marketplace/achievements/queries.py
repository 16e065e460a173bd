"""Reads of achievements for lists, counts and workbenches; one record is in ``record_queries``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, UnaryExpression, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, lazyload, load_only

from marketplace.achievements.models import Achievement, InventorRow, ReviewRow
from marketplace.achievements.record_queries import (
    AchievementView,
    GrantView,
    HistoryLine,
    get_for,
    get_internal,
    get_own,
    grants,
    has_grant,
    history,
    patents_of,
    readable_files,
)
from marketplace.achievements.review_queries import chain_of, current_step, reviews
from marketplace.achievements.rules import (
    INSIDERS,
    VISIBLE_STATES,
    AchievementState,
    ReviewOutcome,
    decides,
)
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import Page, paginate, written_id
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TechnologyField
from marketplace.foundation.waiting import WaitingItem

__all__ = [
    "SORTS",
    "AchievementRow",
    "AchievementView",
    "GrantView",
    "HistoryLine",
    "OwnedFilter",
    "awaiting_review",
    "chain_of",
    "count_states",
    "current_step",
    "find_published",
    "get_for",
    "get_internal",
    "get_own",
    "grants",
    "has_grant",
    "history",
    "inventors_of",
    "newest",
    "owned_by",
    "owned_counts",
    "owned_ids",
    "patents_of",
    "published_by",
    "readable_files",
    "reviews",
    "rows_of",
    "waiting",
]

_WAITING_LIMIT = 20
_EXPIRY_NOTICE = timedelta(days=30)


@dataclass(frozen=True)
class AchievementRow:
    """One line of an owner's list."""

    id: int
    number: str | None
    organisation_id: int
    title: str
    state: AchievementState
    field: TechnologyField | None
    trl: int | None
    price_fen: Fen | None
    negotiable: bool
    missing_count: int
    stale: bool
    imported: bool
    return_reason: str
    updated_at: datetime
    published_at: datetime | None
    confirmed_at: datetime | None
    valid_until: date | None


@dataclass(frozen=True, kw_only=True)
class OwnedFilter:
    """What an owner's list is narrowed to; empty means everything."""

    state: AchievementState | None = None
    field: TechnologyField | None = None
    text: str = ""
    stale: bool = False
    incomplete: bool = False


SORTS: dict[str, str] = {
    "updated": "最近修改",
    "created": "登记时间",
    "title": "名称",
    "missing": "缺项多少",
}


_LIST_COLUMNS = load_only(
    Achievement.number,
    Achievement.organisation_id,
    Achievement.title,
    Achievement.state,
    Achievement.field,
    Achievement.trl,
    Achievement.price_fen,
    Achievement.negotiable,
    Achievement.missing_count,
    Achievement.stale,
    Achievement.import_key,
    Achievement.return_reason,
    Achievement.created_at,
    Achievement.updated_at,
    Achievement.published_at,
    Achievement.confirmed_at,
    Achievement.valid_until,
)


def _list(statement: Select[Achievement]) -> Select[Achievement]:
    return statement.options(_LIST_COLUMNS, lazyload("*"))


def list_row(row: Achievement) -> AchievementRow:
    """Read one line of a list."""
    return AchievementRow(
        id=row.id,
        number=row.number,
        organisation_id=row.organisation_id,
        title=row.title or "（未命名草稿）",
        state=row.state,
        field=row.field,
        trl=row.trl,
        price_fen=row.price_fen,
        negotiable=row.negotiable,
        missing_count=row.missing_count,
        stale=row.stale,
        imported=row.import_key is not None,
        return_reason=row.return_reason,
        updated_at=row.updated_at,
        published_at=row.published_at,
        confirmed_at=row.confirmed_at,
        valid_until=row.valid_until,
    )


def _owned(actor: Actor, chosen: OwnedFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        Achievement.organisation_id == (actor.organisation_id or 0)
    ]
    if not actor.has(*INSIDERS):
        mine = select(InventorRow.achievement_id).where(InventorRow.user_id == actor.user_id)
        conditions.append(or_(Achievement.author_id == actor.user_id, Achievement.id.in_(mine)))
    if chosen.state is not None:
        conditions.append(Achievement.state == chosen.state)
    if chosen.field is not None:
        conditions.append(Achievement.field == chosen.field)
    if chosen.stale:
        conditions += [Achievement.stale.is_(True), Achievement.state.in_(VISIBLE_STATES)]
    if chosen.incomplete:
        conditions.append(Achievement.missing_count > 0)
    if chosen.text:
        wanted = chosen.text
        conditions.append(
            or_(
                Achievement.title.icontains(wanted, autoescape=True),
                Achievement.number == wanted.upper(),
            )
        )
    return conditions


def owned_by(
    session: Session,
    actor: Actor,
    *,
    chosen: OwnedFilter | None = None,
    sort: str = "updated",
    descending: bool = True,
    after: str | None = None,
    size: int = 20,
) -> Page[AchievementRow]:
    """List the records of the actor's organisation; an inventor sees those that name him."""
    columns: dict[str, InstrumentedAttribute[Any]] = {
        "updated": Achievement.updated_at,
        "created": Achievement.created_at,
        "title": Achievement.title,
        "missing": Achievement.missing_count,
    }
    column = columns.get(sort, Achievement.updated_at)
    keys: list[UnaryExpression[Any]] = (
        [column.desc(), Achievement.id.desc()]
        if descending
        else [column.asc(), Achievement.id.asc()]
    )
    statement = _list(select(Achievement)).where(*_owned(actor, chosen or OwnedFilter()))
    return paginate(session, statement, keys=keys, after=after, size=size).map(list_row)


def owned_ids(session: Session, actor: Actor, chosen: OwnedFilter, *, limit: int) -> list[int]:
    """List the ids behind an owner's filter, newest first, for a batch act."""
    return list(
        session.scalars(
            select(Achievement.id)
            .where(*_owned(actor, chosen))
            .order_by(Achievement.updated_at.desc(), Achievement.id.desc())
            .limit(limit)
        )
    )


def owned_counts(session: Session, actor: Actor) -> dict[AchievementState, int]:
    """Count the actor's records by state."""
    rows = session.execute(
        select(Achievement.state, func.count())
        .where(*_owned(actor, OwnedFilter()))
        .group_by(Achievement.state)
    )
    return dict(rows.all())


def count_states(session: Session) -> dict[AchievementState, int]:
    """Count all records of the platform by state."""
    rows = session.execute(select(Achievement.state, func.count()).group_by(Achievement.state))
    return dict(rows.all())


def newest(session: Session, *, limit: int = 6) -> list[AchievementRow]:
    """List what was published last."""
    rows = session.scalars(
        _list(select(Achievement))
        .where(Achievement.state.in_(VISIBLE_STATES))
        .order_by(Achievement.published_at.desc(), Achievement.id.desc())
        .limit(limit)
    )
    return [list_row(row) for row in rows]


def find_published(session: Session, text: str, *, limit: int) -> list[AchievementRow]:
    """List what others may find whose title holds the text, newest first."""
    rows = session.scalars(
        _list(select(Achievement))
        .where(
            Achievement.state.in_(VISIBLE_STATES),
            Achievement.title.icontains(text, autoescape=True),
        )
        .order_by(Achievement.published_at.desc(), Achievement.id.desc())
        .limit(limit)
    )
    return [list_row(row) for row in rows]


def find_id(session: Session, written: str) -> int | None:
    """Return the id of the achievement whose number, or whose id, somebody wrote; None for none."""
    if written.isdecimal():
        return written_id(written)
    return session.scalar(select(Achievement.id).where(Achievement.number == written.upper()))


def published_by(
    session: Session, organisation_id: int, *, after: str | None = None, size: int = 20
) -> Page[AchievementRow]:
    """List what an organisation offers to others."""
    statement = _list(select(Achievement)).where(
        Achievement.organisation_id == organisation_id, Achievement.state.in_(VISIBLE_STATES)
    )
    return paginate(
        session,
        statement,
        keys=[Achievement.updated_at.desc(), Achievement.id.desc()],
        after=after,
        size=size,
    ).map(list_row)


def rows_of(session: Session, ids: Sequence[int]) -> dict[int, AchievementRow]:
    """Read the list lines of several achievements, by id, whatever their state."""
    rows = session.scalars(_list(select(Achievement)).where(Achievement.id.in_(ids)))
    return {row.id: list_row(row) for row in rows}


def fields_of(session: Session, ids: Collection[int]) -> dict[int, TechnologyField | None]:
    """Read the technology field of several achievements, by id, whatever their state."""
    rows = session.execute(select(Achievement.id, Achievement.field).where(Achievement.id.in_(ids)))
    return {row.id: row.field for row in rows}


def inventors_of(session: Session, achievement_id: int) -> list[int]:
    """List the members who invented it, for whom a decline's reason is meant."""
    return list(
        session.scalars(
            select(InventorRow.user_id)
            .where(InventorRow.achievement_id == achievement_id, InventorRow.user_id.is_not(None))
            .order_by(InventorRow.position)
        )
    )


def awaiting_review(session: Session, actor: Actor, *, limit: int = 100) -> list[AchievementRow]:
    """List the achievements at whose current step the actor decides, longest waiting first."""
    if actor.organisation_id is None:
        return []
    pending = (
        select(ReviewRow.achievement_id, ReviewRow.role, ReviewRow.position)
        .join(Achievement, Achievement.id == ReviewRow.achievement_id)
        .where(
            Achievement.organisation_id == actor.organisation_id,
            Achievement.state == AchievementState.INTERNAL_REVIEW,
            ReviewRow.outcome == ReviewOutcome.PENDING,
        )
        .order_by(ReviewRow.achievement_id, ReviewRow.position)
    )
    first: dict[int, Role] = {}
    for achievement_id, role, _position in session.execute(pending):
        first.setdefault(achievement_id, role)
    ids = [key for key, role in first.items() if decides(role, actor.roles)]
    rows = session.scalars(
        _list(select(Achievement))
        .where(Achievement.id.in_(ids))
        .order_by(Achievement.submitted_at, Achievement.id)
        .limit(limit)
    )
    return [list_row(row) for row in rows]


def waiting(session: Session, actor: Actor, *, now: datetime) -> list[WaitingItem]:
    """List what waits for the actor: reviews, returned drafts, confirmations, expiries."""
    if actor.organisation_id is None:
        return []
    items: list[WaitingItem] = []
    for row in awaiting_review(session, actor, limit=_WAITING_LIMIT):
        items.append(
            WaitingItem(
                what=f"单位审批：{row.title}",
                why="前面的环节已同意，等您审批；同意后进入下一环节或直接发布",
                endpoint="achievements.show",
                params={"achievement_id": row.id},
                act="审批",
            )
        )
    if not actor.has(Role.OFFICER, Role.ORG_ADMIN, Role.INVENTOR):
        return items
    returned = session.scalars(
        _list(select(Achievement))
        .where(
            *_owned(actor, OwnedFilter(state=AchievementState.DRAFT)),
            Achievement.return_reason != "",
        )
        .order_by(Achievement.updated_at)
        .limit(_WAITING_LIMIT)
    )
    items += [
        WaitingItem(
            what=f"修改成果：{row.title or '（未命名草稿）'}",
            why=f"审批人退回：{row.return_reason}",
            endpoint="achievements.edit",
            params={"achievement_id": row.id},
            act="修改",
        )
        for row in returned
    ]
    if not actor.has(Role.OFFICER, Role.ORG_ADMIN):
        return items
    own = _owned(actor, OwnedFilter(stale=True))
    stale = session.scalar(select(func.count()).select_from(Achievement).where(*own)) or 0
    if stale:
        items.append(
            WaitingItem(
                what=f"确认信息：{stale} 项成果长期未确认，已降低排序",
                why="逐项看过仍属实的，可以一次全部确认",
                endpoint="achievements.mine",
                params={"stale": "1"},
                act=f"确认 {stale} 项",
                due_on=local_date(now),
            )
        )
    ending = session.scalars(
        _list(select(Achievement))
        .where(
            Achievement.organisation_id == actor.organisation_id,
            Achievement.state == AchievementState.PUBLISHED,
            Achievement.valid_until.is_not(None),
            Achievement.valid_until < local_date(now) + _EXPIRY_NOTICE,
        )
        .order_by(Achievement.valid_until)
        .limit(_WAITING_LIMIT)
    )
    items += [
        WaitingItem(
            what=f"即将到期：{row.title}",
            why="发布有效期将满，期满自动下架；仍有效的请确认，会重新起算",
            endpoint="achievements.show",
            params={"achievement_id": row.id},
            act="查看",
            due_on=row.valid_until,
        )
        for row in ending
    ]
    return items
