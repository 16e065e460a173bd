"""Use cases of the operator: an organisation is suspended for a reason, and may act again.

What that does to its open objects is decided by their slices, each by itself:

- achievements on the market and open needs are taken off; their owner puts them up again;
- listings that bind nobody yet are withdrawn, intents that are not decided end, deposits go back;
- sessions and publicities that bind others go on, without new bids and without private limits;
- deals wait: nobody moves them on; contracts are not registered, claims are not listed for payment;
- what is signed, registered or paid stands.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.accounts import rules
from marketplace.accounts.events import OrganisationResumed, OrganisationSuspended
from marketplace.accounts.models import Organisation
from marketplace.accounts.rules import OrganisationKind, OrganisationState
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotAllowed, RuleBroken


def suspend(
    session: Session, *, actor: Actor, now: datetime, organisation_id: int, reason: str
) -> None:
    """Suspend a verified organisation; its members keep reading and can do nothing new."""
    require(actor, rules.VERIFY)
    row = lock(session, Organisation, organisation_id)
    if row.kind in (OrganisationKind.OPERATOR, OrganisationKind.GOVERNMENT):
        raise NotAllowed("accounts.not_suspendable", "交易中心和主管部门不能在这里暂停")
    if row.state is not OrganisationState.VERIFIED:
        raise Conflict("accounts.not_verified", f"这家机构现在是“{row.state.label}”，不能暂停")
    if len(reason.strip()) < 5:
        raise RuleBroken(
            "accounts.reason", "请写明暂停的原因和恢复的条件（至少 5 个字），对方会看到", "reason"
        )
    _set(session, row, OrganisationState.SUSPENDED, reason.strip(), actor, now=now)
    outbox.publish(
        session,
        OrganisationSuspended(organisation_id=row.id, reason=row.state_reason, suspended_at=now),
        now=now,
    )


def resume(session: Session, *, actor: Actor, now: datetime, organisation_id: int) -> None:
    """Let a suspended organisation act again; what was taken off stays off until it is put up."""
    require(actor, rules.VERIFY)
    row = lock(session, Organisation, organisation_id)
    if row.state is not OrganisationState.SUSPENDED:
        raise Conflict("accounts.not_suspended", "这家机构没有被暂停")
    _set(session, row, OrganisationState.VERIFIED, "", actor, now=now)
    outbox.publish(session, OrganisationResumed(organisation_id=row.id, resumed_at=now), now=now)


def _set(
    session: Session,
    row: Organisation,
    state: OrganisationState,
    reason: str,
    actor: Actor,
    *,
    now: datetime,
) -> None:
    before = row.state
    row.state, row.state_reason = state, reason
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action="accounts.suspended" if state is OrganisationState.SUSPENDED else "accounts.resumed",
        subject=f"organisation:{row.id}",
        now=now,
        before={"state": before},
        after={"state": state, "reason": reason},
    )
