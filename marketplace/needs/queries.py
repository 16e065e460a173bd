"""Reads of needs for lists, the review desk and workbenches; see also ``record_queries``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, UnaryExpression, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, lazyload, load_only

from marketplace.foundation.access import Actor, permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import Page, paginate, written_id
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TechnologyField
from marketplace.foundation.waiting import WaitingItem
from marketplace.foundation.workdays import add_workdays
from marketplace.needs.models import Answer, Need
from marketplace.needs.record_queries import (
    AnswerView,
    HistoryLine,
    NeedView,
    answer_view,
    answers_for,
    get_for,
    get_internal,
    get_own,
    history,
    readable_files,
)
from marketplace.needs.rules import (
    OPERATE,
    OWN,
    REVIEW_WORKDAYS,
    VISIBLE_STATES,
    AnswerState,
    NeedState,
)

__all__ = [
    "SORTS",
    "AnswerView",
    "HistoryLine",
    "NeedRow",
    "NeedView",
    "OwnedFilter",
    "answer_counts",
    "answers_for",
    "awaiting_review",
    "count_states",
    "count_unread_imports",
    "find_open",
    "get_for",
    "get_internal",
    "get_own",
    "history",
    "my_answers",
    "newest",
    "owned_by",
    "owned_counts",
    "readable_files",
    "rows_of",
    "waiting",
]

_WAITING_LIMIT = 20
SORTS = {"updated": "最近修改", "created": "登记时间", "title": "标题"}


@dataclass(frozen=True)
class NeedRow:
    """One line of a list; ``organisation_id`` is for the owner's and the operator's pages only."""

    id: int
    number: str | None
    organisation_id: int
    anonymous: bool
    title: str
    state: NeedState
    field: TechnologyField | None
    budget_max_fen: Fen | None
    budget_negotiable: bool
    deadline: date | None
    challenge: bool
    region_code: str
    missing_count: int
    imported: bool
    return_reason: str
    updated_at: datetime
    submitted_at: datetime | None
    opened_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class OwnedFilter:
    """What an owner's list is narrowed to; empty means everything."""

    state: NeedState | None = None
    text: str = ""
    incomplete: bool = False


def row_of(row: Need) -> NeedRow:
    """Read one line of a list."""
    return NeedRow(
        id=row.id,
        number=row.number,
        organisation_id=row.organisation_id,
        anonymous=row.anonymous,
        title=row.title or "（未命名草稿）",
        state=row.state,
        field=row.field,
        budget_max_fen=row.budget_max_fen,
        budget_negotiable=row.budget_negotiable,
        deadline=row.deadline,
        challenge=row.challenge,
        region_code=row.region_code,
        missing_count=row.missing_count,
        imported=row.import_key is not None,
        return_reason=row.return_reason,
        updated_at=row.updated_at,
        submitted_at=row.submitted_at,
        opened_at=row.opened_at,
    )


_LIST_COLUMNS = load_only(
    Need.number,
    Need.organisation_id,
    Need.anonymous,
    Need.title,
    Need.state,
    Need.field,
    Need.budget_max_fen,
    Need.budget_negotiable,
    Need.deadline,
    Need.challenge,
    Need.region_code,
    Need.missing_count,
    Need.import_key,
    Need.return_reason,
    Need.created_at,
    Need.updated_at,
    Need.submitted_at,
    Need.opened_at,
)


def _list(statement: Select[Need]) -> Select[Need]:
    return statement.options(_LIST_COLUMNS, lazyload("*"))


def _owned(actor: Actor, chosen: OwnedFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Need.organisation_id == (actor.organisation_id or 0)]
    if chosen.state is not None:
        conditions.append(Need.state == chosen.state)
    if chosen.incomplete:
        conditions.append(Need.missing_count > 0)
    if chosen.text:
        conditions.append(
            or_(
                Need.title.icontains(chosen.text, autoescape=True),
                Need.number == chosen.text.upper(),
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
) -> Page[NeedRow]:
    """List the needs of the actor's organisation."""
    columns: dict[str, InstrumentedAttribute[Any]] = {
        "updated": Need.updated_at,
        "created": Need.created_at,
        "title": Need.title,
    }
    column = columns.get(sort, Need.updated_at)
    keys: list[UnaryExpression[Any]] = (
        [column.desc(), Need.id.desc()] if descending else [column.asc(), Need.id.asc()]
    )
    statement = _list(select(Need)).where(*_owned(actor, chosen or OwnedFilter()))
    return paginate(session, statement, keys=keys, after=after, size=size).map(row_of)


def owned_counts(session: Session, actor: Actor) -> dict[NeedState, int]:
    """Count the needs of the actor's organisation by state."""
    rows = session.execute(
        select(Need.state, func.count()).where(*_owned(actor, OwnedFilter())).group_by(Need.state)
    )
    return dict(rows.all())


def count_states(session: Session) -> dict[NeedState, int]:
    """Count all needs of the platform by state."""
    rows = session.execute(select(Need.state, func.count()).group_by(Need.state))
    return dict(rows.all())


def count_opened_since(session: Session, since: datetime) -> int:
    """Count the needs that others can see and that were opened after a moment."""
    statement = (
        select(func.count())
        .select_from(Need)
        .where(Need.state.in_(VISIBLE_STATES), Need.opened_at > since)
    )
    return session.scalar(statement) or 0


def open_ids(session: Session) -> list[int]:
    """List the ids of all needs that others find, oldest first."""
    found = select(Need.id).where(Need.state.in_(VISIBLE_STATES)).order_by(Need.id)
    return list(session.scalars(found))


def newest(session: Session, *, limit: int = 6) -> list[NeedRow]:
    """List what was opened last; the caller leaves out who asks where ``anonymous`` is set."""
    rows = session.scalars(
        _list(select(Need))
        .where(Need.state.in_(VISIBLE_STATES))
        .order_by(Need.opened_at.desc(), Need.id.desc())
        .limit(limit)
    )
    return [row_of(row) for row in rows]


def find_open(session: Session, text: str, *, limit: int) -> list[NeedRow]:
    """List what others may find whose title holds the text, newest first."""
    rows = session.scalars(
        _list(select(Need))
        .where(Need.state.in_(VISIBLE_STATES), Need.title.icontains(text, autoescape=True))
        .order_by(Need.opened_at.desc(), Need.id.desc())
        .limit(limit)
    )
    return [row_of(row) for row in rows]


def find_id(session: Session, written: str) -> int | None:
    """Return the id of the need whose number, or whose id, somebody wrote; None for none."""
    if written.isdecimal():
        return written_id(written)
    return session.scalar(select(Need.id).where(Need.number == written.upper()))


def rows_of(session: Session, ids: Sequence[int]) -> dict[int, NeedRow]:
    """Read the list lines of several needs, by id, whatever their state."""
    rows = session.scalars(_list(select(Need)).where(Need.id.in_(ids)))
    return {row.id: row_of(row) for row in rows}


def awaiting_review(
    session: Session, *, after: str | None = None, size: int = 20, imported: bool = False
) -> Page[NeedRow]:
    """List the needs that wait for the operator, longest first; or imported ones not yet read."""
    statement = _list(select(Need))
    if imported:
        statement = statement.where(
            Need.state == NeedState.OPEN,
            Need.import_key.is_not(None),
            Need.reviewed_at.is_(None),
        )
        keys: list[UnaryExpression[Any]] = [Need.id.asc()]
    else:
        statement = statement.where(Need.state == NeedState.REVIEW, Need.submitted_at.is_not(None))
        keys = [Need.submitted_at.asc(), Need.id.asc()]
    return paginate(session, statement, keys=keys, after=after, size=size).map(row_of)


def count_unread_imports(session: Session) -> int:
    """Count the imported open needs that the operator has not read."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Need)
            .where(
                Need.state == NeedState.OPEN,
                Need.import_key.is_not(None),
                Need.reviewed_at.is_(None),
            )
        )
        or 0
    )


def answer_counts(session: Session, need_ids: Sequence[int]) -> dict[int, int]:
    """Count the answers to several needs."""
    rows = session.execute(
        select(Answer.need_id, func.count())
        .where(Answer.need_id.in_(need_ids))
        .group_by(Answer.need_id)
    )
    return dict(rows.all())


def my_answers(
    session: Session, actor: Actor, *, after: str | None = None, size: int = 20
) -> Page[AnswerView]:
    """List the answers that the actor's organisation gave, newest first."""
    statement = select(Answer).where(Answer.organisation_id == (actor.organisation_id or 0))
    return paginate(session, statement, keys=[Answer.id.desc()], after=after, size=size).map(
        answer_view
    )


def waiting(session: Session, actor: Actor, *, now: datetime) -> list[WaitingItem]:
    """List what waits for the actor: the operator's reviews; the owner's returns and answers."""
    if permits(actor, OPERATE):
        return _operator_waiting(session)
    if actor.organisation_id is None or not permits(actor, OWN):
        return []
    returned = session.scalars(
        _list(select(Need))
        .where(
            *_owned(actor, OwnedFilter(state=NeedState.DRAFT)),
            Need.return_reason != "",
        )
        .order_by(Need.updated_at)
        .limit(_WAITING_LIMIT)
    )
    items = [
        WaitingItem(
            what=f"修改需求：{row.title or '（未命名草稿）'}",
            why=f"交易中心退回：{row.return_reason}",
            endpoint="needs.edit",
            params={"need_id": row.id},
            act="修改",
        )
        for row in returned
    ]
    unanswered = session.execute(
        select(Need.id, Need.title, func.count(), func.min(Answer.created_at))
        .join(Answer, Answer.need_id == Need.id)
        .where(
            Need.organisation_id == actor.organisation_id,
            Answer.state == AnswerState.SENT,
        )
        .group_by(Need.id, Need.title)
        .order_by(func.min(Answer.created_at))
        .limit(_WAITING_LIMIT)
    )
    for need_id, title, count, since in unanswered:
        items.append(
            WaitingItem(
                what=f"回复答复：{title}",
                why=f"有 {count} 个单位说能解决，等您回复愿意洽谈还是暂不采纳",
                endpoint="needs.show",
                params={"need_id": need_id},
                act="回复",
                due_on=_within(since),
                workdays=True,
            )
        )
    return items


def _operator_waiting(session: Session) -> list[WaitingItem]:
    rows = session.scalars(
        _list(select(Need))
        .where(Need.state == NeedState.REVIEW)
        .order_by(Need.submitted_at, Need.id)
        .limit(_WAITING_LIMIT)
    )
    items = [
        WaitingItem(
            what=f"审核需求：{row.title}",
            why="审核通过后公开征集；含公司宣传、联系方式或违法内容的请退回",
            endpoint="needs.review",
            params={"need_id": row.id},
            act="审核",
            due_on=_within(row.submitted_at) if row.submitted_at else None,
            workdays=True,
        )
        for row in rows
    ]
    unread = count_unread_imports(session)
    if unread:
        items.append(
            WaitingItem(
                what=f"复核批量导入的需求：{unread} 条",
                why="已核验单位导入的需求先公开，再由交易中心复核；不合适的可以退回",
                endpoint="needs.desk",
                params={"imported": "1"},
                act="复核",
            )
        )
    return items


def _within(since: datetime) -> date:
    return add_workdays(local_date(since), REVIEW_WORKDAYS)
