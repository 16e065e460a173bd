"""The platform's dated parameters, each with its basis: an article of law or a platform rule.

Read from seed/reference/trading.yaml. The unit of a value is what its key ends with.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.reference import load


class DatedValue(BaseModel):
    """What a parameter is worth from a day on, and through which day (None: still)."""

    model_config = ConfigDict(extra="forbid")

    since: date = Field(alias="from")
    until: date | None = Field(alias="to")
    value: int


class ParameterEntry(BaseModel):
    """One parameter with its history."""

    model_config = ConfigDict(extra="forbid")

    key: str
    label: str
    basis: Literal["law", "platform"]
    reference: str
    values: list[DatedValue]


class Parameters(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid")

    parameters: list[ParameterEntry]


@dataclass(frozen=True)
class Parameter:
    """A parameter as it stands on one day; ``by_law`` False marks a rule of the platform."""

    key: str
    label: str
    value: int
    by_law: bool
    reference: str


@cache
def _entries() -> dict[str, ParameterEntry]:
    return {entry.key: entry for entry in load("trading", Parameters).parameters}


def parameter_on(key: str, on: date) -> Parameter:
    """Return a parameter as it stood on a day; refuse a day before its first value."""
    entry = _entries()[key]
    for dated in entry.values:
        if dated.since <= on and (dated.until is None or on <= dated.until):
            return Parameter(key, entry.label, dated.value, entry.basis == "law", entry.reference)
    raise RuleBroken(
        "parameters.undated",
        f"“{entry.label}”在 {on.isoformat()} 没有规定值，无法办理；请交易中心补录该日的平台参数",
    )


def value_on(key: str, on: date) -> int:
    """Return a parameter's value on a day, in the unit that its key ends with."""
    return parameter_on(key, on).value


def parameters_on(on: date) -> list[Parameter]:
    """List all parameters as they stand on a day, for the page that shows the rules."""
    return [
        parameter_on(key, on)
        for key, entry in _entries().items()
        if any(v.since <= on and (v.until is None or on <= v.until) for v in entry.values)
    ]
