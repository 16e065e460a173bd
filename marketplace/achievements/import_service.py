"""Bring in achievements from a file: many at once, published with what is known.

What a verified institution already has published as patents and results goes on the market at
once, marked with what the form still lacks; it cannot be listed before that is filled in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from marketplace.achievements.completeness_rules import missing
from marketplace.achievements.events import AchievementsImported
from marketplace.achievements.ip_rules import number_key
from marketplace.achievements.market_service import valid_until_from
from marketplace.achievements.models import Achievement, InventorRow, IPRightRow, OwnerRow
from marketplace.achievements.rules import AchievementContent, AchievementState
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor
from marketplace.foundation.clock import local_date
from marketplace.foundation.numbering import take_numbers

_EVENT_BATCH = 500
_LOOKUP_BATCH = 500


@dataclass(frozen=True)
class ImportedAchievement:
    """One record of a file: its content, its key, and what the reader of the file noted."""

    content: AchievementContent
    key: str
    note: str


@dataclass(frozen=True)
class KnownAchievement:
    """An achievement that an organisation has already, found by an import's key or number."""

    achievement_id: int
    title: str
    solution: str


def find_known(
    session: Session, *, organisation_id: int, keys: Sequence[str], number_keys: Sequence[str]
) -> tuple[dict[str, KnownAchievement], dict[str, KnownAchievement]]:
    """Find what the organisation has already, by import key and by number of an IP right."""
    by_key: dict[str, KnownAchievement] = {}
    by_number: dict[str, KnownAchievement] = {}
    own = Achievement.organisation_id == organisation_id
    for start in range(0, len(keys), _LOOKUP_BATCH):
        for row in session.execute(
            select(
                Achievement.import_key, Achievement.id, Achievement.title, Achievement.solution
            ).where(own, Achievement.import_key.in_(keys[start : start + _LOOKUP_BATCH]))
        ):
            if row.import_key is not None:
                by_key[row.import_key] = KnownAchievement(row.id, row.title, row.solution)
    wanted = [key for key in number_keys if key]
    for start in range(0, len(wanted), _LOOKUP_BATCH):
        for row in session.execute(
            select(IPRightRow.number_key, Achievement.id, Achievement.title, Achievement.solution)
            .join(Achievement, Achievement.id == IPRightRow.achievement_id)
            .where(own, IPRightRow.number_key.in_(wanted[start : start + _LOOKUP_BATCH]))
        ):
            by_number[row.number_key] = KnownAchievement(row.id, row.title, row.solution)
    return by_key, by_number


def publish_imported(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    organisation_id: int,
    records: Sequence[ImportedAchievement],
) -> list[int]:
    """Publish the records of a file for an organisation; return their ids in the same order.

    The caller has asked for the right to import and has left out what is there already.
    """
    if not records:
        return []
    today = local_date(now)
    numbers = take_numbers(session, "CG", today.year, len(records))
    ids = list(
        session.scalars(
            insert(Achievement).returning(Achievement.id, sort_by_parameter_order=True),
            [
                _values(record, number, actor, now, organisation_id)
                for record, number in zip(records, numbers, strict=True)
            ],
        )
    )
    _insert_parts(session, ids, records)
    for achievement_id, number in zip(ids, numbers, strict=True):
        audit.record(
            session,
            actor=actor,
            action="achievements.import",
            subject=f"achievement:{achievement_id}",
            now=now,
            after={"number": number},
        )
    for start in range(0, len(ids), _EVENT_BATCH):
        outbox.publish(
            session,
            AchievementsImported(
                achievement_ids=ids[start : start + _EVENT_BATCH],
                organisation_id=organisation_id,
            ),
            now=now,
        )
    return ids


def _values(
    record: ImportedAchievement,
    number: str,
    actor: Actor,
    now: datetime,
    organisation_id: int,
) -> dict[str, Any]:
    content = record.content
    return {
        "number": number,
        "organisation_id": organisation_id,
        "author_id": actor.user_id,
        "state": AchievementState.PUBLISHED,
        "version": 1,
        "title": content.title,
        "problem": content.problem,
        "solution": content.solution,
        "benefit": content.benefit,
        "field": content.field,
        "industry_code": content.industry_code,
        "industry_name": content.industry_name,
        "ipc": list(content.ipc),
        "discipline": content.discipline,
        "trl": content.trl,
        "trl_evidence": content.trl_evidence,
        "fiscal_funded": content.fiscal_funded,
        "fiscal_source": content.fiscal_source,
        "modes": [mode.value for mode in content.modes],
        "negotiable": content.negotiable,
        "price_fen": content.price_fen,
        "visibility": {},
        "keywords": list(content.keywords),
        "confidential": content.confidential,
        "missing_count": len(missing(content, own_organisation_id=organisation_id)),
        "return_reason": "",
        "closing_reason": "",
        "import_key": record.key,
        "import_note": record.note,
        "created_at": now,
        "updated_at": now,
        "published_at": now,
        "confirmed_at": now,
        "valid_until": valid_until_from(local_date(now)),
        "stale": False,
    }


def _insert_parts(
    session: Session, ids: Sequence[int], records: Sequence[ImportedAchievement]
) -> None:
    pairs = list(zip(ids, (record.content for record in records), strict=True))
    rights = [
        {
            "achievement_id": achievement_id,
            "position": position,
            "kind": right.kind,
            "number": right.number,
            "number_key": number_key(right.number),
            "title": right.title,
            "legal_status": right.legal_status,
            "filed_on": right.filed_on,
            "expires_on": right.expires_on,
            "filed_year": right.filed_year,
            "open_licensed": right.open_licensed,
        }
        for achievement_id, content in pairs
        for position, right in enumerate(content.ip_rights)
    ]
    owners = [
        {
            "achievement_id": achievement_id,
            "position": position,
            "name": owner.name,
            "organisation_id": owner.organisation_id,
            "share": owner.share,
        }
        for achievement_id, content in pairs
        for position, owner in enumerate(content.owners)
    ]
    inventors = [
        {
            "achievement_id": achievement_id,
            "position": position,
            "name": inventor.name,
            "user_id": inventor.user_id,
        }
        for achievement_id, content in pairs
        for position, inventor in enumerate(content.inventors)
    ]
    for model, rows in ((IPRightRow, rights), (OwnerRow, owners), (InventorRow, inventors)):
        if rows:
            session.execute(insert(model), rows)
