"""The notice of a listing: its versions, the check of its rights, priority rights."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from marketplace.achievements import queries as achievements
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SIGNED_IN, Actor, permits, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.parameters import value_on
from marketplace.foundation.workdays import add_workdays
from marketplace.listings import announcement_rules, priority_rules, right_rules, rules, trial_rules
from marketplace.listings.announcement_rules import VersionKind
from marketplace.listings.events import PriorityAsked
from marketplace.listings.models import Listing
from marketplace.listings.notice_models import Announcement, Priority, RightCheck, Trial
from marketplace.listings.notice_queries import holds, terms_of
from marketplace.listings.priority_rules import PriorityState
from marketplace.listings.right_rules import CheckMoment
from marketplace.listings.trail import note


def publish_version(
    session: Session, listing: Listing, kind: VersionKind, *, now: datetime, reason: str = ""
) -> int:
    """Add the notice as it now stands as a version, and return its number."""
    last = session.scalar(
        select(func.max(Announcement.number)).where(Announcement.listing_id == listing.id)
    )
    assert listing.announcement_ends_on is not None
    number = (last or 0) + 1
    session.add(
        Announcement(
            listing_id=listing.id,
            number=number,
            kind=kind,
            content=snapshot(session, listing),
            reason=reason,
            published_at=now,
            ends_on=listing.announcement_ends_on,
        )
    )
    return number


def snapshot(session: Session, listing: Listing) -> dict[str, str]:
    """Write what the notice states, as text, by the keys of the notice."""
    trial = session.scalar(select(Trial).where(Trial.listing_id == listing.id))
    agent = f"{listing.agent_name}（{listing.agent_licence}）" if listing.agent_name else ""
    return {
        "title": listing.title,
        "pricing_mode": listing.pricing_mode.label,
        "trading_mode": listing.trading_mode.label,
        "base_price_fen": f"{format_yuan(listing.base_price_fen)} 元",
        "increment_fen": _yuan(listing.increment_fen, ""),
        "deposit_fen": _yuan(listing.deposit_fen, "不收"),
        "payment_mode": listing.payment_mode.label,
        "payment_terms": listing.payment_terms,
        "conditions": listing.conditions,
        "agent": agent,
        "trial": "" if trial is None else _trial_text(trial),
    }


def _yuan(fen: Fen, absent: str) -> str:
    return f"{format_yuan(fen)} 元" if fen else absent


def _trial_text(trial: Trial) -> str:
    formula = trial_rules.formula_text(terms_of(trial))
    return f"{trial.months} 个月；{trial.conditions}；{formula}"


def check_rights(
    session: Session, listing: Listing, moment: CheckMoment, *, actor: Actor, now: datetime
) -> None:
    """Look at every IP right of a listing, keep what was found, refuse what cannot be traded."""
    content = achievements.get_internal(session, listing.achievement_id).content
    findings = right_rules.look_at(content.ip_rights, listing.trading_mode, on=local_date(now))
    right_rules.check(findings, moment)
    session.add(
        RightCheck(
            listing_id=listing.id,
            moment=moment,
            findings=[asdict(found) for found in findings],
            checked_at=now,
        )
    )
    note(session, listing, actor, "check_rights", now, moment=moment, rights=len(findings))


def check_before_signing(session: Session, *, actor: Actor, now: datetime, listing_id: int) -> None:
    """Check the rights of a listing before its contract goes to the registrar.

    The contracts slice has asked for permission.
    """
    check_rights(
        session, lock(session, Listing, listing_id), CheckMoment.SIGNING, actor=actor, now=now
    )


def ask_holders(session: Session, listing: Listing, *, actor: Actor, now: datetime) -> None:
    """Ask whoever has a priority right, anew where the mode of trading has changed."""
    content = achievements.get_internal(session, listing.achievement_id).content
    holders = priority_rules.holders(
        listing.trading_mode,
        [(person.name, person.user_id) for person in content.inventors],
        [(owner.name, owner.organisation_id) for owner in content.owners],
        listing.organisation_id,
        next((o.name for o in content.owners if o.organisation_id == listing.organisation_id), ""),
    )
    known = session.scalars(select(Priority).where(Priority.listing_id == listing.id)).all()
    names = {(row.kind, row.name) for row in known}
    for row in known:
        if row.state is PriorityState.ASKED and not holders:
            session.delete(row)
    today = local_date(now)
    answer_by = add_workdays(today, value_on("priority_answer_workdays", today))
    for holder in holders:
        if (holder.kind, holder.name) in names:
            continue
        row = Priority(
            listing_id=listing.id,
            kind=holder.kind,
            name=holder.name,
            user_id=holder.user_id,
            organisation_id=holder.organisation_id,
            state=PriorityState.ASKED,
            asked_at=now,
            answer_by=answer_by,
            answered_at=None,
            answered_by_id=None,
        )
        session.add(row)
        session.flush()
        outbox.publish(
            session,
            PriorityAsked(
                priority_id=row.id,
                listing_id=listing.id,
                title=listing.title,
                user_id=holder.user_id,
                organisation_id=holder.organisation_id,
                answer_by=answer_by,
            ),
            now=now,
        )
    note(session, listing, actor, "ask_holders", now, holders=len(holders))


def answer_priority(
    session: Session, *, actor: Actor, now: datetime, priority_id: int, claims: bool, note: str
) -> None:
    """Waive or claim a priority right, as its holder, or as the seller who has it in writing."""
    require(actor, SIGNED_IN)
    row = lock(session, Priority, priority_id)
    listing = session.get_one(Listing, row.listing_id)
    by_holder = holds(actor, row)
    if not by_holder and not (
        permits(actor, rules.APPLY) and listing.organisation_id == actor.organisation_id
    ):
        raise NotFound()
    priority_rules.check_answer(row.state, claims=claims, note=note, by_holder=by_holder)
    before = row.state
    row.state = PriorityState.CLAIMED if claims else PriorityState.WAIVED
    row.note, row.answered_at, row.answered_by_id = note.strip(), now, actor.user_id
    audit.record(
        session,
        actor=actor,
        action="listings.answer_priority",
        subject=f"listing:{listing.id}",
        now=now,
        before={"state": before},
        after={"state": row.state, "holder": row.name, "reason": row.note},
    )


def close_priorities(session: Session, listing: Listing, *, now: datetime) -> None:
    """Refuse while holders may still answer; who let the term pass is noted as silent."""
    waiting = session.scalars(
        select(Priority).where(
            Priority.listing_id == listing.id, Priority.state == PriorityState.ASKED
        )
    ).all()
    today = local_date(now)
    in_time = [row for row in waiting if row.answer_by >= today]
    if in_time:
        priority_rules.check_asked([row.name for row in in_time], in_time[0].answer_by)
    session.execute(
        update(Priority)
        .where(Priority.listing_id == listing.id, Priority.state == PriorityState.ASKED)
        .values(state=PriorityState.SILENT)
    )


def kind_of_change(session: Session, listing: Listing, before: dict[str, str]) -> VersionKind:
    """Tell whether what has been written over ``before`` is a material change."""
    return announcement_rules.kind_of(before, snapshot(session, listing))
