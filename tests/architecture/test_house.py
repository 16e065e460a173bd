"""The house rules that a machine can hold: who imports what, who commits, who reads the clock."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.source import SLICES, Module, modules

# What one slice may use of another.
SHARED_ROLES = {"events", "queries", "service", "rules", "parameters"}
_PURE = {"rules", "parameters"}
_IMPURE_PACKAGES = ("sqlalchemy", "flask", "wtforms", "requests", "smtplib")


def _slice_modules() -> list[Module]:
    return [module for module in modules("marketplace") if module.slice]


def _offenders(found: dict[str, list[str]]) -> str:
    return "\n".join(f"{name}: {', '.join(what)}" for name, what in found.items())


def test_a_slice_uses_only_events_queries_service_and_rules_of_another() -> None:
    wrong: dict[str, list[str]] = {}
    known = {module.name: module for module in modules("marketplace")}
    for module in _slice_modules():
        for name in module.imported():
            target = known.get(name)
            if target is None or not target.slice or target.slice == module.slice:
                continue
            if target.role() == target.slice or target.file == "__init__":
                continue
            if target.role() not in SHARED_ROLES:
                wrong.setdefault(module.name, []).append(name)
    assert not wrong, _offenders(wrong)


def test_rules_are_pure() -> None:
    wrong: dict[str, list[str]] = {}
    for module in _slice_modules():
        if module.role() != "rules":
            continue
        for name in module.imported():
            if name.split(".")[0] in _IMPURE_PACKAGES or name.endswith((".models", ".service")):
                wrong.setdefault(module.name, []).append(name)
    assert not wrong, _offenders(wrong)


@pytest.mark.parametrize("role", ["rules", "service", "queries", "models", "handlers"])
def test_no_clock_in_rules_and_services(role: str) -> None:
    wrong: dict[str, list[str]] = {}
    for module in _slice_modules():
        if module.role() != role:
            continue
        for node in ast.walk(module.tree):
            if (
                isinstance(node, ast.Attribute)
                and node.attr in ("now", "utcnow", "today")
                and isinstance(node.value, ast.Name)
                and node.value.id in ("datetime", "date", "time")
            ):
                wrong.setdefault(module.name, []).append(f"line {node.lineno}")
    assert not wrong, _offenders(wrong)


def test_nobody_commits_but_the_entry_points() -> None:
    wrong: dict[str, list[str]] = {}
    for module in _slice_modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and node.attr in ("commit", "rollback"):
                wrong.setdefault(module.name, []).append(f"line {node.lineno}")
    assert not wrong, _offenders(wrong)


def test_services_know_no_web() -> None:
    wrong: dict[str, list[str]] = {}
    for module in _slice_modules():
        if module.role() not in ("service", "queries", "models", "handlers", "events", "rules"):
            continue
        for name in module.imported():
            if name.split(".")[0] in ("flask", "wtforms") or ".foundation.web" in name:
                wrong.setdefault(module.name, []).append(name)
    assert not wrong, _offenders(wrong)


def test_views_hold_no_sql() -> None:
    wrong: dict[str, list[str]] = {}
    for module in _slice_modules():
        if module.role() not in ("views", "forms"):
            continue
        for name in module.imported():
            if name.startswith("sqlalchemy") and name not in (
                "sqlalchemy.orm",
                "sqlalchemy.orm.Session",
            ):
                wrong.setdefault(module.name, []).append(name)
            if name.endswith(".models"):
                wrong.setdefault(module.name, []).append(name)
    assert not wrong, _offenders(wrong)


def test_no_imports_inside_functions() -> None:
    wrong: dict[str, list[str]] = {}
    for module in modules():
        for function in ast.walk(module.tree):
            if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            for node in ast.walk(function):
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    wrong.setdefault(module.name, []).append(f"line {node.lineno}")
    assert not wrong, _offenders(wrong)


def test_no_float_holds_money() -> None:
    wrong: dict[str, list[str]] = {}
    for module in modules("marketplace"):
        for node in ast.walk(module.tree):
            if (
                isinstance(node, ast.AnnAssign)
                and isinstance(node.target, ast.Name)
                and node.target.id.endswith("_fen")
                and "float" in ast.unparse(node.annotation)
            ):
                wrong.setdefault(module.name, []).append(node.target.id)
    assert not wrong, _offenders(wrong)


def test_public_functions_say_what_they_do() -> None:
    wrong: dict[str, list[str]] = {}
    for module in modules():
        if ast.get_docstring(module.tree) is None and module.path.read_text().strip():
            wrong.setdefault(module.name, []).append("module")
        for node in module.tree.body:
            if (
                isinstance(node, (ast.FunctionDef, ast.ClassDef))
                and not node.name.startswith("_")
                and ast.get_docstring(node) is None
            ):
                wrong.setdefault(module.name, []).append(node.name)
    assert not wrong, _offenders(wrong)


def test_every_slice_is_known_here() -> None:
    present = {module.name.split(".")[1] for module in modules("marketplace") if "." in module.name}
    packages = {
        name
        for name in present
        if any(module.name == f"marketplace.{name}" and module.file == "__init__"
               for module in modules("marketplace"))
    }  # fmt: skip
    assert packages - {"foundation", "migrations"} == set(SLICES)


def test_what_a_slice_has_for_the_platform_stands_in_its_parts() -> None:
    """A page, an interface, a subscription or a timed task that nobody joins would never run."""
    joined = {
        name
        for module in modules("marketplace")
        if module.file == "parts" or module.name == "marketplace.wiring"
        for name in module.imported()
    }
    forgotten = [
        module.name
        for module in _slice_modules()
        if module.role() in {"views", "api", "handlers", "due"} and module.name not in joined
    ]
    assert not forgotten, ", ".join(forgotten)
