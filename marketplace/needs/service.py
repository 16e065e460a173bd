"""The use cases of needs: draft, submit, review, open, answer, match, close."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from marketplace.foundation import attachments, audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, require, require_own
from marketplace.foundation.attachments import AttachmentStore, FileVisibility, Upload
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import (
    Conflict,
    NotAllowed,
    Problem,
    RuleBroken,
    raise_if_any,
)
from marketplace.foundation.numbering import next_number
from marketplace.needs.answer_service import answer, decide_answer
from marketplace.needs.events import (
    NeedChanged,
    NeedClosed,
    NeedOpened,
    NeedReturned,
    NeedSubmitted,
)
from marketplace.needs.market_service import (
    close,
    expire,
    mark_contracted,
    mark_matched,
    mark_unmatched,
)
from marketplace.needs.models import IndicatorRow, Need
from marketplace.needs.record_queries import content_of
from marketplace.needs.rules import (
    DRAFT,
    EDIT,
    OPERATE,
    SHOWN_STATES,
    NeedContent,
    NeedState,
    check_editable,
    check_reason,
    contradictions,
    missing,
    move,
)

__all__ = [
    "accept",
    "accept_imported",
    "answer",
    "attach",
    "close",
    "create_draft",
    "decide_answer",
    "detach",
    "expire",
    "mark_contracted",
    "mark_matched",
    "mark_unmatched",
    "recall",
    "reopen",
    "return_",
    "save_and_submit",
    "save_draft",
    "submit",
]


def create_draft(
    session: Session, *, actor: Actor, now: datetime, content: NeedContent | None = None
) -> int:
    """Begin a need of the actor's organisation, however little is known; return its id."""
    require(actor, DRAFT)
    if actor.organisation_id is None:
        raise NotAllowed("needs.no_organisation", "请先以一个单位的身份登录，再发布需求")
    content = content or NeedContent()
    raise_if_any(contradictions(content, today=local_date(now)))
    row = Need(
        organisation_id=actor.organisation_id,
        author_id=actor.user_id,
        state=NeedState.DRAFT,
        version=1,
        created_at=now,
        updated_at=now,
    )
    fill(row, content)
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="needs.create",
        subject=f"need:{row.id}",
        now=now,
        after={"title": content.title},
    )
    return row.id


def save_draft(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    need_id: int,
    content: NeedContent,
    version: int | None,
) -> int:
    """Store the content of a draft, or a correction of an open need; return the new version.

    ``version`` is the one the page was opened with: another person's later change is not
    overwritten (``Conflict``). An open need must stay as complete as it was.
    """
    row = _load_own(session, actor=actor, need_id=need_id)
    check_version(row, version)
    check_editable(row.state)
    before = content_of(row)
    problems = contradictions(content, today=local_date(now))
    lacking = missing(content)
    if row.state is not NeedState.DRAFT and len(lacking) > row.missing_count:
        problems += lacking
    raise_if_any(problems)
    if content == before:
        return row.version
    fill(row, content)
    row.version += 1
    row.updated_at = now
    audit.record(
        session,
        actor=actor,
        action="needs.save",
        subject=f"need:{row.id}",
        now=now,
        before=_changed(before, content),
        after=_changed(content, before),
    )
    if row.state in SHOWN_STATES:
        outbox.publish(
            session, NeedChanged(need_id=row.id, organisation_id=row.organisation_id), now=now
        )
    return row.version


def submit(
    session: Session, *, actor: Actor, now: datetime, need_id: int, version: int | None = None
) -> None:
    """Hand a complete draft to the operator; name everything that is missing."""
    require(actor, EDIT)
    row = _load_own(session, actor=actor, need_id=need_id)
    check_version(row, version)
    content = content_of(row)
    raise_if_any([*contradictions(content, today=local_date(now)), *missing(content)])
    row.state = move(row.state, NeedState.REVIEW)
    row.submitted_at = row.updated_at = now
    row.return_reason = ""
    row.version += 1
    audit.record(session, actor=actor, action="needs.submit", subject=f"need:{row.id}", now=now)
    outbox.publish(
        session,
        NeedSubmitted(need_id=row.id, organisation_id=row.organisation_id, title=row.title),
        now=now,
    )


def save_and_submit(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    need_id: int,
    content: NeedContent,
    version: int | None,
) -> tuple[Problem, ...]:
    """Save the draft and submit it when it is complete; otherwise keep it and say what is missing.

    Return what is missing; empty when it was submitted.
    """
    save_draft(session, actor=actor, now=now, need_id=need_id, content=content, version=version)
    lacking = missing(content)
    if lacking:
        return tuple(lacking)
    submit(session, actor=actor, now=now, need_id=need_id)
    return ()


def recall(session: Session, *, actor: Actor, now: datetime, need_id: int) -> None:
    """Take a need back from review to change it."""
    require(actor, EDIT)
    row = _load_own(session, actor=actor, need_id=need_id)
    if row.state is not NeedState.REVIEW:
        raise Conflict("needs.not_in_review", f"这条需求现在是“{row.state.label}”，无须撤回")
    row.state = move(row.state, NeedState.DRAFT)
    row.updated_at = now
    row.version += 1
    audit.record(session, actor=actor, action="needs.recall", subject=f"need:{row.id}", now=now)


def accept(session: Session, *, actor: Actor, now: datetime, need_id: int) -> None:
    """Open a reviewed need to everybody."""
    require(actor, OPERATE)
    row = lock(session, Need, need_id)
    if row.state is not NeedState.REVIEW:
        raise Conflict(
            "needs.no_review",
            f"这条需求现在是“{row.state.label}”，没有等待审核；可能别人已经办理",
        )
    row.state = move(row.state, NeedState.OPEN)
    # Before the number is drawn, which flushes: an open need has the moment of its opening.
    row.opened_at = row.updated_at = row.reviewed_at = now
    if row.number is None:
        row.number = next_number(session, "XQ", local_date(now).year)
    row.closing_reason = ""
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action="needs.open",
        subject=f"need:{row.id}",
        now=now,
        after={"number": row.number},
    )
    outbox.publish(
        session, NeedOpened(need_id=row.id, organisation_id=row.organisation_id), now=now
    )


def accept_imported(
    session: Session, *, actor: Actor, now: datetime, need_ids: Sequence[int]
) -> int:
    """Note that the operator has read imported needs and leaves them open; return how many."""
    require(actor, OPERATE)
    if not need_ids:
        raise RuleBroken("needs.none_chosen", "没有选中任何需求，请先勾选")
    rows = session.scalars(
        select(Need)
        .where(Need.id.in_(set(need_ids)), Need.reviewed_at.is_(None))
        .order_by(Need.id)
        .options(lazyload("*"))
        .with_for_update()
    ).all()
    for row in rows:
        row.reviewed_at = now
        audit.record(session, actor=actor, action="needs.read", subject=f"need:{row.id}", now=now)
    return len(rows)


def return_(session: Session, *, actor: Actor, now: datetime, need_id: int, reason: str) -> None:
    """Send a need back to its author as a draft, with the reason; an open one leaves the market."""
    require(actor, OPERATE)
    row = lock(session, Need, need_id)
    was_open = row.state is NeedState.OPEN
    if row.state is not NeedState.REVIEW and not was_open:
        raise Conflict(
            "needs.no_review", f"这条需求现在是“{row.state.label}”，不能退回；请刷新页面"
        )
    text = check_reason(reason, "退回")
    row.state = move(row.state, NeedState.DRAFT)
    row.return_reason = text
    row.reviewed_at = row.updated_at = now
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action="needs.return",
        subject=f"need:{row.id}",
        now=now,
        after={"reason": text},
    )
    outbox.publish(
        session,
        NeedReturned(
            need_id=row.id,
            organisation_id=row.organisation_id,
            title=row.title,
            author_user_id=row.author_id,
            reason=text,
        ),
        now=now,
    )
    if was_open:
        outbox.publish(
            session,
            NeedClosed(
                need_id=row.id,
                organisation_id=row.organisation_id,
                title=row.title,
                state=row.state.value,
                reason=text,
            ),
            now=now,
        )


def reopen(session: Session, *, actor: Actor, now: datetime, need_id: int) -> None:
    """Take a closed or expired need up again as a draft."""
    require(actor, EDIT)
    row = _load_own(session, actor=actor, need_id=need_id)
    row.state = move(row.state, NeedState.DRAFT)
    row.updated_at = now
    row.version += 1
    audit.record(session, actor=actor, action="needs.reopen", subject=f"need:{row.id}", now=now)


def attach(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    need_id: int,
    uploads: Sequence[Upload],
    visibility: FileVisibility,
    store: AttachmentStore,
) -> None:
    """Attach files with the layer from which on they can be opened."""
    row = _load_own(session, actor=actor, need_id=need_id)
    check_editable(row.state)
    for upload in uploads:
        attachments.store(
            session,
            actor=actor,
            now=now,
            subject=f"need:{row.id}",
            upload=upload,
            visibility=visibility,
            store=store,
        )


def detach(
    session: Session, *, actor: Actor, now: datetime, need_id: int, attachment_id: int
) -> None:
    """Take an attachment off."""
    row = _load_own(session, actor=actor, need_id=need_id)
    check_editable(row.state)
    attachments.remove(
        session, actor=actor, now=now, subject=f"need:{row.id}", attachment_id=attachment_id
    )


def _load_own(session: Session, *, actor: Actor, need_id: int) -> Need:
    require(actor, EDIT if actor.verified else DRAFT)
    row = lock(session, Need, need_id)
    if actor is not SYSTEM:
        require_own(actor, row.organisation_id)
    return row


def check_version(row: Need, version: int | None) -> None:
    """Refuse to overwrite what somebody else has changed since the page was opened."""
    if version is not None and version != row.version:
        raise Conflict(
            "needs.stale_form",
            "您打开这页之后，别人修改过这条需求；您填的内容还在本页，"
            "请在新窗口打开最新内容核对后，再把需要的改动填进去",
        )


def fill(row: Need, content: NeedContent) -> None:
    """Write the content into the row and count what it still lacks."""
    for name in (
        "title",
        "problem",
        "present_solution",
        "budget_min_fen",
        "budget_max_fen",
        "budget_negotiable",
        "deadline",
        "field",
        "industry_code",
        "industry_name",
        "discipline",
        "region_code",
        "anonymous",
        "challenge",
        "confidential",
    ):
        setattr(row, name, getattr(content, name))
    row.modes = [mode.value for mode in content.modes]
    row.expert_terms = list(content.expert_terms)
    row.indicators = [
        IndicatorRow(
            position=position,
            name=line.name,
            present=line.present,
            target=line.target,
            unit=line.unit,
        )
        for position, line in enumerate(content.indicators)
    ]
    row.missing_count = len(missing(content))


# What an audit row must not repeat: the chain is read by more people than the record.
_NOT_IN_AUDIT = frozenset({"confidential"})


def _changed(this: NeedContent, other: NeedContent) -> dict[str, Any]:
    """Name what differs, with this side's value; long texts by their length only."""
    found: dict[str, Any] = {}
    for name in this.__dataclass_fields__:
        value = getattr(this, name)
        if value == getattr(other, name):
            continue
        if name in _NOT_IN_AUDIT or (isinstance(value, str) and len(value) > 200):
            found[name] = f"{len(value)} 字"
        else:
            found[name] = str(value) if isinstance(value, tuple) else value
    return found
