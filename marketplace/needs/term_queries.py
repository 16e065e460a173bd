"""Which open needs carry expert terms, for whoever learns from them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.needs.models import Need
from marketplace.needs.rules import VISIBLE_STATES


@dataclass(frozen=True)
class StatedTerms:
    """The expert terms of an open need and who asks; the asker is never shown with them."""

    need_id: int
    organisation_id: int
    terms: tuple[str, ...]


def stated_terms(session: Session, *, limit: int) -> list[StatedTerms]:
    """List the newest open needs that carry expert terms."""
    rows = session.execute(
        select(Need.id, Need.organisation_id, Need.expert_terms)
        .where(Need.state.in_(VISIBLE_STATES))
        .order_by(Need.id.desc())
        .limit(limit)
    )
    return [
        StatedTerms(need_id, organisation_id, tuple(terms))
        for need_id, organisation_id, terms in rows
        if terms
    ]
