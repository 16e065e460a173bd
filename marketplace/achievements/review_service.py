"""The organisation's own approval: submit, approve step by step, return, set the chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from marketplace.achievements.authoring_service import (
    check_version,
    load_own,
    load_to_edit,
    save_draft,
    subject,
)
from marketplace.achievements.completeness_rules import contradictions, missing
from marketplace.achievements.events import AchievementReturned, AchievementSubmitted
from marketplace.achievements.market_service import put_on_market
from marketplace.achievements.models import Achievement, ChainStepRow, ReviewRow
from marketplace.achievements.record_queries import content_of
from marketplace.achievements.review_queries import chain_of
from marketplace.achievements.rules import (
    EDIT,
    MANAGE,
    REVIEW,
    STEP_LABELS,
    AchievementContent,
    AchievementState,
    ReviewOutcome,
    ReviewStep,
    check_chain,
    check_reason,
    decides,
    move,
    steps_for,
)
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, Role, require
from marketplace.foundation.errors import Conflict, NotAllowed, Problem, RuleBroken, raise_if_any

SUBMIT_MANY = 100


def submit_for_review(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    achievement_id: int,
    version: int | None = None,
) -> None:
    """Hand a complete draft to the organisation's chain; name everything that is missing."""
    require(actor, EDIT)
    row = load_to_edit(session, actor=actor, achievement_id=achievement_id)
    check_version(row, version)
    content = content_of(row)
    raise_if_any(
        [*contradictions(content), *missing(content, own_organisation_id=row.organisation_id)]
    )
    row.state = move(row.state, AchievementState.INTERNAL_REVIEW)
    row.submitted_at = row.updated_at = now
    row.return_reason = ""
    row.version += 1
    steps = steps_for(
        chain_of(session, row.organisation_id),
        price_fen=row.price_fen,
        negotiable=row.negotiable,
    )
    latest = session.scalar(
        select(func.max(ReviewRow.round)).where(ReviewRow.achievement_id == row.id)
    )
    session.add_all(
        ReviewRow(
            achievement_id=row.id,
            round=(latest or 0) + 1,
            position=position,
            role=step.role,
            outcome=ReviewOutcome.PENDING,
            decided_at=None,
        )
        for position, step in enumerate(steps)
    )
    audit.record(
        session,
        actor=actor,
        action="achievements.submit",
        subject=subject(row),
        now=now,
        after={"steps": [step.role for step in steps]},
    )
    _announce_step(session, row, steps[0].role, now=now)


def save_and_submit(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    achievement_id: int,
    content: AchievementContent,
    version: int | None,
) -> tuple[Problem, ...]:
    """Save the draft and submit it when it is complete; otherwise keep it and say what is missing.

    Return what is missing; empty when it was submitted.
    """
    save_draft(
        session,
        actor=actor,
        now=now,
        achievement_id=achievement_id,
        content=content,
        version=version,
    )
    row = load_to_edit(session, actor=actor, achievement_id=achievement_id)
    lacking = missing(content_of(row), own_organisation_id=row.organisation_id)
    if lacking:
        return tuple(lacking)
    submit_for_review(session, actor=actor, now=now, achievement_id=achievement_id)
    return ()


@dataclass(frozen=True)
class BatchOutcome:
    """What became of a batch: how many were submitted, and why others were not, by title."""

    submitted: int
    refused: tuple[tuple[str, str], ...]


def submit_many(
    session: Session, *, actor: Actor, now: datetime, achievement_ids: Sequence[int]
) -> BatchOutcome:
    """Submit those drafts of a batch that are complete; leave the others as they are."""
    require(actor, EDIT)
    if not achievement_ids:
        raise RuleBroken("achievements.none_chosen", "没有选中任何成果，请先勾选")
    if len(achievement_ids) > SUBMIT_MANY:
        raise RuleBroken("achievements.too_many", f"一次最多提交 {SUBMIT_MANY} 项，请分几次办理")
    submitted, refused = 0, []
    for achievement_id in sorted(set(achievement_ids)):
        row = load_to_edit(session, actor=actor, achievement_id=achievement_id)
        if row.state is not AchievementState.DRAFT:
            refused.append((row.title, f"现在是“{row.state.label}”"))
            continue
        content = content_of(row)
        lacking = missing(content, own_organisation_id=row.organisation_id)
        problems = [*contradictions(content), *lacking]
        if problems:
            refused.append((row.title or "（未命名草稿）", f"还缺 {len(problems)} 处"))
            continue
        submit_for_review(session, actor=actor, now=now, achievement_id=achievement_id)
        submitted += 1
    return BatchOutcome(submitted, tuple(refused))


def approve_review(
    session: Session, *, actor: Actor, now: datetime, achievement_id: int, note: str = ""
) -> None:
    """Approve the step that waits; the last approval publishes."""
    row, steps = _load_step(session, actor=actor, achievement_id=achievement_id)
    step = steps[0]
    step.outcome = ReviewOutcome.APPROVED
    step.reason = note.strip()[:1000]
    _sign(step, actor, now)
    audit.record(
        session,
        actor=actor,
        action="achievements.approve",
        subject=subject(row),
        now=now,
        after={"step": STEP_LABELS[step.role], "reason": step.reason},
    )
    row.updated_at = now
    if len(steps) > 1:
        _announce_step(session, row, steps[1].role, now=now)
    else:
        put_on_market(session, row, actor=actor, now=now)


def return_review(
    session: Session, *, actor: Actor, now: datetime, achievement_id: int, reason: str
) -> None:
    """Send a submission back to its author as a draft, with the reason."""
    row, steps = _load_step(session, actor=actor, achievement_id=achievement_id)
    text = check_reason(reason, "退回")
    step = steps[0]
    step.outcome = ReviewOutcome.RETURNED
    step.reason = text
    _sign(step, actor, now)
    # The later steps of this round are never asked: the next submission makes its own.
    for later in steps[1:]:
        session.delete(later)
    row.state = move(row.state, AchievementState.DRAFT)
    row.return_reason = text
    row.updated_at = now
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action="achievements.return",
        subject=subject(row),
        now=now,
        after={"step": STEP_LABELS[step.role], "reason": text},
    )
    outbox.publish(
        session,
        AchievementReturned(
            achievement_id=row.id,
            organisation_id=row.organisation_id,
            title=row.title,
            author_user_id=row.author_id,
            reason=text,
        ),
        now=now,
    )


def set_chain(
    session: Session, *, actor: Actor, now: datetime, steps: Sequence[ReviewStep]
) -> None:
    """Set the actor's organisation's review chain; submissions under way keep theirs."""
    require(actor, MANAGE)
    if actor.organisation_id is None:
        raise NotAllowed("achievements.no_organisation", "请先以一个单位的身份登录")
    check_chain(steps)
    before = chain_of(session, actor.organisation_id)
    session.execute(
        delete(ChainStepRow).where(ChainStepRow.organisation_id == actor.organisation_id)
    )
    session.add_all(
        ChainStepRow(organisation_id=actor.organisation_id, role=step.role, from_fen=step.from_fen)
        for step in steps
    )
    audit.record(
        session,
        actor=actor,
        action="achievements.chain",
        subject=f"organisation:{actor.organisation_id}",
        now=now,
        before={step.role.value: step.from_fen for step in before},
        after={step.role.value: step.from_fen for step in steps},
    )


def _load_step(
    session: Session, *, actor: Actor, achievement_id: int
) -> tuple[Achievement, list[ReviewRow]]:
    """Lock the record and return its pending steps; the actor must decide the first."""
    require(actor, REVIEW)
    row = load_own(session, actor=actor, achievement_id=achievement_id)
    steps = list(
        session.scalars(
            select(ReviewRow)
            .where(ReviewRow.achievement_id == row.id, ReviewRow.outcome == ReviewOutcome.PENDING)
            .order_by(ReviewRow.round, ReviewRow.position)
        )
    )
    if row.state is not AchievementState.INTERNAL_REVIEW or not steps:
        raise Conflict(
            "achievements.no_review",
            f"这项成果现在是“{row.state.label}”，没有等待审批的环节；可能别人已经办理",
        )
    step = steps[0]
    if actor is not SYSTEM and not decides(step.role, actor.roles):
        raise NotAllowed(
            "achievements.other_step",
            f"现在等的是“{STEP_LABELS[step.role]}”，由{step.role.label}办理",
        )
    return row, steps


def _sign(step: ReviewRow, actor: Actor, now: datetime) -> None:
    step.decided_by = actor.user_id
    step.decided_by_name = actor.name
    step.decided_at = now


def _announce_step(session: Session, row: Achievement, role: Role, *, now: datetime) -> None:
    outbox.publish(
        session,
        AchievementSubmitted(
            achievement_id=row.id,
            organisation_id=row.organisation_id,
            title=row.title,
            role=role.value,
        ),
        now=now,
    )
