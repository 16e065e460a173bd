"""Accept expert terms for a need, and take them off."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotAllowed
from marketplace.needs import record_queries
from marketplace.needs.events import NeedChanged
from marketplace.needs.models import Need
from marketplace.needs.rules import SHOWN_STATES
from marketplace.needs.term_rules import (
    ACCEPT,
    check_proposed,
    may_accept,
    may_drop,
    with_term,
    without_term,
)


def accept_term(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    need_id: int,
    term: str,
    proposed: Collection[str] = (),
) -> None:
    """Store a professional term with a need: it is searched and matched with full weight.

    The owner's people may add any term. A broker or the operator may add one to an open need if
    it stands in ``proposed``, what the platform proposes for it: nobody writes into another's
    need. Who has accepted it stands in the audit trail.
    """
    row, insider = _load(session, actor, need_id)
    if not may_accept(actor, insider=insider, state=row.state):
        raise _refusal(row, insider=insider)
    if not insider:
        check_proposed(term, proposed)
    _store(session, actor, row, with_term(row.expert_terms, term), now, "accept_term")


def drop_term(session: Session, *, actor: Actor, now: datetime, need_id: int, term: str) -> None:
    """Take a professional term off a need; the owner's people only."""
    row, insider = _load(session, actor, need_id)
    if not may_drop(actor, insider=insider, state=row.state):
        raise _refusal(row, insider=insider)
    _store(session, actor, row, without_term(row.expert_terms, term), now, "drop_term")


def _load(session: Session, actor: Actor, need_id: int) -> tuple[Need, bool]:
    require(actor, ACCEPT)
    # Who may not see it learns nothing of its being.
    view = record_queries.get_for(session, actor, need_id)
    return lock(session, Need, need_id), view.insider


def _refusal(row: Need, *, insider: bool) -> NotAllowed | Conflict:
    if insider:
        return Conflict("needs.terms_fixed", f"这条需求现在是“{row.state.label}”，专业词不能再改")
    return NotAllowed(
        "needs.terms_not_yours", "专业词由需求方、通过核验的技术经理人或交易中心为公开的需求采纳"
    )


def _store(
    session: Session, actor: Actor, row: Need, terms: tuple[str, ...], now: datetime, what: str
) -> None:
    if list(terms) == list(row.expert_terms):
        return
    before = list(row.expert_terms)
    row.expert_terms = list(terms)
    # The moment of the owner's last word stays: a term is no sign that the need is still alive.
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action=f"needs.{what}",
        subject=f"need:{row.id}",
        now=now,
        before={"expert_terms": before},
        after={"expert_terms": list(terms)},
    )
    if row.state in SHOWN_STATES:
        changed = NeedChanged(need_id=row.id, organisation_id=row.organisation_id)
        outbox.publish(session, changed, now=now)
