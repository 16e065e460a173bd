"""What docs/security.md promises names a test that exists, and all 42 lines are there."""

from __future__ import annotations

import re

from tests.architecture.source import ROOT

_NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def _text() -> str:
    return (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_every_test_that_is_named_exists() -> None:
    named = _NAMED.findall(_text())
    assert len(named) > 60
    missing = []
    for path, name in named:
        place = ROOT / path
        source = place.read_text(encoding="utf-8") if place.exists() else ""
        if not source or (name and f"def {name}(" not in source):
            missing.append(f"{path}::{name}")
    assert not missing, missing


def test_all_42_lines_are_answered() -> None:
    rows = re.findall(r"^\| (\d+) \|[^|]+\|[^|]+\|\s*(.+?)\s*\|$", _text(), re.MULTILINE)
    assert [int(number) for number, _answer in rows] == list(range(1, 43))
    assert all(answer for _number, answer in rows)
