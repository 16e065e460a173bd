"""Public classifications that forms offer and lists show: industries and places."""

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


class _Regions(BaseModel):
    model_config = ConfigDict(extra="ignore")

    provinces: list[_Entry]
    cities: list[_Entry]
    districts: list[_Entry]


@cache
def _regions() -> dict[str, str]:
    loaded = load("regions", _Regions)
    # A functional zone carries the code of its city, so the cities come last.
    listed = (*loaded.districts, *loaded.provinces, *loaded.cities)
    return {entry.code: entry.name for entry in listed}


def region_name(code: str) -> str:
    """Return a place's name by GB/T 2260: of itself, of its city, of its province, or ""."""
    known = _regions()
    nearest = (code, f"{code[:4]}00", f"{code[:2]}0000")
    return next((known[entry] for entry in nearest if entry in known), "")
