"""What the search page lists while the engine is away: titles from the database."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.rules import SELF_REGISTERED
from marketplace.achievements import expert_queries
from marketplace.achievements import queries as achievements
from marketplace.brokerage import queries as brokerage
from marketplace.brokerage.queries import BrokerFilter
from marketplace.discovery.rules import Tab
from marketplace.needs import queries as needs

LIMIT = 20


@dataclass(frozen=True)
class Title:
    """A title and where it leads."""

    kind: str
    record_id: int
    title: str
    note: str


def titles(session: Session, tab: Tab, typed: str, *, limit: int = LIMIT) -> list[Title]:
    """List the newest entries whose title holds what was typed; without words the newest."""
    if tab is Tab.ACHIEVEMENTS:
        return [
            Title("achievement", row.id, row.title, row.state.label)
            for row in achievements.find_published(session, typed, limit=limit)
        ]
    if tab is Tab.NEEDS:
        return [
            Title("need", row.id, row.title, row.state.label)
            for row in needs.find_open(session, typed, limit=limit)
        ]
    if tab is Tab.PEOPLE:
        page = brokerage.list_brokers(session, chosen=BrokerFilter(text=typed), size=limit)
        brokers = [Title("broker", row.user_id, row.name, row.agency_name) for row in page.items]
        people = [
            Title("expert", view.user_id, view.name, f"公开成果 {len(view.works)} 项")
            for view in expert_queries.find_named(session, typed, limit=limit)
        ]
        return [*people, *brokers][:limit]
    found = accounts.page_of_organisations(
        session, kinds=SELF_REGISTERED, district=None, name=typed, after=None
    )
    return [Title("organisation", row.id, row.name, row.place) for row in found.items[:limit]]
