"""Save drafts of documents: each saved text is an edition of its own, with who and when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation import audit
from marketplace.foundation.access import Actor, require
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.subsidies.draft_models import PolicyDraft, PolicyDraftEdition
from marketplace.subsidies.draft_rules import TRY_POLICIES, read_draft


def begin_draft(
    session: Session, *, actor: Actor, now: datetime, name: str, text: str, note: str = ""
) -> int:
    """Save a new draft under a name of its own and return its id; refuse an unusable text.

    A draft pays nothing and is shown to the bureau alone.
    """
    require(actor, TRY_POLICIES)
    policy = read_draft(text)
    _check_name(session, name)
    draft = PolicyDraft(name=name, edition=1, changed_at=now)
    session.add(draft)
    session.flush()
    _add(session, draft, actor, now, text, note)
    audit.record(
        session,
        actor=actor,
        action="subsidies.begin_draft",
        subject=f"policy_draft:{draft.id}",
        now=now,
        after={"name": name, "policy": policy.id},
    )
    return draft.id


def change_draft(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    draft_id: int,
    edition: int | None,
    name: str,
    text: str,
    note: str = "",
) -> int:
    """Save the next edition of a draft and return its number; the earlier ones stay.

    Refuse where somebody else saved since ``edition``; the same name and text change nothing.
    """
    require(actor, TRY_POLICIES)
    draft = lock(session, PolicyDraft, draft_id)
    last = session.scalars(
        select(PolicyDraftEdition).where(
            PolicyDraftEdition.draft_id == draft_id, PolicyDraftEdition.number == draft.edition
        )
    ).one()
    if last.text == text and draft.name == name:
        return draft.edition
    if edition != draft.edition:
        raise Conflict(
            "drafts.changed",
            f"您打开之后，已被别人改过，现在是第 {draft.edition} 版。您填写的内容还在下面："
            "请先看新版，再把要改的地方改上去保存",
        )
    policy = read_draft(text)
    if name != draft.name:
        _check_name(session, name)
    before = {"name": draft.name, "edition": draft.edition}
    draft.name, draft.changed_at = name, now
    draft.edition += 1
    _add(session, draft, actor, now, text, note)
    audit.record(
        session,
        actor=actor,
        action="subsidies.change_draft",
        subject=f"policy_draft:{draft_id}",
        now=now,
        before=before,
        after={"name": name, "edition": draft.edition, "policy": policy.id},
    )
    return draft.edition


def _check_name(session: Session, name: str) -> None:
    if session.scalar(select(PolicyDraft.id).where(PolicyDraft.name == name)) is not None:
        raise RuleBroken("drafts.name", f"已有名为“{name}”的草案，请换一个名称", "name")


def _add(
    session: Session, draft: PolicyDraft, actor: Actor, now: datetime, text: str, note: str
) -> None:
    session.add(
        PolicyDraftEdition(
            draft_id=draft.id,
            number=draft.edition,
            text=text,
            note=note,
            saved_at=now,
            saved_by_id=actor.user_id,
        )
    )
