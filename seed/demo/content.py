"""The demo's content, read from the YAML files beside it; an unknown key stops the load."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import yaml

from seed.demo.library_records import Library
from seed.demo.supply_records import Achievement, Need, Organisation, Person, SavedSearch, Strict
from seed.demo.trade_records import (
    Agreed,
    Answer,
    Assessment,
    Claim,
    Commission,
    Contract,
    Deal,
    Intent,
    Listing,
    Loss,
    Meeting,
    Objection,
    Order,
    PublicObjection,
    Record,
    Request,
    Services,
    Task,
)

__all__ = [
    "Achievement",
    "Agreed",
    "Answer",
    "Assessment",
    "Claim",
    "Commission",
    "Content",
    "Contract",
    "Deal",
    "Intent",
    "Listing",
    "Loss",
    "Meeting",
    "Need",
    "Objection",
    "Order",
    "Organisation",
    "Person",
    "PublicObjection",
    "Record",
    "Request",
    "SavedSearch",
    "Services",
    "Task",
    "content",
]


class Content(Strict):
    """All of the demo's content."""

    organisations: list[Organisation]
    people: list[Person]
    achievements: list[Achievement]
    needs: list[Need]
    listings: list[Listing]
    assessments: list[Assessment]
    deals: list[Deal]
    contracts: list[Contract]
    claims: list[Claim]
    events: list[Meeting]
    searches: list[SavedSearch]
    services: Services
    library: Library


# The C loader reads the 12,000 lines in a fraction of the time.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def content() -> Content:
    """Read all files of seed/demo."""
    folder = files("seed.demo")

    def read(name: str) -> object:
        text = folder.joinpath(f"{name}.yaml").read_text(encoding="utf-8")
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 -- a safe loader, C or Python

    whole: dict[str, object] = {name: read(name) for name in ("services", "library")}
    for name in Content.model_fields:
        if name not in whole:
            part = read(name)
            assert isinstance(part, dict)
            whole[name] = part[name]
    return Content.model_validate(whole)
