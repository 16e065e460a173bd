"""What can be claimed of any item: of contracts, or of single occasions, by one question."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.subsidies import claim_queries, single_queries
from marketplace.subsidies.claim_queries import Entitlement
from marketplace.subsidies.single_entry_rules import NOTHING, Entries
from marketplace.subsidies.single_queries import SingleEntitlement
from marketplace.subsidies.word_rules import ClaimItem


def found_for(
    session: Session,
    organisation_id: int,
    year: int,
    item: ClaimItem,
    *,
    now: datetime,
    entries: Entries = NOTHING,
    without_claim_id: int | None = None,
) -> Entitlement | SingleEntitlement | None:
    """Compute an item of an organisation in a year against what other claims have taken.

    None where the organisation has no contract of that kind.
    """
    if item.contracts is not None:
        found = claim_queries.entitlements(
            session, organisation_id, year, without_claim_id=without_claim_id
        )
        return found.get(item.contracts)
    return single_queries.entitlement(
        session,
        organisation_id,
        year,
        item,
        now=now,
        entries=entries,
        without_claim_id=without_claim_id,
    )
