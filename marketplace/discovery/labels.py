"""Codes of the index as words on the screen."""

from __future__ import annotations

from marketplace.accounts.rules import OrganisationKind
from marketplace.achievements.rules import AchievementState, IPKind
from marketplace.discovery.rules import MaturityBand, PersonKind
from marketplace.foundation.classifications import industry_name
from marketplace.foundation.trade import TechnologyField, TradingMode
from marketplace.foundation.words import Word
from marketplace.needs.rules import NeedState

_WORDS: dict[str, type[Word]] = {
    "kind": PersonKind,
    "field": TechnologyField,
    "maturity_band": MaturityBand,
    "ip_kind": IPKind,
    "mode": TradingMode,
    "owner_kind": OrganisationKind,
}
_STATES: dict[str, type[Word]] = {"achievement": AchievementState, "need": NeedState}


def label(name: str, value: str) -> str:
    """Return the label of a facet's value; places and disciplines are their own labels."""
    if name in _WORDS:
        return _label(_WORDS[name], value)
    if name == "industry":
        return industry_name(value) or value
    return value


def labels(name: str, values: tuple[str, ...]) -> str:
    """Return the labels of several values in one line."""
    return "、".join(label(name, value) for value in values)


def typed_labels() -> dict[str, dict[str, str]]:
    """Return, for each filter that can be typed, what a person types and the value it means."""
    return {
        name: {word.label: word.value for word in words}
        for name, words in _WORDS.items()
        if name in ("field", "ip_kind", "mode")
    }


def state(kind: str, value: str) -> Word | None:
    """Return the state of a document as a word."""
    words = _STATES.get(kind)
    return None if words is None else next((word for word in words if word.value == value), None)


def order(name: str) -> list[str]:
    """Return the order of a facet's values where it has one of its own."""
    return [word.value for word in _WORDS[name]] if name in ("maturity_band",) else []


def _label(words: type[Word], value: str) -> str:
    return next((word.label for word in words if word.value == value), value)
