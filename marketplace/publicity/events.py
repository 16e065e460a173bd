"""What happened to notices and objections; ``kind`` is a ``PublicityKind`` by value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.foundation.outbox import Event


@dataclass(frozen=True, kw_only=True)
class PublicityOpened(Event):
    """A notice stands before the public through ``ends_on``, that day included."""

    publicity_id: int
    kind: str
    subject: str
    title: str
    organisation_id: int
    ends_on: date


@dataclass(frozen=True, kw_only=True)
class ObjectionRaised(Event):
    """Somebody objected; the notice cannot close before the answer."""

    objection_id: int
    publicity_id: int
    kind: str
    subject: str
    title: str
    organisation_id: int
    objector_organisation_id: int | None
    objector_user_id: int | None


@dataclass(frozen=True, kw_only=True)
class ObjectionDecided(Event):
    """An objection was answered; ``upheld`` tells whether it was found right."""

    objection_id: int
    publicity_id: int
    kind: str
    subject: str
    title: str
    organisation_id: int
    objector_organisation_id: int | None
    objector_user_id: int | None
    upheld: bool


@dataclass(frozen=True, kw_only=True)
class PublicityClosed(Event):
    """A notice is over.

    ``upheld`` False: its period ended and no objection was found right, so the matter goes on.
    ``upheld`` True: an objection was found right, so the matter fails.
    """

    publicity_id: int
    kind: str
    subject: str
    title: str
    organisation_id: int
    upheld: bool
