"""Store the pairs of the match desk, and note what has to be found again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from marketplace.achievements import queries as achievements
from marketplace.discovery.desk_models import MatchPair, PairingDue
from marketplace.discovery.desk_rules import LEAST_FIT
from marketplace.discovery.matches import MatchView
from marketplace.foundation.db import ensure_rows
from marketplace.needs import queries as needs
from search.schema import Document

PAIRED = ("need", "achievement")
"""The kinds of documents that make pairs."""


@dataclass(frozen=True)
class Due:
    """A document whose pairs have to be found again, since a moment."""

    document_id: str
    asked_at: datetime

    @property
    def record_id(self) -> int:
        """Return the id of the need or achievement."""
        return int(self.document_id.partition(":")[2])

    @property
    def is_need(self) -> bool:
        """Tell whether it is a need."""
        return self.document_id.startswith("need:")


def note_due(session: Session, *, now: datetime, document_ids: Iterable[str]) -> None:
    """Note the needs and achievements among the documents; a later word replaces an earlier one."""
    wanted = sorted({name for name in document_ids if name.partition(":")[0] in PAIRED})
    if not wanted:
        return
    ensure_rows(session, PairingDue, [{"document_id": name, "asked_at": now} for name in wanted])
    session.execute(
        update(PairingDue)
        .where(PairingDue.document_id.in_(wanted), PairingDue.asked_at < now)
        .values(asked_at=now)
    )


def done_with(session: Session, due: Due) -> None:
    """Let go of what was found again, unless it was asked for anew meanwhile."""
    session.execute(
        delete(PairingDue).where(
            PairingDue.document_id == due.document_id, PairingDue.asked_at <= due.asked_at
        )
    )


def sweep(session: Session, *, now: datetime) -> None:
    """Find the pairs of all open needs again, in place of those of very many achievements."""
    session.execute(delete(PairingDue).where(PairingDue.document_id.startswith("achievement:")))
    note_due(
        session, now=now, document_ids=[f"need:{number}" for number in needs.open_ids(session)]
    )


def spread(session: Session, *, now: datetime, achievement_id: int, need_ids: list[int]) -> None:
    """Find the needs again that fit a changed achievement, and those it is paired with."""
    paired = session.scalars(
        select(MatchPair.need_id).where(
            MatchPair.achievement_id == achievement_id, MatchPair.current.is_(True)
        )
    )
    names = {f"need:{number}" for number in (*need_ids, *paired)}
    note_due(session, now=now, document_ids=names)


def digest(*documents: Document) -> str:
    """Return the SHA-256 over what matching reads of the documents; a new date changes nothing."""
    said = [
        [
            each.title,
            each.body,
            *map(list, (each.keywords, each.field, each.industry, each.ipc, each.mode)),
            each.region,
            each.maturity,
            each.price,
        ]
        for each in documents
    ]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def store(
    session: Session,
    *,
    now: datetime,
    need_id: int,
    matches: Iterable[MatchView],
    documents: Mapping[str, Document],
) -> None:
    """Keep a need's best achievements with their reasons; the others are not current any more.

    A pair without a document is left out: it cannot be found any more.
    """
    known = {
        row.achievement_id: row
        for row in session.scalars(
            select(MatchPair).where(MatchPair.need_id == need_id).with_for_update()
        )
    }
    for row in known.values():
        row.current = False
    found = [match for match in matches if match.fit >= LEAST_FIT]
    own = documents.get(f"need:{need_id}")
    asked = needs.rows_of(session, [need_id]).get(need_id)
    offered = achievements.rows_of(session, [match.achievement_id for match in found])
    for match in found:
        other = documents.get(f"achievement:{match.achievement_id}")
        if own is None or other is None or asked is None:
            continue
        offer = offered[match.achievement_id]
        pair = known.get(match.achievement_id)
        said = digest(own, other)
        if pair is None:
            pair = MatchPair(need_id=need_id, achievement_id=match.achievement_id, digest="")
            session.add(pair)
        if pair.digest != said:
            pair.digest, pair.changed_at = said, now
        pair.buyer_organisation_id = asked.organisation_id
        pair.seller_organisation_id = offer.organisation_id
        pair.need_field, pair.achievement_field = asked.field, offer.field
        pair.fit, pair.weight = match.fit, match.fit * match.factor
        pair.points = [[check.tone, check.label, check.text] for check in match.checks]
        pair.terms = list(match.terms)
        pair.sentence = match.sentence.striptags()
        pair.opinion = match.opinion
        pair.current = True
    session.flush()
