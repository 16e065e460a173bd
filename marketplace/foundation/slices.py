"""What a slice lends to the platform, named in its ``parts.py`` and joined in ``wiring``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

from flask import Blueprint

from marketplace.foundation.api import Routes
from marketplace.foundation.due import DueTask
from marketplace.foundation.handover import OpenWork
from marketplace.foundation.outbox import Subscription
from marketplace.foundation.personal import PersonalPart
from marketplace.foundation.waiting import Contributor


@dataclass(frozen=True, kw_only=True, eq=False)
class Slice:
    """The parts of one slice; what it does not have is left out.

    ``pages`` and ``operations`` are modules that put routes on ``blueprint`` and on ``api`` when
    imported. ``open_work`` is what one person can have in hand alone, ``personal`` what is held on
    one person.
    """

    blueprint: Blueprint
    pages: tuple[ModuleType, ...] = ()
    api: Routes | None = None
    operations: tuple[ModuleType, ...] = ()
    subscriptions: Sequence[Subscription] = ()
    due: Sequence[DueTask] = ()
    waiting: Sequence[Contributor] = ()
    open_work: OpenWork | None = None
    personal: PersonalPart | None = None
