"""The record of processing personal data: what, for what, on which basis, how long.

One file is the privacy page's table, the documented record and the terms of the retention jobs.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache

from pydantic import BaseModel, ConfigDict, Field

from marketplace.foundation import reference


class ProcessingRecord(BaseModel):
    """One kind of personal data and why it is held (PIPL art. 55 and 56)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    what: str
    purpose: str
    basis: str
    seen_by: str
    term: str
    term_days: int | None = Field(default=None, ge=1)


class _Records(BaseModel):
    model_config = ConfigDict(extra="forbid")

    records: list[ProcessingRecord]


@cache
def records() -> tuple[ProcessingRecord, ...]:
    """List all kinds of personal data, in the order of the page."""
    return tuple(reference.load("processing", _Records).records)


def term_of(code: str) -> timedelta:
    """Return how long data of a kind are held; only for those that a job removes."""
    found = next(record for record in records() if record.code == code)
    if found.term_days is None:
        raise LookupError(f"{code} has no term in days")
    return timedelta(days=found.term_days)
