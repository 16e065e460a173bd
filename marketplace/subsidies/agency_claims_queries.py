"""An agency's own claims of a year, for its yearly review."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.subsidies.models import Claim
from marketplace.subsidies.rules import ClaimStatus
from marketplace.subsidies.word_rules import ClaimItem

_TAKEN_BACK = (ClaimStatus.RECLAIMING, ClaimStatus.CLAWED_BACK)


def taken_back(session: Session, organisation_id: int, year: int) -> list[tuple[int, str]]:
    """List an agency's claims for a year that are or were taken back, as (id, number)."""
    rows = session.execute(
        select(Claim.id, Claim.number)
        .where(
            Claim.organisation_id == organisation_id,
            Claim.item == ClaimItem.AGENCY,
            Claim.year == year,
            Claim.status.in_(_TAKEN_BACK),
        )
        .order_by(Claim.id)
    )
    return [(claim_id, number) for claim_id, number in rows]
