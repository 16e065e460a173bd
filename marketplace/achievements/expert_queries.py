"""Who stands behind the published achievements: inventors, by what everybody may read.

An expert is a member of the platform whom a published achievement names where its owner lets
everybody see the inventors. Nothing of the account itself is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.achievements.models import Achievement, InventorRow
from marketplace.achievements.record_queries import content_of
from marketplace.achievements.rules import VISIBLE_STATES, FieldGroup, Visibility
from marketplace.achievements.visibility_rules import visibility_of
from marketplace.foundation.trade import TechnologyField

_BATCH = 300


@dataclass(frozen=True)
class Work:
    """A published achievement that names the expert."""

    achievement_id: int
    title: str
    keywords: tuple[str, ...]
    field: TechnologyField | None
    published_at: datetime | None


@dataclass(frozen=True)
class ExpertView:
    """An expert: the name and the owner as the newest published achievement gives them."""

    user_id: int
    name: str
    organisation_id: int
    works: tuple[Work, ...]

    @property
    def fields(self) -> tuple[TechnologyField, ...]:
        """Return the fields of the works, the most frequent first."""
        named = [work.field for work in self.works if work.field]
        return tuple(sorted(dict.fromkeys(named), key=lambda f: (-named.count(f), f.value)))


def experts(session: Session, user_ids: Sequence[int] | None = None) -> Iterator[ExpertView]:
    """Yield the given people who are experts, or all."""
    last = 0
    while True:
        statement = (
            select(InventorRow.user_id)
            .join(Achievement, Achievement.id == InventorRow.achievement_id)
            .where(Achievement.state.in_(VISIBLE_STATES), InventorRow.user_id > last)
            .distinct()
            .order_by(InventorRow.user_id)
            .limit(_BATCH)
        )
        if user_ids is not None:
            statement = statement.where(InventorRow.user_id.in_(user_ids))
        batch = [user_id for user_id in session.scalars(statement) if user_id is not None]
        if not batch:
            return
        yield from _views(session, batch)
        last = batch[-1]


def find_expert(session: Session, user_id: int) -> ExpertView | None:
    """Return one expert, or None where no published achievement names the person openly."""
    return next(experts(session, [user_id]), None)


def find_named(session: Session, text: str, *, limit: int) -> list[ExpertView]:
    """List experts whose name holds the text."""
    named = session.scalars(
        select(InventorRow.user_id)
        .join(Achievement, Achievement.id == InventorRow.achievement_id)
        .where(
            Achievement.state.in_(VISIBLE_STATES),
            InventorRow.user_id.is_not(None),
            InventorRow.name.icontains(text, autoescape=True),
        )
        .distinct()
        .limit(limit)
    )
    return list(experts(session, [user_id for user_id in named if user_id is not None]))


def inventor_ids(session: Session, achievement_ids: Sequence[int]) -> list[int]:
    """List the members whom these achievements name, whatever their state."""
    named = session.scalars(
        select(InventorRow.user_id)
        .where(InventorRow.achievement_id.in_(achievement_ids), InventorRow.user_id.is_not(None))
        .distinct()
    )
    return sorted(user_id for user_id in named if user_id is not None)


def _views(session: Session, user_ids: Sequence[int]) -> Iterator[ExpertView]:
    rows = session.execute(
        select(InventorRow.user_id, InventorRow.name, Achievement)
        .join(Achievement, Achievement.id == InventorRow.achievement_id)
        .where(InventorRow.user_id.in_(user_ids), Achievement.state.in_(VISIBLE_STATES))
        .order_by(InventorRow.user_id, Achievement.published_at.desc(), Achievement.id.desc())
    )
    found: dict[int, ExpertView] = {}
    for user_id, name, row in rows:
        content = content_of(row)
        shown = visibility_of(content, FieldGroup.INVENTORS) is Visibility.PUBLIC
        if user_id is None or not shown:
            continue
        work = Work(row.id, content.title, content.keywords, content.field, row.published_at)
        known = found.get(user_id)
        if known is None:
            found[user_id] = ExpertView(user_id, name, row.organisation_id, (work,))
        elif work not in known.works:
            whole = (*known.works, work)
            found[user_id] = ExpertView(user_id, known.name, known.organisation_id, whole)
    yield from found.values()
