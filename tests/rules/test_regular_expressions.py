"""No regular expression that meets input of others can be made to run away (ReDoS)."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from search import expansion
from tests.architecture.source import Module, modules
from tests.regex_steps import runaway

METHODS = {"match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _method_calls(module: Module) -> list[tuple[str, str, ast.Call]]:
    """Return the calls ``name.method(...)`` of a module."""
    return [
        (_name(node.func.value), node.func.attr, node)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]


def _flags(call: ast.Call) -> int:
    words = {node.attr for node in ast.walk(call) if isinstance(node, ast.Attribute)}
    return re.IGNORECASE if words & {"IGNORECASE", "I"} else 0


def _patterns() -> dict[tuple[str, str, str], re.Pattern[Any]]:
    """Return each pattern with each method that is called of it, by module, name and method."""
    found: dict[tuple[str, str, str], re.Pattern[Any]] = {}
    homes: dict[str, tuple[str, str, re.Pattern[Any]]] = {}
    used: dict[str, set[str]] = {}
    for module in modules("marketplace", "search"):
        if ".migrations" in module.name:
            continue
        loaded, imported = vars(import_module(module.name)), module.imported()
        for name, value in loaded.items():
            if isinstance(value, re.Pattern) and not any(i.endswith(f".{name}") for i in imported):
                homes[f"{module.name}.{name}"] = (module.name, name, value)
        for name, method, call in _method_calls(module):
            if method not in METHODS:
                continue
            if name == "re" and isinstance(call.args[0], ast.Constant):
                text = call.args[0].value
                found[module.name, text, method] = re.compile(text, _flags(call))
            elif isinstance(loaded.get(name), re.Pattern):
                own = f"{module.name}.{name}"
                home = next((i for i in imported if i.endswith(f".{name}")), own)
                used.setdefault(home, set()).add(method)
    for home, (place, name, pattern) in homes.items():
        # What is only handed on to a function is tried in the two ways that differ.
        for method in used.get(home, {"fullmatch", "finditer"}):
            found[place, name, method] = pattern
    return found


# Made while running, of parts: each as it is made of a part that is likely.
MADE = {
    ("search.highlight", "term", "finditer"): re.compile(
        r"数控\W{0,3}(?<![a-z0-9])cnc(?![a-z0-9])"
    ),
    ("marketplace.achievements.text_rules", "unit", "search"): re.compile(
        r"\d\s*(?:万|亿|个)?马力(?![A-Za-z0-9])"
    ),
}
# One alternative of a list of patterns is as quick as the slowest of them.
LISTED = {
    (name, line, "search"): re.compile(line)
    for name in ("talk.regex", "ask.regex")
    for line in (expansion.LEXICON / name).read_text("utf-8").splitlines()
    if line and not line.startswith("#")
}
PATTERNS = _patterns() | MADE | LISTED


@pytest.fixture(autouse=True)
def deep() -> Iterator[None]:
    """Let the step counter go as deep as its texts are long."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(before)


def test_all_that_is_used_is_collected() -> None:
    assert len(PATTERNS) > 60


@pytest.mark.parametrize(
    ("text", "method", "runs"),
    [
        (r"(a+)+b", "fullmatch", True),
        (r"(a|a)*b", "match", True),
        (r"\s*x?\s*;", "match", True),
        (r"\s+$", "sub", True),
        (r"<c[^>]*>", "findall", True),
        (r"[,;\s]+", "split", False),
        (r"[A-H]\d{2}[A-Z](\d{1,4}/\d{2,6})?", "search", False),
    ],
)
def test_the_counter_tells_them_apart(text: str, method: str, runs: bool) -> None:
    assert bool(runaway(re.compile(text), method=method)) is runs


@pytest.mark.parametrize(
    "where", sorted(PATTERNS), ids=lambda where: f"{where[0]}:{where[1]}:{where[2]}"
)
def test_no_text_makes_it_run_away(where: tuple[str, str, str]) -> None:
    """Five times the text costs five times the steps."""
    pattern = PATTERNS[where]
    assert not runaway(pattern, method=where[2]), (where, pattern.pattern)
