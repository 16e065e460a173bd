"""One need for one reader: what the record holds, less what the reader may not see.

An anonymous need hides who asks; the confidential part is for those whose answer was accepted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation import attachments, audit
from marketplace.foundation.access import SYSTEM, Actor, Role, permits
from marketplace.foundation.attachments import AttachmentView, FileVisibility
from marketplace.foundation.errors import NotFound
from marketplace.foundation.trade import TradingMode
from marketplace.needs.models import Answer, Need
from marketplace.needs.rules import (
    OWN,
    SHOWN_STATES,
    VISIBLE_STATES,
    AnswerState,
    Indicator,
    NeedContent,
    NeedState,
)


@dataclass(frozen=True)
class NeedView:
    """A need as one reader may see it; ``organisation_id`` is None where it stays anonymous."""

    id: int
    number: str | None
    organisation_id: int | None
    state: NeedState
    version: int
    content: NeedContent
    insider: bool
    confidential_hidden: bool
    missing_count: int
    return_reason: str
    closing_reason: str
    import_note: str
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    opened_at: datetime | None

    @property
    def title(self) -> str:
        """Return the title, or what stands for it in a list of drafts."""
        return self.content.title or "（未命名草稿）"

    @property
    def open_to_others(self) -> bool:
        """Tell whether others find it."""
        return self.state in VISIBLE_STATES


def content_of(row: Need) -> NeedContent:
    """Read the whole content of a stored need."""
    return NeedContent(
        title=row.title,
        problem=row.problem,
        present_solution=row.present_solution,
        indicators=tuple(
            Indicator(line.name, line.present, line.target, line.unit) for line in row.indicators
        ),
        budget_min_fen=row.budget_min_fen,
        budget_max_fen=row.budget_max_fen,
        budget_negotiable=row.budget_negotiable,
        deadline=row.deadline,
        modes=tuple(TradingMode(mode) for mode in row.modes or ()),
        field=row.field,
        industry_code=row.industry_code,
        industry_name=row.industry_name,
        discipline=row.discipline,
        region_code=row.region_code,
        anonymous=row.anonymous,
        challenge=row.challenge,
        expert_terms=tuple(row.expert_terms or ()),
        confidential=row.confidential,
    )


def _view(row: Need, *, names: bool, secrets: bool, insider: bool) -> NeedView:
    content = content_of(row)
    hidden = bool(content.confidential) and not secrets
    return NeedView(
        id=row.id,
        number=row.number,
        organisation_id=row.organisation_id if names else None,
        state=row.state,
        version=row.version,
        content=content if secrets else replace(content, confidential=""),
        insider=insider,
        confidential_hidden=hidden,
        missing_count=row.missing_count,
        return_reason=row.return_reason if insider else "",
        closing_reason=row.closing_reason if insider else "",
        import_note=row.import_note if insider else "",
        created_at=row.created_at,
        updated_at=row.updated_at,
        submitted_at=row.submitted_at,
        opened_at=row.opened_at,
    )


def get_internal(session: Session, need_id: int) -> NeedView:
    """Return the whole record for another service; it is never rendered as it is."""
    row = session.get(Need, need_id)
    if row is None:
        raise NotFound()
    return _view(row, names=True, secrets=True, insider=True)


def is_insider(actor: Actor, organisation_id: int) -> bool:
    """Tell whether the actor works on this organisation's needs."""
    return actor.organisation_id == organisation_id and permits(actor, OWN)


def get_for(session: Session, actor: Actor, need_id: int) -> NeedView:
    """Return what the actor may see of a need; ``NotFound`` when that is nothing.

    The operator learns who asks, to review it, but never the confidential part.
    """
    row = session.get(Need, need_id)
    if row is None:
        raise NotFound()
    if actor is SYSTEM:
        return get_internal(session, need_id)
    insider = is_insider(actor, row.organisation_id)
    operator = actor.verified and actor.has(Role.OPERATOR)
    shown = row.state in SHOWN_STATES
    if not (insider or shown or (operator and row.state is not NeedState.DRAFT)):
        raise NotFound()
    accepted = _answer_accepted(session, row.id, actor)
    return _view(
        row,
        names=insider or operator or accepted or not row.anonymous,
        secrets=insider or accepted,
        insider=insider,
    )


def get_own(session: Session, actor: Actor, need_id: int) -> NeedView:
    """Return the whole record to those who work on it; everybody else gets ``NotFound``."""
    view = get_for(session, actor, need_id)
    if not view.insider:
        raise NotFound()
    return view


def _answer_accepted(session: Session, need_id: int, actor: Actor) -> bool:
    if actor.organisation_id is None:
        return False
    found = session.scalar(
        select(Answer.id).where(
            Answer.need_id == need_id,
            Answer.organisation_id == actor.organisation_id,
            Answer.state == AnswerState.ACCEPTED,
        )
    )
    return found is not None


def readable_files(session: Session, actor: Actor, need_id: int) -> list[AttachmentView]:
    """List the attachments the actor may open: all for insiders, the agreed ones once accepted."""
    view = get_for(session, actor, need_id)
    reach = {FileVisibility.PUBLIC}
    if _answer_accepted(session, need_id, actor):
        reach |= {FileVisibility.MEMBERS, FileVisibility.AGREEMENT}
    return [
        file
        for file in attachments.of(session, f"need:{need_id}")
        if view.insider or file.visibility in reach
    ]


@dataclass(frozen=True)
class AnswerView:
    """An answer as the need's owner and its author see it."""

    id: int
    need_id: int
    organisation_id: int
    user_id: int | None
    achievement_id: int | None
    text: str
    state: AnswerState
    reason: str
    created_at: datetime
    decided_at: datetime | None


def answer_view(row: Answer) -> AnswerView:
    """Read one stored answer."""
    return AnswerView(
        row.id,
        row.need_id,
        row.organisation_id,
        row.user_id,
        row.achievement_id,
        row.text,
        row.state,
        row.reason,
        row.created_at,
        row.decided_at,
    )


def answers_for(session: Session, actor: Actor, need_id: int) -> list[AnswerView]:
    """List the answers the actor may read: all for the owner, one's own for those who answered."""
    need = session.get(Need, need_id)
    if need is None:
        raise NotFound()
    statement = select(Answer).where(Answer.need_id == need_id).order_by(Answer.id)
    if actor is not SYSTEM and not is_insider(actor, need.organisation_id):
        statement = statement.where(Answer.organisation_id == (actor.organisation_id or 0))
    return [answer_view(row) for row in session.scalars(statement)]


_PUBLIC_ACTIONS = {
    "needs.open": "开始征集",
    "needs.import": "由文件批量导入，开始征集",
    "needs.match": "进入撮合",
    "needs.unmatch": "结束撮合，继续征集",
    "needs.contract": "已签约",
    "needs.expire": "征集截止",
}
_OWN_ACTIONS = _PUBLIC_ACTIONS | {
    "needs.create": "登记草稿",
    "needs.save": "修改内容",
    "needs.accept_term": "采纳专业词",
    "needs.drop_term": "去掉专业词",
    "needs.submit": "提交审核",
    "needs.return": "交易中心退回",
    "needs.recall": "撤回修改",
    "needs.close": "关闭",
    "needs.reopen": "恢复为草稿",
    "needs.answer": "收到答复",
    "needs.answer_decide": "回复答复",
    "attachments.store": "上传附件",
    "attachments.remove": "删除附件",
}


@dataclass(frozen=True)
class HistoryLine:
    """One line of the timeline; ``who`` is empty for readers from outside."""

    at: datetime
    what: str
    who: str
    note: str


def history(session: Session, view: NeedView) -> list[HistoryLine]:
    """List what happened, newest first; outsiders learn the milestones, not the persons."""
    known = _OWN_ACTIONS if view.insider else _PUBLIC_ACTIONS
    lines: list[HistoryLine] = []
    for entry in audit.history(session, f"need:{view.id}"):
        label = known.get(entry.action)
        if label is None:
            continue
        reason = (entry.after or {}).get("reason", "") if view.insider else ""
        line = HistoryLine(
            entry.happened_at, label, entry.actor_name if view.insider else "", reason
        )
        if (
            entry.action == "needs.save"
            and lines
            and (lines[-1].what, lines[-1].who) == (line.what, line.who)
        ):
            lines[-1] = line
        else:
            lines.append(line)
    return lines[::-1]
