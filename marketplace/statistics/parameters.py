"""The targets of 济科发〔2020〕26号 and of the 倍增计划, from seed/reference/targets.yaml."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict

from marketplace.foundation.reference import load


class Target(BaseModel):
    """One target: how much of what by when, and which document says so."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    label: str
    value: int
    unit: str
    document: str
    reference: str
    due_on: date
    scope: Literal["platform", "city"]

    @property
    def is_money(self) -> bool:
        """Tell whether it is an amount, in whole yuan."""
        return self.unit == "元"


class Targets(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    targets: tuple[Target, ...]


@cache
def targets() -> tuple[Target, ...]:
    """Return every target, in the order of the documents."""
    return load("targets", Targets).targets
