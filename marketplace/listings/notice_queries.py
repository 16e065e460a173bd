"""Reads around a listing's notice: versions with their changes, priority rights, checks, trial."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation.access import Actor, permits
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen
from marketplace.listings import rules
from marketplace.listings.announcement_rules import Change, VersionKind, changes
from marketplace.listings.models import Listing
from marketplace.listings.notice_models import Announcement, Priority, RightCheck, Trial
from marketplace.listings.priority_rules import BASIS, HolderKind, PriorityState
from marketplace.listings.right_rules import CheckMoment, RightFinding
from marketplace.listings.trial_rules import TrialState, TrialTerms, formula_text


@dataclass(frozen=True)
class VersionView:
    """One version of a notice, with what it changed against the one before."""

    number: int
    kind: VersionKind
    reason: str
    published_at: datetime
    ends_on: date
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class PriorityView:
    """One holder of a priority right."""

    id: int
    listing_id: int
    title: str
    kind: HolderKind
    name: str
    state: PriorityState
    basis: str
    answer_by: date
    answered_at: datetime | None
    note: str
    user_id: int | None
    organisation_id: int | None
    # What was found in the end: the price, and the notice in which it stands before the public.
    price_fen: Fen | None
    publicity_id: int | None


@dataclass(frozen=True)
class CheckView:
    """What was found of the rights at one moment."""

    moment: CheckMoment
    checked_at: datetime
    findings: tuple[RightFinding, ...]


@dataclass(frozen=True)
class TrialView:
    """A trial as pages show it; amounts in fen."""

    state: TrialState
    months: int
    conditions: str
    formula: str
    starts_on: date | None
    ends_on: date | None
    result: str
    units: int | None
    revenue_fen: Fen | None
    price_fen: Fen | None


def versions(session: Session, listing_id: int) -> list[VersionView]:
    """List the versions of a notice, the newest first."""
    rows = session.scalars(
        select(Announcement)
        .where(Announcement.listing_id == listing_id)
        .order_by(Announcement.number)
    ).all()
    found = []
    before: dict[str, str] | None = None
    for row in rows:
        found.append(
            VersionView(
                row.number,
                row.kind,
                row.reason,
                row.published_at,
                row.ends_on,
                () if before is None else tuple(changes(before, row.content)),
            )
        )
        before = row.content
    return found[::-1]


def priorities(session: Session, listing_id: int) -> list[PriorityView]:
    """List who was asked for a listing."""
    rows = session.execute(
        select(Priority, Listing)
        .join(Listing, Listing.id == Priority.listing_id)
        .where(Priority.listing_id == listing_id)
        .order_by(Priority.id)
    )
    return [_priority(row, listing) for row, listing in rows]


def own_priorities(session: Session, actor: Actor) -> list[PriorityView]:
    """List the questions to the acting person, or to the organisation acted for; newest first."""
    mine = Priority.user_id == (actor.user_id or 0)
    if actor.organisation_id is not None:
        mine = mine | (Priority.organisation_id == actor.organisation_id)
    rows = session.execute(
        select(Priority, Listing)
        .join(Listing, Listing.id == Priority.listing_id)
        .where(mine)
        .order_by(Priority.id.desc())
        .limit(100)
    )
    return [_priority(row, listing) for row, listing in rows]


def get_priority(session: Session, actor: Actor, priority_id: int) -> PriorityView:
    """Return a question to its holder or to the seller, else raise ``NotFound``."""
    row = session.get(Priority, priority_id)
    if row is None:
        raise NotFound()
    listing = session.get_one(Listing, row.listing_id)
    concerned = (listing.organisation_id, row.organisation_id)
    if row.user_id != actor.user_id and actor.organisation_id not in concerned:
        raise NotFound()
    return _priority(row, listing)


def holds(actor: Actor, asked: Priority | PriorityView) -> bool:
    """Tell whether the actor is the holder, or acts for the organisation that is."""
    if asked.user_id is not None and asked.user_id == actor.user_id:
        return True
    return (
        asked.organisation_id is not None
        and asked.organisation_id == actor.organisation_id
        and (permits(actor, rules.APPLY) or permits(actor, rules.INTEND))
    )


def _priority(row: Priority, listing: Listing) -> PriorityView:
    return PriorityView(
        row.id,
        row.listing_id,
        listing.title,
        row.kind,
        row.name,
        row.state,
        BASIS[row.kind],
        row.answer_by,
        row.answered_at,
        row.note,
        row.user_id,
        row.organisation_id,
        listing.price_fen,
        listing.publicity_id,
    )


def checks(session: Session, listing_id: int) -> list[CheckView]:
    """List when the rights were looked at and what was found, the newest first."""
    rows = session.scalars(
        select(RightCheck).where(RightCheck.listing_id == listing_id).order_by(RightCheck.id.desc())
    )
    return [
        CheckView(
            row.moment, row.checked_at, tuple(RightFinding(**found) for found in row.findings)
        )
        for row in rows
    ]


def terms_of(trial: Trial) -> TrialTerms:
    """Return a stored trial's terms."""
    return TrialTerms(
        trial.months,
        trial.conditions,
        trial.formula,
        trial.rate_fen,
        trial.rate_per_mille,
        trial.unit,
        trial.floor_fen,
        trial.cap_fen,
    )


def trial_of(session: Session, listing_id: int) -> TrialView | None:
    """Return the trial of a listing, or None."""
    row = session.scalar(select(Trial).where(Trial.listing_id == listing_id))
    if row is None:
        return None
    return TrialView(
        row.state,
        row.months,
        row.conditions,
        formula_text(terms_of(row)),
        row.starts_on,
        row.ends_on,
        row.result,
        row.units,
        row.revenue_fen,
        row.price_fen,
    )


def trial_fields(session: Session, listing_id: int) -> dict[str, object]:
    """Return a trial's terms as a form's data; empty without a trial."""
    row = session.scalar(select(Trial).where(Trial.listing_id == listing_id))
    if row is None:
        return {}
    return {
        "trial_months": row.months,
        "trial_conditions": row.conditions,
        "trial_formula": row.formula,
        "trial_rate": row.rate_fen or None,
        "trial_unit": row.unit,
        "trial_share": Decimal(row.rate_per_mille) / 10 if row.rate_per_mille else None,
        "trial_floor": row.floor_fen or None,
        "trial_cap": row.cap_fen,
    }
