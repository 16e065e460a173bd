"""Use cases of consent: given for one purpose and one recipient, and withdrawn at any time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.consent_rules import ConsentPurpose, text_of
from marketplace.accounts.events import ConsentWithdrawn
from marketplace.accounts.models import User
from marketplace.accounts.personal_models import Consent
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound


def give_consent(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    user_id: int,
    purpose: ConsentPurpose,
    recipient: str = "",
) -> None:
    """Note that a person agreed to today's text; one that stands in these words stays as it is."""
    lock(session, User, user_id)  # two requests at one moment give one consent
    text = text_of(purpose)
    standing = session.scalar(
        select(Consent.id).where(
            Consent.user_id == user_id,
            Consent.purpose == purpose,
            Consent.recipient == recipient,
            Consent.version == text.version,
            Consent.withdrawn_at.is_(None),
        )
    )
    if standing is not None:
        return
    session.add(
        Consent(
            user_id=user_id,
            purpose=purpose,
            recipient=recipient,
            version=text.version,
            text_digest=text.digest,
            given_at=now,
            withdrawn_at=None,
        )
    )
    _note(session, actor, "accounts.give_consent", user_id, purpose, recipient, now=now)


def withdraw_consent(session: Session, *, actor: Actor, now: datetime, consent_id: int) -> None:
    """Take back one of the actor's own consents; whoever holds the data lets go of them.

    The consent to use the platform ends with the account.
    """
    row = lock(session, Consent, consent_id)
    if row.user_id != actor.user_id:
        raise NotFound()
    if row.purpose is ConsentPurpose.PLATFORM:
        raise Conflict("accounts.consent_platform", "这项同意随账号一起结束：请在下面注销账号")
    if row.withdrawn_at is not None:
        raise Conflict("accounts.consent_withdrawn", "这项同意已经撤回，不需要再次办理")
    row.withdrawn_at = now
    _note(
        session,
        actor,
        "accounts.withdraw_consent",
        row.user_id,
        row.purpose,
        row.recipient,
        now=now,
    )
    outbox.publish(
        session,
        ConsentWithdrawn(
            user_id=row.user_id,
            purpose=row.purpose.value,
            recipient=row.recipient,
            withdrawn_at=now,
        ),
        now=now,
    )


def _note(
    session: Session,
    actor: Actor,
    action: str,
    user_id: int,
    purpose: ConsentPurpose,
    recipient: str,
    *,
    now: datetime,
) -> None:
    text = text_of(purpose)
    audit.record(
        session,
        actor=actor,
        action=action,
        subject=f"user:{user_id}",
        now=now,
        after={"purpose": purpose, "recipient": recipient, "version": text.version},
    )
