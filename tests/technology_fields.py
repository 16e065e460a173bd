"""The reference list of technology fields, as the seed keeps it."""

from __future__ import annotations

from pydantic import BaseModel


class Field(BaseModel):
    """One field of the registration form."""

    code: str
    name: str


class TechnologyFields(BaseModel):
    """The list with its source."""

    source: str
    fields: list[Field]
