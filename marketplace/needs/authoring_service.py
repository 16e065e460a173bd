"""Write a need: draft, autosave, corrections of what is open, submission, attachments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from marketplace.foundation import attachments, audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, require, require_own
from marketplace.foundation.attachments import AttachmentStore, FileVisibility, Upload
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotAllowed, Problem, raise_if_any
from marketplace.needs.events import NeedChanged, NeedSubmitted
from marketplace.needs.models import IndicatorRow, Need
from marketplace.needs.record_queries import content_of
from marketplace.needs.rules import (
    DRAFT,
    EDIT,
    SHOWN_STATES,
    NeedContent,
    NeedState,
    check_editable,
    check_reopened,
    contradictions,
    missing,
    move,
)


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


def reopen(session: Session, *, actor: Actor, now: datetime, need_id: int) -> None:
    """Take a closed or expired need up again as a draft."""
    require(actor, EDIT)
    row = _load_own(session, actor=actor, need_id=need_id)
    check_reopened(row.state)
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
    attachments.check_room(session, subject=f"need:{row.id}", uploads=uploads)
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
