"""The shape of the library of assessors in the demo."""

from __future__ import annotations

from marketplace.assessments.library_rules import ExpertGrade, HouseGrade
from marketplace.foundation.trade import TechnologyField
from seed.demo.supply_records import Strict


class LibraryHouse(Strict):
    """One assessment house with its grade, its fields and the paper it rests on."""

    org: str
    grade: HouseGrade
    basis: str
    fields: tuple[TechnologyField, ...]


class LibraryExpert(Strict):
    """One expert with title, fields and the paper it rests on."""

    person: str
    grade: ExpertGrade
    basis: str
    fields: tuple[TechnologyField, ...]


class Ownership(Strict):
    """One organisation holds capital of another."""

    first: str
    second: str
    since: str
    source: str


class Library(Strict):
    """The whole library."""

    houses: list[LibraryHouse]
    experts: list[LibraryExpert]
    ownership: list[Ownership]
