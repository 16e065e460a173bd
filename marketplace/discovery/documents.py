"""What the search index holds of institutions, brokers and experts: their public entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.queries import OrganisationView
from marketplace.accounts.rules import SELF_REGISTERED
from marketplace.achievements import expert_queries
from marketplace.achievements.expert_queries import ExpertView
from marketplace.brokerage import queries as brokerage
from marketplace.brokerage.queries import BrokerFilter, BrokerView
from search.schema import Document

ORGANISATION = "organisation"
BROKER = "broker"
EXPERT = "expert"
_PAGE = 500
# Enough to be found by; an expert with hundreds of works is known by the newest.
_WORKS_SHOWN = 30


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


def experts(session: Session, ids: Sequence[int] | None = None) -> Iterator[Document]:
    """Build the documents of the given people whom published achievements name, or of all."""
    places: dict[int, OrganisationView] = {}
    for view in expert_queries.experts(session, ids):
        if view.organisation_id not in places:
            places.update(accounts.get_organisations(session, [view.organisation_id]))
        yield _expert(view, places[view.organisation_id])


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


def _expert(view: ExpertView, owner: OrganisationView) -> Document:
    works = view.works[:_WORKS_SHOWN]
    fields = [field.label for field in view.fields]
    moments = [int(work.published_at.timestamp()) for work in view.works if work.published_at]
    named = dict.fromkeys(keyword for work in works for keyword in work.keywords)
    return Document(
        id=f"{EXPERT}:{view.user_id}",
        kind=EXPERT,
        title=view.name,
        body="；".join((*(work.title for work in works), "、".join(fields))),
        keywords=(owner.name, *named),
        field=tuple(field.value for field in view.fields),
        region=owner.place,
        owner_kind=owner.kind.value,
        owner_id=str(owner.id),
        published_at=min(moments, default=None),
        updated_at=max(moments, default=None),
        shown={
            "record_id": view.user_id,
            "organisation": owner.name,
            "fields": fields,
            "works": len(view.works),
        },
    )
