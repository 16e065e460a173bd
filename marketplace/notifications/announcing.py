"""From an event to news: who is told, in which words, where the link leads.

An ``Announcement`` is one line of a table; the tables stand in ``*_announcements.py``. Words in
braces are filled from the event: its fields, amounts with their unit, names of organisations,
people, achievements and needs behind its ids.
"""

from __future__ import annotations

import hashlib
import json
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.rules import OrganisationSubkind
from marketplace.achievements import queries as achievements
from marketplace.achievements.rules import decides
from marketplace.foundation.access import Role
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.money import Fen, format_yuan, scale
from marketplace.foundation.outbox import Event
from marketplace.foundation.words import Word
from marketplace.listings import intent_queries as listing_intents
from marketplace.listings.rules import IntentState
from marketplace.needs import queries as needs
from marketplace.notifications.rules import MessageKind
from marketplace.notifications.service import News
from marketplace.techservices import meeting_queries as meetings

Recipients = Callable[[Session, Any], set[int]]

# Who acts for an organisation day by day; the administrator where nobody of them is left.
_BUSINESS = frozenset(
    {
        Role.OFFICER,
        Role.ENTERPRISE,
        Role.PROVIDER,
        Role.ASSESSOR,
        Role.AGENCY_HEAD,
        Role.REGISTRAR,
        Role.OPERATOR,
    }
)


@dataclass(frozen=True)
class Announcement:
    """One line of the table: event → who → words → link.

    ``when`` leaves out events that are no news for these people.
    """

    event: type[Event]
    kind: MessageKind
    to: Recipients
    title: str
    text: str
    endpoint: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    when: Callable[[Any], bool] = lambda event: True
    name: str = ""
    words: Mapping[str, type[Word]] = field(default_factory=dict)


def members_of(organisation: str, *roles: Role) -> Recipients:
    """Tell the members of the organisation behind a field who hold a role, or act for it."""

    def find(session: Session, event: Any) -> set[int]:
        organisation_id = getattr(event, organisation)
        if organisation_id is None:
            return set()
        return _acting(session, organisation_id, frozenset(roles) or _BUSINESS)

    return find


def everybody(*roles: Role) -> Recipients:
    """Tell everybody who holds one of the roles."""

    def find(session: Session, event: Any) -> set[int]:
        return {user for role in roles for user in accounts.users_with_role(session, role)}

    return find


def person(user: str) -> Recipients:
    """Tell the person behind a field."""

    def find(session: Session, event: Any) -> set[int]:
        user_id = getattr(event, user)
        return set() if user_id is None else {user_id}

    return find


def inventors(session: Session, event: Any) -> set[int]:
    """Tell the inventors of the event's achievement."""
    if event.achievement_id is None:
        return set()
    return set(achievements.inventors_of(session, event.achievement_id))


def review_step(session: Session, event: Any) -> set[int]:
    """Tell those who decide the step of the internal review that the event names."""
    step = Role(event.role)
    people = accounts.members(session, event.organisation_id)
    return {person.user_id for person in people if decides(step, person.roles)}


def qualified_buyers(session: Session, event: Any) -> set[int]:
    """Tell the buyers who may bid in the event's listing."""
    return {
        user_id
        for intent in listing_intents.intents(session, event.listing_id)
        if intent.state in (IntentState.QUALIFIED, IntentState.WON, IntentState.LOST)
        for user_id in _acting(session, intent.organisation_id)
    }


def attendees(session: Session, event: Any) -> set[int]:
    """Tell those who hold a place at the event's meeting."""
    return meetings.attendees(session, event.meeting_id)


def district_reviewers(session: Session, event: Any) -> set[int]:
    """Tell the reviewers of the district that the event names."""
    offices = accounts.list_organisations(session, subkinds=[OrganisationSubkind.DISTRICT])
    return {
        user_id
        for office in offices
        if office.district is not None and office.district.value == event.district
        for user_id in accounts.users_with_role(session, Role.DISTRICT_REVIEWER, office.id)
    }


def all_of(*groups: Recipients) -> Recipients:
    """Tell several groups, each person once."""

    def find(session: Session, event: Any) -> set[int]:
        return {user for group in groups for user in group(session, event)}

    return find


class Facts(Mapping[str, str]):
    """What the braces of a text stand for, looked up when they are used."""

    def __init__(
        self, session: Session, event: Event, words: Mapping[str, type[Word]] | None = None
    ) -> None:
        self._session = session
        self._event = event
        self._words = words or {}
        self._fields = {entry.name for entry in fields(event)}

    def __iter__(self) -> Any:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __getitem__(self, name: str) -> str:
        for source in (self._plain, self._amount, self._organisation, self._person, self._title):
            found = source(name)
            if found is not None:
                return found
        raise KeyError(name)

    def _plain(self, name: str) -> str | None:
        if name == "count" and name not in self._fields:
            listed = [getattr(self._event, field) for field in sorted(self._fields)]
            return str(next(len(value) for value in listed if isinstance(value, list)))
        if name not in self._fields:
            return None
        value = getattr(self._event, name)
        if name in self._words and value:
            return self._words[name](value).label
        return _written(value)

    def _amount(self, name: str) -> str | None:
        if f"{name}_fen" not in self._fields:
            return None
        amount = getattr(self._event, f"{name}_fen")
        if amount is None:
            return "未定"
        figure, unit = scale(Fen(amount))
        return f"{figure} {unit}" if unit != "元" else f"{format_yuan(Fen(amount))} 元"

    def _organisation(self, name: str) -> str | None:
        key = "organisation_id" if name == "organisation" else f"{name}_organisation_id"
        if key not in self._fields:
            return None
        organisation_id = getattr(self._event, key)
        if organisation_id is None:
            return "（没有）"
        return accounts.get_organisation(self._session, organisation_id).name

    def _person(self, name: str) -> str | None:
        if f"{name}_user_id" not in self._fields:
            return None
        user_id = getattr(self._event, f"{name}_user_id")
        return "（没有）" if user_id is None else accounts.get_user(self._session, user_id).name

    def _title(self, name: str) -> str | None:
        if name != "title":
            return None
        event: Any = self._event
        if getattr(event, "achievement_id", None) is not None:
            return achievements.get_internal(self._session, event.achievement_id).title
        if getattr(event, "need_id", None) is not None:
            return needs.get_internal(self._session, event.need_id).title
        return None


def known_words(event: type[Event]) -> set[str]:
    """Return every word that may stand in braces for an event, without looking anything up."""
    names = {entry.name for entry in fields(event)}
    words = set(names)
    words |= {name.removesuffix("_fen") for name in names if name.endswith("_fen")}
    words |= {
        name.removesuffix("_organisation_id") for name in names if name.endswith("_organisation_id")
    }
    words |= {name.removesuffix("_user_id") for name in names if name.endswith("_user_id")}
    if "organisation_id" in names:
        words.add("organisation")
    if names & {"achievement_id", "need_id"}:
        words.add("title")
    if any(str(entry.type).startswith("list") for entry in fields(event)):
        words.add("count")
    return words


def used_words(text: str) -> set[str]:
    """Return the words in braces of a text."""
    return {name for _literal, name, _spec, _conversion in string.Formatter().parse(text) if name}


def news_of(session: Session, announcement: Announcement, event: Event) -> News:
    """Write one announcement for one event."""
    facts = Facts(session, event, announcement.words)
    packed = json.dumps(
        [event.name(), announcement.name, asdict(event)], sort_keys=True, default=str
    )
    return News(
        kind=announcement.kind,
        title=string.Formatter().vformat(announcement.title, (), facts),
        text=string.Formatter().vformat(announcement.text, (), facts),
        endpoint=announcement.endpoint,
        params={
            parameter: getattr(event, source) for parameter, source in announcement.params.items()
        },
        key=hashlib.sha256(packed.encode()).hexdigest()[:32],
    )


def numbered(announcements: Sequence[Announcement]) -> list[tuple[str, Announcement]]:
    """Give every line a stable subscriber's name: the event, and which of its lines it is."""
    seen: dict[str, int] = {}
    named = []
    for announcement in announcements:
        event = announcement.event.name()
        seen[event] = seen.get(event, 0) + 1
        suffix = announcement.name or (str(seen[event]) if seen[event] > 1 else "")
        named.append((f"notifications.{event}{'.' + suffix if suffix else ''}", announcement))
    return named


def _acting(
    session: Session, organisation_id: int, wanted: frozenset[Role] = _BUSINESS
) -> set[int]:
    people = accounts.members(session, organisation_id)
    found = {person.user_id for person in people if person.roles & wanted}
    return found or {person.user_id for person in people if Role.ORG_ADMIN in person.roles}


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)
