"""Reads of drafts: the list, one with its editions, and the text of an edition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation.errors import NotFound
from marketplace.subsidies.draft_models import PolicyDraft, PolicyDraftEdition
from marketplace.subsidies.draft_rules import read_draft
from marketplace.subsidies.parameters import Policy


@dataclass(frozen=True)
class EditionView:
    """One saved text of a draft and who saved it."""

    number: int
    note: str
    saved_at: datetime
    saved_by: str
    text: str


@dataclass(frozen=True)
class DraftView:
    """A draft with its editions, the latest first."""

    id: int
    name: str
    edition: int
    changed_at: datetime
    editions: tuple[EditionView, ...]

    @property
    def latest(self) -> EditionView:
        """Return the edition that counts."""
        return self.editions[0]

    @property
    def policy(self) -> Policy:
        """Return the document that the latest edition describes."""
        return read_draft(self.latest.text)


def list_drafts(session: Session) -> list[DraftView]:
    """List all drafts, the last changed first."""
    rows = session.scalars(
        select(PolicyDraft)
        .order_by(PolicyDraft.changed_at.desc(), PolicyDraft.id.desc())
        .limit(100)
    )
    return _views(session, list(rows))


def get_draft(session: Session, draft_id: int) -> DraftView:
    """Return one draft or raise ``NotFound``."""
    row = session.get(PolicyDraft, draft_id)
    if row is None:
        raise NotFound()
    return _views(session, [row])[0]


def get_edition(view: DraftView, number: int) -> EditionView:
    """Return one edition of a draft or raise ``NotFound``."""
    found = next((edition for edition in view.editions if edition.number == number), None)
    if found is None:
        raise NotFound()
    return found


def _views(session: Session, rows: list[PolicyDraft]) -> list[DraftView]:
    editions = list(
        session.scalars(
            select(PolicyDraftEdition)
            .where(PolicyDraftEdition.draft_id.in_([row.id for row in rows]))
            .order_by(PolicyDraftEdition.number.desc())
        )
    )
    names = accounts.get_users(session, {e.saved_by_id for e in editions if e.saved_by_id})

    def author(user_id: int | None) -> str:
        return names[user_id].name if user_id in names else "平台"

    return [
        DraftView(
            row.id,
            row.name,
            row.edition,
            row.changed_at,
            tuple(
                EditionView(e.number, e.note, e.saved_at, author(e.saved_by_id), e.text)
                for e in editions
                if e.draft_id == row.id
            ),
        )
        for row in rows
    ]
