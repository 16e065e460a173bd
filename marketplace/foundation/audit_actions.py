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
    # By the beginning of an action, then field: the name of the words that it speaks.
    codes: dict[str, dict[str, str]]


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


def code_label(action: str, field: str, value: str) -> str:
    """Say a code in the words that its field speaks, its slice has or all share; else the code."""
    places = (_spoken(action, field), _codes(action.partition(".")[0]), _codes("foundation"))
    return next((known[value] for known in places if value in known), value)


@cache
def _spoken(action: str, field: str) -> dict[str, str]:
    """Return the labels of the words that a field speaks, where the file names them."""
    codes = _words().codes
    parts = action.split(".")
    places = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    named = (codes.get(place, {}).get(field) for place in (*places, "*"))
    name = next(filter(None, named), None)
    return {
        member.value: member.label
        for word in Word.__subclasses__()
        if word.__name__ == name
        for member in word
    }


@cache
def _codes(slice_name: str) -> dict[str, str]:
    """Return the labels of a slice's codes, without those that mean several things there."""
    found: dict[str, set[str]] = {}
    for word in Word.__subclasses__():
        if word.__module__.startswith(f"marketplace.{slice_name}."):
            for member in word:
                found.setdefault(member.value, set()).add(member.label)
    return {code: labels.pop() for code, labels in found.items() if len(labels) == 1}
