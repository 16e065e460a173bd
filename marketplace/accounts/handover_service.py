"""Use cases of handing over: a member's open work goes to a named colleague."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import rules
from marketplace.accounts.membership_service import end_membership
from marketplace.accounts.models import Handover, Membership, Organisation
from marketplace.accounts.queries import actor_for
from marketplace.foundation import audit
from marketplace.foundation.access import Actor, require
from marketplace.foundation.db import lock
from marketplace.foundation.errors import NotFound, RuleBroken
from marketplace.foundation.handover import Handing, Handovers


def hand_over(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    giver_id: int,
    taker_id: int,
    leaving: bool,
    works: Handovers,
) -> dict[str, int]:
    """Give a member's open work to a colleague; ``leaving`` ends the membership in the same step.

    Return how much of each kind went over. What was done before stays under the name of who did
    it; every object's history says from whom to whom it went.
    """
    require(actor, rules.MANAGE_MEMBERS)
    if actor.organisation_id is None:
        raise NotFound()
    organisation = lock(session, Organisation, actor.organisation_id)
    held = session.scalar(
        select(Membership.id)
        .where(Membership.organisation_id == organisation.id, Membership.user_id == giver_id)
        .limit(1)
    )
    if held is None:
        raise NotFound()
    taker = actor_for(session, taker_id, organisation.id)
    if taker is None or taker_id == giver_id:
        raise RuleBroken("accounts.taker", "请从名单中选择本单位的另一位成员", "taker")
    handing = Handing(organisation.id, giver_id, taker)
    counts = works.take_over(session, actor=actor, now=now, handing=handing)
    if organisation.authorised_user_id == giver_id and leaving:
        organisation.authorised_user_id = taker_id
        counts["授权经办人"] = 1
    session.add(
        Handover(
            organisation_id=organisation.id,
            giver_id=giver_id,
            taker_id=taker_id,
            handed_at=now,
            handed_by_id=actor.user_id,
            counts=counts,
        )
    )
    audit.record(
        session,
        actor=actor,
        action="accounts.hand_over",
        subject=f"organisation:{organisation.id}",
        now=now,
        before={"person": giver_id},
        after={"person": taker_id, "leaving": leaving, **counts},
    )
    if leaving:
        end_membership(session, actor=actor, now=now, user_id=giver_id)
    return counts
