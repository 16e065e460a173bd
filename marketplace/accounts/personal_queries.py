"""Reads of what a person has agreed to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.consent_rules import ConsentPurpose, text_of
from marketplace.accounts.personal_models import Consent
from marketplace.accounts.queries import get_users


@dataclass(frozen=True)
class ConsentView:
    """One consent: to what, towards whom, in which words."""

    id: int
    purpose: ConsentPurpose
    recipient: str
    version: str
    words: str
    given_at: datetime
    withdrawn_at: datetime | None

    @property
    def revocable(self) -> bool:
        """Tell whether it can be taken back by itself."""
        return self.withdrawn_at is None and self.purpose is not ConsentPurpose.PLATFORM


def consents_of(session: Session, user_id: int) -> list[ConsentView]:
    """List a person's consents, the newest first."""
    rows = session.scalars(
        select(Consent).where(Consent.user_id == user_id).order_by(Consent.id.desc())
    ).all()
    ids = {int(row.recipient.partition(":")[2]) for row in rows if row.recipient}
    people = get_users(session, ids)
    return [
        ConsentView(
            row.id,
            row.purpose,
            people[int(row.recipient.partition(":")[2])].name if row.recipient else "",
            row.version,
            text_of(row.purpose).words if row.version == text_of(row.purpose).version else "",
            row.given_at,
            row.withdrawn_at,
        )
        for row in rows
    ]
