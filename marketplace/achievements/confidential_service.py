"""Who may read the confidential layer: opened after an agreement, closed again by the owner."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.achievements.authoring_service import subject
from marketplace.achievements.events import ConfidentialLayerClosed, ConfidentialLayerOpened
from marketplace.achievements.models import Achievement, GrantRow
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor
from marketplace.foundation.db import lock


def open_confidential_layer(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    achievement_id: int,
    organisation_id: int,
    ground: str,
) -> None:
    """Let an organisation read the confidential layer; ``ground`` names its agreement.

    Called by the owner, or by the slice that has recorded both sides' agreement.
    """
    row = lock(session, Achievement, achievement_id)
    grant = session.scalar(
        select(GrantRow).where(
            GrantRow.achievement_id == row.id, GrantRow.organisation_id == organisation_id
        )
    )
    if grant is not None and grant.revoked_at is None:
        return
    if grant is None:
        grant = GrantRow(achievement_id=row.id, organisation_id=organisation_id)
        session.add(grant)
    grant.ground, grant.granted_at, grant.revoked_at = ground, now, None
    audit.record(
        session,
        actor=actor,
        action="achievements.grant",
        subject=subject(row),
        now=now,
        after={"organisation": organisation_id, "reason": ground},
    )
    outbox.publish(
        session,
        ConfidentialLayerOpened(
            achievement_id=row.id,
            organisation_id=row.organisation_id,
            reader_organisation_id=organisation_id,
        ),
        now=now,
    )


def close_confidential_layer(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    achievement_id: int,
    organisation_id: int,
    reason: str,
) -> None:
    """Close the confidential layer for an organisation again; closed already, do nothing."""
    row = lock(session, Achievement, achievement_id)
    grant = session.scalar(
        select(GrantRow).where(
            GrantRow.achievement_id == row.id,
            GrantRow.organisation_id == organisation_id,
            GrantRow.revoked_at.is_(None),
        )
    )
    if grant is None:
        return
    grant.revoked_at = now
    audit.record(
        session,
        actor=actor,
        action="achievements.revoke",
        subject=subject(row),
        now=now,
        after={"organisation": organisation_id, "reason": reason},
    )
    outbox.publish(
        session,
        ConfidentialLayerClosed(
            achievement_id=row.id,
            organisation_id=row.organisation_id,
            reader_organisation_id=organisation_id,
        ),
        now=now,
    )
