"""Which desk a person works at, and the values a workbench is made of; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any

from marketplace.accounts.rules import OrganisationKind
from marketplace.foundation.access import SIGNED_IN, Permission, Role
from marketplace.foundation.waiting import WaitingItem

OPEN: Permission = SIGNED_IN


class Desk(Enum):
    """A way of working and the question that heads its page."""

    OPERATOR = "operator"
    REGISTRAR = "registrar"
    REVIEWER = "reviewer"
    BROKER = "broker"
    OWNER = "owner"
    ENTERPRISE = "enterprise"
    PROVIDER = "provider"


_HEADINGS = {Desk.BROKER: "今天", Desk.REVIEWER: "等我审核"}
_HEADING = "等我办理"

_ROLES: dict[Role, Desk] = {
    Role.OPERATOR: Desk.OPERATOR,
    Role.REGISTRAR: Desk.REGISTRAR,
    Role.DISTRICT_REVIEWER: Desk.REVIEWER,
    Role.CENTRE_REVIEWER: Desk.REVIEWER,
    Role.BUREAU_REVIEWER: Desk.REVIEWER,
    Role.EXPERT: Desk.REVIEWER,
    Role.TREASURER: Desk.REVIEWER,
    Role.BROKER: Desk.BROKER,
    Role.AGENCY_HEAD: Desk.BROKER,
    Role.OFFICER: Desk.OWNER,
    Role.COLLEGE_APPROVER: Desk.OWNER,
    Role.LEADER: Desk.OWNER,
    Role.INVENTOR: Desk.OWNER,
    Role.ENTERPRISE: Desk.ENTERPRISE,
    Role.PROVIDER: Desk.PROVIDER,
    Role.ASSESSOR: Desk.PROVIDER,
}

# Somebody who only manages members sees the desk of the organisation.
_KINDS: dict[OrganisationKind, Desk] = {
    OrganisationKind.UNIVERSITY: Desk.OWNER,
    OrganisationKind.RESEARCH_INSTITUTE: Desk.OWNER,
    OrganisationKind.NEW_RD_INSTITUTION: Desk.OWNER,
    OrganisationKind.INNOVATION_COMMUNITY: Desk.OWNER,
    OrganisationKind.ENTERPRISE: Desk.ENTERPRISE,
    OrganisationKind.SERVICE_INSTITUTION: Desk.PROVIDER,
    OrganisationKind.REGISTRAR: Desk.REGISTRAR,
    OrganisationKind.GOVERNMENT: Desk.REVIEWER,
    OrganisationKind.OPERATOR: Desk.OPERATOR,
}


def desks_of(roles: Collection[Role], kind: OrganisationKind | None) -> tuple[Desk, ...]:
    """List the desks of a person in this organisation, the leading one first."""
    held = {_ROLES[role] for role in roles if role in _ROLES}
    home = None if kind is None else _KINDS[kind]
    if not held and home is not None:
        held = {home}
    # What the organisation is there for comes first: an enterprise's needs before its own offers.
    return tuple(sorted((desk for desk in Desk if desk in held), key=lambda desk: desk is not home))


def distinct(acts: Sequence[Act], most: int = 4) -> tuple[Act, ...]:
    """Return the first acts, none twice though several desks offer it."""
    by_endpoint: dict[str, Act] = {}
    for act in acts:
        by_endpoint.setdefault(act.endpoint, act)
    return tuple(by_endpoint.values())[:most]


@dataclass(frozen=True)
class Figure:
    """A count at the head of the page, with where it leads."""

    value: str
    unit: str
    label: str
    endpoint: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    late: bool = False


@dataclass(frozen=True)
class Act:
    """A thing one begins here."""

    label: str
    endpoint: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Panel:
    """A section below or beside what waits: its template, and the views it shows."""

    template: str
    title: str
    data: Any
    note: str = ""
    more: Act | None = None
    beside: bool = False


@dataclass(frozen=True)
class Workbench:
    """All of one person's first page."""

    desks: tuple[Desk, ...]
    waiting: Sequence[WaitingItem]
    overdue: int
    figures: Sequence[Figure]
    acts: Sequence[Act]
    panels: Sequence[Panel]

    @property
    def heading(self) -> str:
        """Return the question the page answers."""
        return _HEADINGS.get(self.desks[0], _HEADING) if self.desks else _HEADING


def overdue(items: Sequence[WaitingItem], today: date) -> int:
    """Count the things whose term has passed."""
    return sum(1 for item in items if item.due_on is not None and item.due_on < today)


@dataclass(frozen=True)
class Part:
    """What one desk brings to the page."""

    figures: Sequence[Figure] = ()
    acts: Sequence[Act] = ()
    panels: Sequence[Panel] = ()
