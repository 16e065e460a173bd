"""An achievement on the market: published, confirmed, listed, in a deal, transferred, taken off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from marketplace.achievements.authoring_service import load_own, subject
from marketplace.achievements.completeness_rules import contradictions, missing
from marketplace.achievements.events import (
    AchievementChanged,
    AchievementPublished,
    AchievementsConfirmed,
    AchievementTransferred,
    AchievementWithdrawn,
)
from marketplace.achievements.models import Achievement
from marketplace.achievements.record_queries import content_of
from marketplace.achievements.rules import (
    MANAGE,
    REPEATABLE_MODES,
    VISIBLE_STATES,
    AchievementState,
    check_reason,
    check_reopened,
    move,
)
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, require, require_own
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken, raise_if_any
from marketplace.foundation.numbering import next_number
from marketplace.foundation.parameters import value_on
from marketplace.foundation.trade import TradingMode

CONFIRM_MANY = 500


def valid_until_from(day: date) -> date:
    """Return the last day of validity of what is published or confirmed on a day."""
    return day + timedelta(days=value_on("validity_days", day))


def put_on_market(session: Session, row: Achievement, *, actor: Actor, now: datetime) -> None:
    """Make a locked record visible to others, with its number and its dates."""
    to = move(row.state, AchievementState.PUBLISHED)
    if row.number is None:
        row.number = next_number(session, "CG", local_date(now).year)
    # Set together: taking a number flushes, and no half-published row passes the constraints.
    row.state = to
    row.published_at = row.confirmed_at = row.updated_at = now
    row.valid_until = valid_until_from(local_date(now))
    row.stale = False
    row.return_reason = row.closing_reason = ""
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action="achievements.publish",
        subject=subject(row),
        now=now,
        after={"number": row.number, "valid_until": row.valid_until},
    )
    outbox.publish(
        session,
        AchievementPublished(achievement_id=row.id, organisation_id=row.organisation_id),
        now=now,
    )


def publish(session: Session, *, actor: Actor, now: datetime, achievement_id: int) -> None:
    """Publish a complete draft without a chain: for the platform only; done already, do nothing.

    Members go through ``submit_for_review``, whose last approval publishes.
    """
    row = load_own(session, actor=actor, achievement_id=achievement_id)
    if row.state is AchievementState.PUBLISHED:
        return
    if actor is not SYSTEM:
        raise Conflict(
            "achievements.needs_review",
            "发布要先经过单位审批：请点“提交审批”，最后一个环节同意后自动发布",
        )
    content = content_of(row)
    raise_if_any(
        [*contradictions(content), *missing(content, own_organisation_id=row.organisation_id)]
    )
    put_on_market(session, row, actor=actor, now=now)


def withdraw(
    session: Session, *, actor: Actor, now: datetime, achievement_id: int, reason: str
) -> None:
    """Take a draft or a published achievement off, with the reason."""
    require(actor, MANAGE)
    row = load_own(session, actor=actor, achievement_id=achievement_id)
    if row.state in (AchievementState.LISTED, AchievementState.IN_DEAL):
        raise Conflict(
            "achievements.busy",
            f"这项成果{row.state.label}，请先在挂牌或撮合页面结束它，再撤下成果",
        )
    shown = row.state in VISIBLE_STATES
    text = check_reason(reason, "撤下")
    row.state = move(row.state, AchievementState.WITHDRAWN)
    row.closing_reason = text
    row.updated_at = now
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action="achievements.withdraw",
        subject=subject(row),
        now=now,
        after={"reason": text},
    )
    if shown:
        outbox.publish(
            session,
            AchievementWithdrawn(
                achievement_id=row.id,
                organisation_id=row.organisation_id,
                title=row.title,
                reason=text,
            ),
            now=now,
        )


def reopen(session: Session, *, actor: Actor, now: datetime, achievement_id: int) -> None:
    """Take a withdrawn or expired achievement up again as a draft."""
    require(actor, MANAGE)
    row = load_own(session, actor=actor, achievement_id=achievement_id)
    check_reopened(row.state)
    row.state = move(row.state, AchievementState.DRAFT)
    row.updated_at = now
    row.version += 1
    audit.record(session, actor=actor, action="achievements.reopen", subject=subject(row), now=now)


def confirm_current(
    session: Session, *, actor: Actor, now: datetime, achievement_ids: Sequence[int]
) -> int:
    """Confirm that published information still holds; return how many were confirmed.

    Validity and freshness start anew. What is not published is passed over; another
    organisation's record refuses the whole call.
    """
    require(actor, MANAGE)
    if not achievement_ids:
        raise RuleBroken("achievements.none_chosen", "没有选中任何成果，请先勾选")
    if len(achievement_ids) > CONFIRM_MANY:
        raise RuleBroken("achievements.too_many", f"一次最多确认 {CONFIRM_MANY} 项，请分几次办理")
    confirmed: list[Achievement] = []
    rows = session.scalars(
        select(Achievement)
        .where(Achievement.id.in_(set(achievement_ids)))
        .order_by(Achievement.id)
        .options(lazyload("*"))
        .with_for_update()
    ).all()
    if len(rows) < len(set(achievement_ids)):
        raise NotFound()
    for row in rows:
        require_own(actor, row.organisation_id)
        if row.state not in VISIBLE_STATES:
            continue
        row.confirmed_at = now
        row.stale = False
        row.valid_until = valid_until_from(local_date(now))
        confirmed.append(row)
        audit.record(
            session, actor=actor, action="achievements.confirm", subject=subject(row), now=now
        )
    if confirmed:
        outbox.publish(
            session,
            AchievementsConfirmed(
                achievement_ids=[row.id for row in confirmed],
                organisation_id=confirmed[0].organisation_id,
            ),
            now=now,
        )
    return len(confirmed)


# --- marks that listings, deals and contracts set; their own services have asked for the right ---


def mark_listed(session: Session, *, actor: Actor, now: datetime, achievement_id: int) -> None:
    """Note that a listing of the achievement was announced; it must be complete."""
    row = lock(session, Achievement, achievement_id)
    if row.missing_count:
        raise RuleBroken(
            "achievements.incomplete",
            f"这项成果还有 {row.missing_count} 处需要补充，补齐后才能挂牌；"
            "请权利人在“我的成果”中打开它查看",
        )
    _mark(session, row, AchievementState.LISTED, "achievements.list", actor=actor, now=now)


def mark_unlisted(session: Session, *, actor: Actor, now: datetime, achievement_id: int) -> None:
    """Note that its listing ended without a contract."""
    row = lock(session, Achievement, achievement_id)
    if row.state is AchievementState.LISTED:
        _mark(session, row, AchievementState.PUBLISHED, "achievements.unlist", actor=actor, now=now)


def mark_in_deal(session: Session, *, actor: Actor, now: datetime, achievement_id: int) -> None:
    """Note that a deal on it began; while listed it stays listed, for the notice rules."""
    row = lock(session, Achievement, achievement_id)
    if row.state is AchievementState.PUBLISHED:
        _mark(session, row, AchievementState.IN_DEAL, "achievements.deal", actor=actor, now=now)


def mark_out_of_deal(session: Session, *, actor: Actor, now: datetime, achievement_id: int) -> None:
    """Note that its last open deal came to nothing."""
    row = lock(session, Achievement, achievement_id)
    if row.state is AchievementState.IN_DEAL:
        _mark(session, row, AchievementState.PUBLISHED, "achievements.undeal", actor=actor, now=now)


def mark_transferred(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    achievement_id: int,
    mode: TradingMode | None = None,
) -> None:
    """Note that a contract on it was registered; repeating does nothing.

    After an ordinary licence, a development or a service it stays on the market.
    """
    row = lock(session, Achievement, achievement_id)
    if row.state is AchievementState.TRANSFERRED:
        return
    if mode in REPEATABLE_MODES:
        if row.state in (AchievementState.LISTED, AchievementState.IN_DEAL):
            _mark(
                session,
                row,
                AchievementState.PUBLISHED,
                "achievements.transfer",
                actor=actor,
                now=now,
                note=f"{mode.label}，可继续转化" if mode else "",
            )
        return
    _mark(session, row, AchievementState.TRANSFERRED, "achievements.transfer", actor=actor, now=now)
    outbox.publish(
        session,
        AchievementTransferred(achievement_id=row.id, organisation_id=row.organisation_id),
        now=now,
    )


def _mark(
    session: Session,
    row: Achievement,
    to: AchievementState,
    action: str,
    *,
    actor: Actor,
    now: datetime,
    note: str = "",
) -> None:
    before = row.state
    if before is to:
        return
    row.state = move(before, to)
    row.updated_at = now
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action=action,
        subject=subject(row),
        now=now,
        before={"state": before},
        after={"state": to, "reason": note} if note else {"state": to},
    )
    outbox.publish(
        session,
        AchievementChanged(achievement_id=row.id, organisation_id=row.organisation_id),
        now=now,
    )
