"""What the search index holds of achievements: only what everybody may read.

One builder serves one id and all of them. Hidden groups never enter a document, so that no
snippet, suggestion or facet can show them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.queries import OrganisationView
from marketplace.achievements.models import Achievement
from marketplace.achievements.record_queries import content_of
from marketplace.achievements.rules import (
    VISIBLE_STATES,
    AchievementContent,
    FieldGroup,
    Visibility,
)
from marketplace.achievements.visibility_rules import redact, visibility_of
from search.schema import Document

KIND = "achievement"
# What nobody has confirmed for long comes later, but can still be found.
_STALE_RANK = 0.8
_BATCH = 500


def document_id(achievement_id: int) -> str:
    """Return the id under which an achievement stands in the index."""
    return f"{KIND}:{achievement_id}"


def find_document(session: Session, achievement_id: int) -> Document | None:
    """Build one achievement's document; None when others may not find it."""
    return next(documents(session, [achievement_id]), None)


def documents(session: Session, ids: Sequence[int] | None = None) -> Iterator[Document]:
    """Build the documents of the given achievements that others may find, or of all."""
    wanted = None if ids is None else sorted(set(ids))
    last = 0
    while True:
        statement = (
            select(Achievement)
            .where(Achievement.state.in_(VISIBLE_STATES), Achievement.id > last)
            .order_by(Achievement.id)
            .limit(_BATCH)
        )
        if wanted is not None:
            statement = statement.where(Achievement.id.in_(wanted))
        rows = session.scalars(statement).all()
        if not rows:
            return
        owners = accounts.get_organisations(session, {row.organisation_id for row in rows})
        for row in rows:
            yield _build(row, owners[row.organisation_id])
        last = rows[-1].id


def _build(row: Achievement, owner: OrganisationView) -> Document:
    whole = content_of(row)
    content = redact(whole, Visibility.PUBLIC)
    price_shown = visibility_of(whole, FieldGroup.PRICE) is Visibility.PUBLIC
    return Document(
        id=document_id(row.id),
        kind=KIND,
        title=content.title,
        body=_body(content),
        keywords=content.keywords,
        field=(content.field.value,) if content.field else (),
        industry=industries_of(content.industry_code, content.discipline),
        ipc=content.ipc,
        ip_kind=tuple(dict.fromkeys(right.kind.value for right in content.ip_rights if right.kind)),
        mode=tuple(mode.value for mode in content.modes),
        region=owner.place,
        state=row.state.value,
        owner_kind=owner.kind.value,
        owner_id=str(row.organisation_id),
        maturity=content.trl,
        price=content.price_fen if price_shown else None,
        published_at=int(row.published_at.timestamp()) if row.published_at else None,
        updated_at=int((row.confirmed_at or row.updated_at).timestamp()),
        rank=_STALE_RANK if row.stale else 1.0,
        shown={
            "record_id": row.id,
            "number": row.number or "",
            "owner": owner.name,
            "negotiable": content.negotiable and price_shown,
            "price_hidden": not price_shown,
            "stale": row.stale,
            "incomplete": row.missing_count > 0,
            "benefit": content.benefit[:120],
            "rights": len(content.ip_rights),
        },
    )


def industries_of(code: str, discipline: str) -> tuple[str, ...]:
    """Return what a record is compared by: the GB/T 4754 division and the discipline."""
    return tuple(name for name in (code[:3], discipline) if name)


def _body(content: AchievementContent) -> str:
    """Join what a reader sees into the text that is searched."""
    lines = [
        f"{line.indicator} {line.value} {line.unit}，{line.alternative} {line.alternative_value}"
        for line in content.comparison
    ]
    rights = [right.title for right in content.ip_rights if right.title != content.title]
    parts = [content.problem, content.solution, content.benefit, *lines, *rights]
    return "\n".join(part for part in parts if part)
