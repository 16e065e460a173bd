"""What waits for a person: the lines of every workbench, offered by the slices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from marketplace.foundation.access import Actor


@dataclass(frozen=True)
class WaitingItem:
    """One thing to do: what, why it waits here, where to do it, and by when.

    ``workdays``: the term was set in working days, so what is left is told in them.
    """

    what: str
    why: str
    endpoint: str
    params: dict[str, Any] = field(default_factory=dict)
    act: str = "办理"
    due_on: date | None = None
    workdays: bool = False


Contributor = Callable[..., Sequence[WaitingItem]]


class WaitingContributors:
    """The slices' ``queries.waiting(session, actor, *, now)``, wired once."""

    def __init__(self, contributors: Sequence[Contributor]) -> None:
        self._contributors = tuple(contributors)

    def items(self, session: Session, actor: Actor, *, now: datetime) -> list[WaitingItem]:
        """List what waits for the actor, the most urgent first, undated last."""
        found = [item for ask in self._contributors for item in ask(session, actor, now=now)]
        return sorted(found, key=lambda item: (item.due_on or date.max, item.what))
