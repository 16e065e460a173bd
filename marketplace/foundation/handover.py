"""What one person still has in hand for an organisation, and how a colleague takes it over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from marketplace.foundation.access import Actor


@dataclass(frozen=True)
class Handing:
    """Who gives the open work of which organisation to whom; ``taker`` with the roles held."""

    organisation_id: int
    giver_id: int
    taker: Actor


class OpenWork(Protocol):
    """A slice's part: what is open in a person's hand, and its way into another one's."""

    def open_work(self, session: Session, *, organisation_id: int, user_id: int) -> dict[str, int]:
        """Count what is open, by the words that people use for it."""
        ...

    def take_over(
        self, session: Session, *, actor: Actor, now: datetime, handing: Handing
    ) -> dict[str, int]:
        """Give it to the taker, each with its row of audit; refuse who may not do it."""
        ...


class Handovers:
    """The slices' parts, wired once."""

    def __init__(self, parts: Sequence[OpenWork]) -> None:
        self._parts = tuple(parts)

    def open_work(self, session: Session, *, organisation_id: int, user_id: int) -> dict[str, int]:
        """Count all that is open in a person's hand; nothing open is left out."""
        return {
            words: count
            for part in self._parts
            for words, count in part.open_work(
                session, organisation_id=organisation_id, user_id=user_id
            ).items()
            if count
        }

    def take_over(
        self, session: Session, *, actor: Actor, now: datetime, handing: Handing
    ) -> dict[str, int]:
        """Give all of it to the taker; return how much of each went over."""
        return {
            words: count
            for part in self._parts
            for words, count in part.take_over(
                session, actor=actor, now=now, handing=handing
            ).items()
            if count
        }
