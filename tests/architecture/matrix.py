"""The permission matrix: who may call which route, generated from the routes themselves.

``python -m tests.architecture.matrix`` writes the generated columns of ``docs/permissions.csv``
anew and keeps what a reviewer wrote in ``others``: what somebody gets there who holds the role but
whose organisation has nothing to do with the object. ``states`` are those of the object in which a
changing route is open, where its object has states (``states.py``).
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from pathlib import Path

from flask import Flask

from marketplace import wiring
from marketplace.app import create_app
from marketplace.foundation import web
from marketplace.foundation.access import Role
from marketplace.settings import Settings
from tests.architecture.source import ROOT
from tests.architecture.states import states_of

FILE = ROOT / "docs" / "permissions.csv"
# What "others" may say.
NOT_FOUND = "not_found"  # an object of one organisation or person: strangers are told nothing
PARTLY = "partly"  # open to everybody who holds the role, hidden parts left out
NONE = "none"  # the route names no object
OTHERS = (NOT_FOUND, PARTLY, NONE)
GENERATED = ("method", "path", "endpoint", "kind", "permission", "verified", "roles", "states")
_PARAMETER = re.compile(r"<(?:int:)?(\w+)>")
_READING = {"HEAD", "OPTIONS"}


def rows(app: Flask) -> list[dict[str, str]]:
    """Return one row for each route and method, in the order of the addresses."""
    found = []
    for rule in app.url_map.iter_rules():
        # The demo's clock exists in a demo alone, for everybody.
        if rule.endpoint.startswith(("static", "demonstration.")):
            continue
        permission = web.permission_of(app.view_functions[rule.endpoint])
        assert permission is not None, rule.endpoint
        if permission.roles is None:
            roles = "everybody"
        elif permission.roles == frozenset(Role):
            roles = "every role"
        else:
            roles = " ".join(role.value for role in Role if role in permission.roles)
        found += [
            {
                "method": method,
                "path": rule.rule,
                "endpoint": rule.endpoint,
                "kind": _kind(rule.rule, rule.endpoint),
                "permission": permission.name,
                "verified": "verified" if permission.verified and permission.roles else "",
                "roles": roles,
                "states": states_of(method, rule.endpoint),
            }
            for method in sorted((rule.methods or set()) - _READING)
        ]
    return sorted(found, key=lambda row: (row["path"], row["method"]))


def _kind(path: str, endpoint: str) -> str:
    if path.startswith("/api/"):
        return "api"
    if re.search(r"file|attachment|export|\.pdf|\.json|\.xlsx|\.csv|\.ics|download", path):
        return "file"
    if re.search(r"feed|atom", path):
        return "feed"
    return "page"


def reviewed() -> list[dict[str, str]]:
    """Return the rows of the reviewed file."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def has_object(path: str) -> bool:
    """Tell whether an address names an object."""
    return bool(_PARAMETER.search(path))


def written(generated: list[dict[str, str]], others: dict[tuple[str, str], str]) -> str:
    """Return the file's text."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [*GENERATED, "others"], lineterminator="\n")
    writer.writeheader()
    for row in generated:
        known = others.get((row["method"], row["path"]), "")
        said = known if has_object(row["path"]) else NONE
        writer.writerow({**row, "others": said})
    return text.getvalue()


def _main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        services = wiring.build(Settings(data_dir=Path(folder), secret_key="matrix-" + "x" * 32))
        generated = rows(create_app(services))
    kept = {(r["method"], r["path"]): r["others"] for r in reviewed()} if FILE.exists() else {}
    FILE.write_text(written(generated, kept), encoding="utf-8")


if __name__ == "__main__":
    _main()
