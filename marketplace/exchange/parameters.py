"""Dated and dictionary data of the import: which field a discipline or an IPC symbol hints at."""

from __future__ import annotations

from functools import cache

from pydantic import BaseModel, ConfigDict

from marketplace.foundation.reference import load
from marketplace.foundation.trade import TechnologyField


class _Disciplines(BaseModel):
    model_config = ConfigDict(extra="forbid")

    field: TechnologyField
    names: list[str]


class _Prefixes(BaseModel):
    model_config = ConfigDict(extra="forbid")

    field: TechnologyField
    prefixes: list[str]


class _Hints(BaseModel):
    model_config = ConfigDict(extra="forbid")

    disciplines: list[_Disciplines]
    ipc: list[_Prefixes]


@cache
def _hints() -> tuple[dict[str, TechnologyField], dict[str, TechnologyField]]:
    loaded = load("technology_field_hints", _Hints)
    names = {name: entry.field for entry in loaded.disciplines for name in entry.names}
    prefixes = {prefix: entry.field for entry in loaded.ipc for prefix in entry.prefixes}
    return names, prefixes


def field_of(discipline: str, ipc: tuple[str, ...]) -> TechnologyField | None:
    """Guess the technology field from a discipline's name, else from the first IPC symbol."""
    names, prefixes = _hints()
    if discipline in names:
        return names[discipline]
    symbol = ipc[0] if ipc else ""
    for length in range(len(symbol), 2, -1):
        if symbol[:length] in prefixes:
            return prefixes[symbol[:length]]
    return None
