"""What the search index holds of needs: only what everybody may read.

The confidential part never enters a document, nor does the name behind an anonymous need.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.queries import OrganisationView
from marketplace.foundation.classifications import region_name
from marketplace.needs.models import Need
from marketplace.needs.record_queries import content_of
from marketplace.needs.rules import VISIBLE_STATES, NeedContent
from search.schema import Document

KIND = "need"
_BATCH = 500


def document_id(need_id: int) -> str:
    """Return the id under which a need stands in the index."""
    return f"{KIND}:{need_id}"


def find_document(session: Session, need_id: int) -> Document | None:
    """Build one need's document; None when others may not find it."""
    return next(documents(session, [need_id]), None)


def documents(session: Session, ids: Sequence[int] | None = None) -> Iterator[Document]:
    """Build the documents of the given needs that others may find, or of all."""
    wanted = None if ids is None else sorted(set(ids))
    last = 0
    while True:
        statement = (
            select(Need)
            .where(Need.state.in_(VISIBLE_STATES), Need.id > last)
            .order_by(Need.id)
            .limit(_BATCH)
        )
        if wanted is not None:
            statement = statement.where(Need.id.in_(wanted))
        rows = session.scalars(statement).all()
        if not rows:
            return
        owners = accounts.get_organisations(session, {row.organisation_id for row in rows})
        for row in rows:
            yield _build(row, owners[row.organisation_id])
        last = rows[-1].id


def _build(row: Need, owner: OrganisationView) -> Document:
    content = content_of(row)
    return Document(
        id=document_id(row.id),
        kind=KIND,
        title=content.title,
        body=body_of(content),
        keywords=content.expert_terms,
        field=(content.field.value,) if content.field else (),
        industry=tuple(name for name in (content.industry_code[:3], content.discipline) if name),
        mode=tuple(mode.value for mode in content.modes),
        region=_place(content, owner),
        state=row.state.value,
        owner_kind=owner.kind.value,
        # An index is read by more people than the record: no number may lead back to the asker.
        owner_id="" if content.anonymous else str(row.organisation_id),
        price=content.budget_max_fen,
        published_at=int(row.opened_at.timestamp()) if row.opened_at else None,
        updated_at=int(row.updated_at.timestamp()),
        shown={
            "record_id": row.id,
            "number": row.number or "",
            "owner": "匿名单位" if content.anonymous else owner.name,
            "negotiable": content.budget_negotiable,
            "challenge": content.challenge,
            "deadline": content.deadline.isoformat() if content.deadline else "",
        },
    )


def _place(content: NeedContent, owner: OrganisationView) -> str:
    """Return where the need is: as it says, else at its owner unless that would tell who asks."""
    said_more = content.region_code not in ("", owner.region_code)
    if said_more or content.anonymous:
        return region_name(content.region_code)
    return owner.place


def body_of(content: NeedContent) -> str:
    """Join what a reader sees into the text that is searched and matched."""
    lines = [
        f"{line.name} {line.present} → {line.target} {line.unit}" for line in content.indicators
    ]
    parts = [content.problem, content.present_solution, *lines]
    return "\n".join(part for part in parts if part)
