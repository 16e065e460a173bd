"""Words of the trade stand in the glossary, or they are no names."""

from __future__ import annotations

from marketplace import wiring
from marketplace.foundation.words import Word
from tests.architecture.source import ROOT


def _all_words() -> list[type[Word]]:
    assert wiring.BLUEPRINTS  # importing it imports every slice
    found: list[type[Word]] = []
    waiting = [Word]
    while waiting:
        for subclass in waiting.pop().__subclasses__():
            if subclass.__module__.startswith("marketplace"):
                found.append(subclass)
                waiting.append(subclass)
    return found


def test_every_word_stands_in_the_glossary() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    missing = [
        f"{word.__module__}.{word.__name__}.{member.name}: `{member.value}` {member.label}"
        for word in _all_words()
        for member in word
        if f"`{member.value}` {member.label}" not in glossary
    ]
    assert not missing, "not in docs/glossary.md:\n" + "\n".join(missing)


def test_labels_are_chinese_and_tones_known() -> None:
    for word in _all_words():
        for member in word:
            assert member.label, member
            assert member.tone in ("", "ok", "run", "warn", "danger", "neutral"), member
