"""The trade's vocabulary as enumerations: English in code and database, Chinese on the screen."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Word(StrEnum):
    """A term of the trade with its Chinese label and, where it is a status, its tone.

    Declare members as ``DRAFT = "draft", "草稿", "neutral"``. The value goes into the
    database and the URL; ``label`` goes on the screen; ``tone`` is one of ``ok``, ``run``,
    ``warn``, ``danger``, ``neutral`` for a status and empty for a plain term.
    """

    label: str
    tone: str

    def __new__(cls, value: str, label: str = "", tone: str = "") -> Self:
        word = str.__new__(cls, value)
        word._value_ = value
        word.label = label
        word.tone = tone
        return word

    @classmethod
    def pairs(cls) -> list[tuple[str, str]]:
        """List (value, label) of every member, in order, for a form's choices."""
        return [(word.value, word.label) for word in cls]
