"""What happened to integrity records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.foundation.outbox import Event


@dataclass(frozen=True, kw_only=True)
class DishonestyRecorded(Event):
    """An organisation was put on record from ``starts_on`` through ``ends_on``."""

    record_id: int
    organisation_id: int
    starts_on: date
    ends_on: date


@dataclass(frozen=True, kw_only=True)
class DishonestyRevoked(Event):
    """A record was taken back: it never counts, on no day."""

    record_id: int
    organisation_id: int


@dataclass(frozen=True, kw_only=True)
class RepairApplied(Event):
    """An organisation applied for the repair of its credit."""

    repair_id: int
    record_id: int
    organisation_id: int


@dataclass(frozen=True, kw_only=True)
class RepairDecided(Event):
    """An application was decided; granted, the record counts no more from ``effect_on`` on."""

    repair_id: int
    record_id: int
    organisation_id: int
    granted: bool
    opinion: str
    effect_on: date | None
