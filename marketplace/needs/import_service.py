"""Bring in needs from a file: many at once, open at once, for the operator to read afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM, Actor
from marketplace.foundation.clock import local_date
from marketplace.foundation.numbering import take_numbers
from marketplace.needs.events import NeedsImported
from marketplace.needs.models import IndicatorRow, Need
from marketplace.needs.rules import OPERATE, NeedContent, NeedState, missing

_EVENT_BATCH = 500
_LOOKUP_BATCH = 500


@dataclass(frozen=True)
class ImportedNeed:
    """One record of a file: its content, its key, and what the reader of the file noted."""

    content: NeedContent
    key: str
    note: str


def find_known(session: Session, *, organisation_id: int, keys: Sequence[str]) -> dict[str, int]:
    """Find the needs that the organisation has already, by import key."""
    found: dict[str, int] = {}
    for start in range(0, len(keys), _LOOKUP_BATCH):
        for row in session.execute(
            select(Need.import_key, Need.id).where(
                Need.organisation_id == organisation_id,
                Need.import_key.in_(keys[start : start + _LOOKUP_BATCH]),
            )
        ):
            if row.import_key is not None:
                found[row.import_key] = row.id
    return found


def open_imported(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    organisation_id: int,
    records: Sequence[ImportedNeed],
    region_code: str,
) -> list[int]:
    """Open the needs of a file for an organisation; return their ids in the same order.

    The operator reads afterwards what a member brought in; what the operator brings in is read.
    """
    if not records:
        return []
    numbers = take_numbers(session, "XQ", local_date(now).year, len(records))
    read = actor is SYSTEM or actor.has(*(OPERATE.roles or ()))
    ids = list(
        session.scalars(
            insert(Need).returning(Need.id, sort_by_parameter_order=True),
            [
                {
                    "number": number,
                    "organisation_id": organisation_id,
                    "author_id": actor.user_id,
                    "state": NeedState.OPEN,
                    "version": 1,
                    "title": record.content.title,
                    "problem": record.content.problem,
                    "present_solution": record.content.present_solution,
                    "budget_min_fen": record.content.budget_min_fen,
                    "budget_max_fen": record.content.budget_max_fen,
                    "budget_negotiable": record.content.budget_negotiable,
                    "deadline": record.content.deadline,
                    "modes": [mode.value for mode in record.content.modes],
                    "field": record.content.field,
                    "industry_code": record.content.industry_code,
                    "industry_name": record.content.industry_name,
                    "discipline": record.content.discipline,
                    "region_code": record.content.region_code or region_code,
                    "anonymous": record.content.anonymous,
                    "challenge": record.content.challenge,
                    "expert_terms": list(record.content.expert_terms),
                    "confidential": record.content.confidential,
                    "missing_count": len(missing(record.content)),
                    "return_reason": "",
                    "closing_reason": "",
                    "import_key": record.key,
                    "import_note": record.note,
                    "created_at": now,
                    "updated_at": now,
                    "submitted_at": None,
                    "opened_at": now,
                    "reviewed_at": now if read else None,
                }
                for record, number in zip(records, numbers, strict=True)
            ],
        )
    )
    indicators = [
        {
            "need_id": need_id,
            "position": position,
            "name": line.name,
            "present": line.present,
            "target": line.target,
            "unit": line.unit,
        }
        for need_id, record in zip(ids, records, strict=True)
        for position, line in enumerate(record.content.indicators)
    ]
    if indicators:
        session.execute(insert(IndicatorRow), indicators)
    for need_id, number in zip(ids, numbers, strict=True):
        audit.record(
            session,
            actor=actor,
            action="needs.import",
            subject=f"need:{need_id}",
            now=now,
            after={"number": number},
        )
    for start in range(0, len(ids), _EVENT_BATCH):
        outbox.publish(
            session,
            NeedsImported(
                need_ids=ids[start : start + _EVENT_BATCH], organisation_id=organisation_id
            ),
            now=now,
        )
    return ids
