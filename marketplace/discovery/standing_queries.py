"""What a reader may see right now of entries that a search has found, as the database says it.

An index is a moment behind. Whatever leaves the platform by mail or feed is asked for here again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.rules import SELF_REGISTERED
from marketplace.achievements import expert_queries
from marketplace.achievements import queries as achievements
from marketplace.achievements.rules import VISIBLE_STATES as OFFERED
from marketplace.brokerage import queries as brokerage
from marketplace.needs import queries as needs
from marketplace.needs.rules import VISIBLE_STATES as ASKED

_ACHIEVEMENT, _NEED = "achievement", "need"
_EXPERT, _BROKER, _ORGANISATION = "expert", "broker", "organisation"


@dataclass(frozen=True)
class Entry:
    """An entry that everybody may find: what it is called and since when it stands."""

    kind: str
    record_id: int
    title: str
    note: str
    since: datetime | None

    @property
    def document_id(self) -> str:
        """Return the entry's name in the index."""
        return f"{self.kind}:{self.record_id}"


def standing(session: Session, document_ids: Iterable[str]) -> list[Entry]:
    """Return those of the entries that can still be found, in the given order.

    Only what anyone may read is in it, whoever asks: title, state and moment.
    """
    wanted: dict[str, list[int]] = {}
    ordered = list(dict.fromkeys(document_ids))
    for document_id in ordered:
        kind, _, digits = document_id.partition(":")
        wanted.setdefault(kind, []).append(int(digits))
    found = {
        entry.document_id: entry
        for kind, ids in wanted.items()
        for entry in _READERS.get(kind, _nothing)(session, ids)
    }
    return [found[name] for name in ordered if name in found]


def _achievements(session: Session, ids: list[int]) -> list[Entry]:
    rows = achievements.rows_of(session, ids).values()
    return [
        Entry(_ACHIEVEMENT, row.id, row.title, row.state.label, row.published_at)
        for row in rows
        if row.state in OFFERED
    ]


def _needs(session: Session, ids: list[int]) -> list[Entry]:
    rows = needs.rows_of(session, ids).values()
    return [
        Entry(_NEED, row.id, row.title, row.state.label, row.opened_at)
        for row in rows
        if row.state in ASKED
    ]


def _experts(session: Session, ids: list[int]) -> list[Entry]:
    return [
        Entry(_EXPERT, view.user_id, view.name, "专家", view.works[-1].published_at)
        for view in expert_queries.experts(session, ids)
    ]


def _brokers(session: Session, ids: list[int]) -> list[Entry]:
    views = [brokerage.find_broker(session, user_id) for user_id in ids]
    return [
        Entry(_BROKER, view.user_id, view.name, "技术经理人", view.confirmed_at)
        for view in views
        if view is not None and view.listed
    ]


def _organisations(session: Session, ids: list[int]) -> list[Entry]:
    views = accounts.get_organisations(session, ids).values()
    return [
        Entry(_ORGANISATION, view.id, view.name, view.kind.label, view.registered_at)
        for view in views
        if view.verified and view.kind in SELF_REGISTERED
    ]


def _nothing(_session: Session, _ids: list[int]) -> list[Entry]:
    return []


_READERS = {
    _ACHIEVEMENT: _achievements,
    _NEED: _needs,
    _EXPERT: _experts,
    _BROKER: _brokers,
    _ORGANISATION: _organisations,
}
