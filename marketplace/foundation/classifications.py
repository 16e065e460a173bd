"""Public classifications that forms offer and lists show: industries by GB/T 4754."""

from __future__ import annotations

from functools import cache

from pydantic import BaseModel, ConfigDict

from marketplace.foundation.reference import load


class _Entry(BaseModel):
    model_config = ConfigDict(extra="ignore")

    code: str
    name: str
    section: str = ""


class _Industries(BaseModel):
    model_config = ConfigDict(extra="ignore")

    divisions: list[_Entry]
    classes: list[_Entry]


@cache
def industries() -> dict[str, str]:
    """Return the industries' names by code: divisions (C34) and the listed classes (C3421)."""
    loaded = load("industries", _Industries)
    divisions = {
        entry.code if entry.code[:1].isalpha() else entry.section + entry.code: entry.name
        for entry in loaded.divisions
    }
    return dict(sorted((divisions | {entry.code: entry.name for entry in loaded.classes}).items()))


def industry_name(code: str) -> str:
    """Return an industry's name, or that of the division it belongs to, or ""."""
    known = industries()
    return known.get(code) or known.get(code[:3], "")
