"""The source tree as the architecture tests see it: modules, their roles and their imports."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

SLICES = (
    "accounts", "publicity", "payments", "integrity", "achievements", "needs", "assessments",
    "listings", "brokerage", "techservices", "contracts", "subsidies", "discovery", "statistics",
    "notifications", "exchange", "workbench", "demonstration", "site", "oversight", "reviews",
    "training",
)  # fmt: skip


@dataclass(frozen=True)
class Module:
    """One Python file: its dotted name, its syntax tree, and what it imports."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def slice(self) -> str:
        """Return the slice it belongs to, or an empty string."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 2 and parts[1] in SLICES else ""

    @property
    def file(self) -> str:
        """Return the file's name without ending."""
        return self.path.stem

    def role(self) -> str:
        """Return what kind of file it is: the part of its name after the last underscore."""
        return self.file.rsplit("_", 1)[-1]

    def imported(self) -> set[str]:
        """Return the dotted names it imports, members of packages included."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
                found.update(f"{node.module}.{alias.name}" for alias in node.names)
        return found


@cache
def modules(*packages: str) -> tuple[Module, ...]:
    """Parse every module of the packages, migrations left out."""
    found = []
    for package in packages or ("marketplace", "search", "seed"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if "versions" in path.parts:
                continue
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found.append(Module(name.removesuffix(".__init__"), path, tree))
    return tuple(found)
