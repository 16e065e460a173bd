"""A trial before payment runs: begun after the award, ended with what was measured."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.listings import rules, trial_rules
from marketplace.listings.models import Listing
from marketplace.listings.notice_models import Trial
from marketplace.listings.notice_queries import terms_of
from marketplace.listings.rules import ListingState
from marketplace.listings.trail import note
from marketplace.listings.trial_rules import TrialState


def begin_trial(session: Session, *, actor: Actor, now: datetime, listing_id: int) -> None:
    """Begin the trial of an awarded or signed listing; its term runs from today."""
    require(actor, rules.APPLY)
    listing, trial = _load(session, listing_id)
    require_own(actor, listing.organisation_id)
    if listing.state not in (ListingState.AWARDED, ListingState.SIGNED):
        raise RuleBroken(
            "listings.trial_early",
            f"项目现在是“{listing.state.label}”，公示通过、确定受让方之后才能开始试用",
        )
    if trial.state is not TrialState.OFFERED:
        raise Conflict("listings.trial_begun", f"试用现在是“{trial.state.label}”，不能再开始")
    trial.state = TrialState.RUNNING
    trial.starts_on = local_date(now)
    trial.ends_on = trial_rules.months_later(trial.starts_on, trial.months)
    note(session, listing, actor, "begin_trial", now, ends_on=trial.ends_on)


def end_trial(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    listing_id: int,
    adopted: bool,
    units: int,
    revenue_fen: Fen,
    result: str,
) -> Fen | None:
    """End a trial as its buyer: adopted at the price of the formula, which is returned, or not."""
    require(actor, rules.INTEND)
    listing, trial = _load(session, listing_id)
    require_own(actor, listing.buyer_id)
    if trial.state is not TrialState.RUNNING:
        raise Conflict("listings.trial_over", f"试用现在是“{trial.state.label}”，不能结束")
    rules.check_reason(result, "试用结果", "result")
    trial.result, trial.ended_at = result.strip(), now
    if adopted:
        trial.units, trial.revenue_fen = units, revenue_fen
        trial.price_fen = trial_rules.price_of(
            terms_of(trial), units=units, revenue_fen=revenue_fen
        )
        trial.state = TrialState.ADOPTED
    else:
        trial.state = TrialState.DROPPED
    note(
        session,
        listing,
        actor,
        "end_trial",
        now,
        adopted=adopted,
        price_fen=trial.price_fen,
        reason=trial.result,
    )
    return trial.price_fen


def _load(session: Session, listing_id: int) -> tuple[Listing, Trial]:
    listing = lock(session, Listing, listing_id)
    trial = session.scalar(select(Trial).where(Trial.listing_id == listing_id).with_for_update())
    if trial is None:
        raise NotFound()
    return listing, trial
