"""What the audit's names of actions, fields, objects and codes are called on the screen."""

from __future__ import annotations

from functools import cache

from pydantic import BaseModel, ConfigDict

from marketplace.foundation import reference
from marketplace.foundation.words import Word


class _Actions(BaseModel):
    model_config = ConfigDict(extra="forbid")

    actions: dict[str, str]
    fields: dict[str, str]
    subjects: dict[str, str]


@cache
def _words() -> _Actions:
    return reference.load("audit_actions", _Actions)


def action_words() -> dict[str, str]:
    """Return the Chinese words for every action, by its code, in the order of the file."""
    return _words().actions


def action_label(code: str) -> str:
    """Say an action in words; one that has none is shown by its code."""
    return action_words().get(code, code)


def field_label(name: str) -> str:
    """Say what a field of a change is called; one that has no words is shown by its name."""
    return _words().fields.get(name, name)


def subject_label(subject: str) -> str:
    """Name the object of an audit row: 撮合项目 12; a kind without words stays as it is stored."""
    kind, _, number = subject.partition(":")
    known = _words().subjects.get(kind)
    return f"{known} {number}" if known else subject


def code_label(action: str, value: str) -> str:
    """Say a code in the words of the action's own slice, where they are one; else the code."""
    return _codes(action.partition(".")[0]).get(value, value)


@cache
def _codes(slice_name: str) -> dict[str, str]:
    """Return the labels of a slice's codes, without those that mean several things there."""
    found: dict[str, set[str]] = {}
    for word in Word.__subclasses__():
        if word.__module__.startswith(f"marketplace.{slice_name}."):
            for member in word:
                found.setdefault(member.value, set()).add(member.label)
    return {code: labels.pop() for code, labels in found.items() if len(labels) == 1}
