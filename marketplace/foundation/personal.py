"""What the platform holds on one person: shown to that person, and let go when asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from marketplace.foundation import audit
from marketplace.foundation.access import Actor, Permission, require


class PersonalPart(Protocol):
    """A slice's part of what is held on a person."""

    def own_data(self, session: Session, *, user_id: int) -> dict[str, Any]:
        """Return what the slice holds on the person, by the words of the screen."""
        ...

    def let_go(self, session: Session, *, actor: Actor, now: datetime) -> None:
        """Remove what nobody must keep; the actor's account is being closed."""
        ...


class PersonalParts:
    """The slices' parts, wired once."""

    def __init__(self, parts: Sequence[PersonalPart]) -> None:
        self._parts = tuple(parts)

    def own_data(self, session: Session, *, user_id: int) -> dict[str, Any]:
        """Return all that is held on a person."""
        return {
            words: found
            for part in self._parts
            for words, found in part.own_data(session, user_id=user_id).items()
        }

    def let_go(self, session: Session, *, actor: Actor, now: datetime) -> None:
        """Let every slice remove its part."""
        for part in self._parts:
            part.let_go(session, actor=actor, now=now)


def unmask(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    permission: Permission,
    subject: str,
    reason: str,
) -> None:
    """Note that the actor is about to read a subject's whole numbers, and what for."""
    require(actor, permission)
    audit.record(
        session,
        actor=actor,
        action="accounts.unmask",
        subject=subject,
        now=now,
        after={"reason": reason},
    )


def masked(number: str) -> str:
    """Hide the middle of a number: 138****5678, 123*********3456; of a short one all but its end.

    Serves telephone numbers and bank accounts.
    """
    shown = number.strip()
    if len(shown) >= 11:
        return f"{shown[:3]}{'*' * (len(shown) - 7)}{shown[-4:]}"
    return f"{'*' * max(len(shown) - 2, 0)}{shown[-2:]}" if len(shown) > 2 else "*" * len(shown)
