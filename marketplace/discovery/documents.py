"""What the search index holds of institutions and brokers: their public entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.queries import OrganisationView
from marketplace.accounts.rules import SELF_REGISTERED
from marketplace.brokerage import queries as brokerage
from marketplace.brokerage.queries import BrokerFilter, BrokerView
from search.schema import Document

ORGANISATION = "organisation"
BROKER = "broker"
_PAGE = 500


def organisations(session: Session, ids: Sequence[int] | None = None) -> Iterator[Document]:
    """Build the documents of the given institutions that are verified, or of all."""
    if ids is None:
        views = accounts.list_organisations(session, kinds=SELF_REGISTERED)
    else:
        views = list(accounts.get_organisations(session, ids).values())
    for view in views:
        if view.verified and view.kind in SELF_REGISTERED:
            yield _organisation(view)


def brokers(session: Session, ids: Sequence[int] | None = None) -> Iterator[Document]:
    """Build the documents of the given brokers that let themselves be listed, or of all."""
    if ids is not None:
        found = (brokerage.find_broker(session, user_id) for user_id in ids)
        yield from (_broker(view) for view in found if view is not None and view.listed)
        return
    token: str | None = None
    while True:
        page = brokerage.list_brokers(session, chosen=BrokerFilter(), after=token, size=_PAGE)
        yield from (_broker(view) for view in page.items)
        token = page.next_token
        if token is None:
            return


def _organisation(view: OrganisationView) -> Document:
    services = [subkind.label for subkind in view.subkinds]
    return Document(
        id=f"{ORGANISATION}:{view.id}",
        kind=ORGANISATION,
        title=view.name,
        body="\n".join(
            part
            for part in (view.introduction, view.industry, "、".join(services), view.address)
            if part
        ),
        keywords=(view.short_name,) if view.short_name != view.name else (),
        region=view.place,
        owner_kind=view.kind.value,
        owner_id=str(view.id),
        published_at=int(view.registered_at.timestamp()),
        updated_at=int(view.registered_at.timestamp()),
        shown={
            "record_id": view.id,
            "kind": view.kind.label,
            "services": services,
            "high_tech": view.high_tech,
            "place": view.place,
        },
    )


def _broker(view: BrokerView) -> Document:
    fields = [field.label for field in view.fields]
    level = view.level.label if view.level and view.confirmed_at else ""
    return Document(
        id=f"{BROKER}:{view.user_id}",
        kind=BROKER,
        title=view.name,
        body="\n".join(part for part in (view.introduction, "、".join(fields)) if part),
        keywords=tuple(part for part in (view.agency_name,) if part),
        field=tuple(field.value for field in view.fields),
        owner_id=str(view.organisation_id or ""),
        published_at=int(view.confirmed_at.timestamp()) if view.confirmed_at else None,
        shown={
            "record_id": view.user_id,
            "agency": view.agency_name,
            "level": level,
            "fields": fields,
            "registered": view.registered_count,
            "open": view.open_count,
        },
    )
