"""What the text check knows: abbreviations that explain themselves, units that are wrong."""

from __future__ import annotations

from functools import cache

from pydantic import BaseModel, ConfigDict

from marketplace.foundation.reference import load


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WrongUnit(_Strict):
    """A unit that is not legal or not written so, what to write, and how to convert."""

    wrong: str
    right: str
    note: str


class TextKnowledge(_Strict):
    """The whole file."""

    reference: str
    known: frozenset[str]
    units: tuple[WrongUnit, ...]


@cache
def text_knowledge() -> TextKnowledge:
    """Return what the text check knows."""
    return load("text_check", TextKnowledge)
