"""One person's first page, put together from what the slices offer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.foundation.access import Actor
from marketplace.foundation.clock import local_date
from marketplace.foundation.waiting import WaitingContributors
from marketplace.workbench import (
    broker_queries,
    enterprise_queries,
    office_queries,
    owner_queries,
    provider_queries,
    rules,
)
from marketplace.workbench.rules import Desk, Part, Workbench

_PARTS: dict[Desk, Callable[[Session, Actor, datetime], Part]] = {
    Desk.OPERATOR: office_queries.operator_part,
    Desk.REGISTRAR: office_queries.registrar_part,
    Desk.REVIEWER: office_queries.reviewer_part,
    Desk.BROKER: broker_queries.part,
    Desk.OWNER: owner_queries.part,
    Desk.ENTERPRISE: enterprise_queries.part,
    Desk.PROVIDER: provider_queries.part,
}


def workbench(
    session: Session, actor: Actor, contributors: WaitingContributors, *, now: datetime
) -> Workbench:
    """Read everything that the person's first page shows."""
    kind = None
    if actor.organisation_id is not None:
        kind = accounts.get_organisation(session, actor.organisation_id).kind
    desks = rules.desks_of(actor.roles, kind)
    waiting = contributors.items(session, actor, now=now)
    if desks[:1] == (Desk.ENTERPRISE,) and not achievements.owned_counts(session, actor):
        # Roles of an owner lie ready in every enterprise; the desk comes with the first offer.
        desks = tuple(desk for desk in desks if desk is not Desk.OWNER)
    parts = [_PARTS[desk](session, actor, now) for desk in desks]
    return Workbench(
        desks=desks,
        waiting=waiting,
        overdue=rules.overdue(waiting, local_date(now)),
        figures=[figure for part in parts for figure in part.figures],
        acts=rules.distinct([act for part in parts for act in part.acts]),
        panels=[panel for part in parts for panel in part.panels],
    )
