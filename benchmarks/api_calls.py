"""Call every operation of the programming interface with generated input, as every role.

Run as ``python -m benchmarks.api_calls --calls 20000``: the demo is loaded into a temporary folder
and called in this process. A server error or an answer that the OpenAPI document does not allow
ends the run with the call that made it. Schemathesis generates the input.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS

from marketplace import wiring
from marketplace.accounts import access_token_service
from marketplace.accounts import queries as accounts
from marketplace.accounts.people_service import find_user_id
from marketplace.app import create_app
from marketplace.foundation.api import Scope
from marketplace.foundation.clock import SystemClock
from marketplace.migrations import schema
from marketplace.settings import Settings
from seed.demo import load
from seed.demo.sign_ins import sign_ins

_CHECKED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
# Numbers that rows of the demo have: generated ones rarely hit a row.
_LIKELY_IDS = 60


def settings_for(folder: Path) -> Settings:
    """Return settings under which no call is turned away for coming too soon."""
    return Settings(data_dir=folder, secret_key="calls-" + "x" * 32, api_calls_per_minute=100_000)


def demo_tokens(services: wiring.Services) -> dict[str, str]:
    """Make a token with all scopes for each role's person of the demo."""
    tokens: dict[str, str] = {}
    for entry in sign_ins():
        with services.database.transaction() as session:
            user_id = find_user_id(session, entry.email)
            assert user_id is not None
            own = accounts.organisations_of(session, user_id)[0]
            actor = accounts.actor_for(session, user_id, own.id)
            assert actor is not None
            made = access_token_service.create_token(
                session,
                actor=actor,
                now=SystemClock().now(),
                name="calls",
                scopes=tuple(Scope),
                days=2,
            )
        tokens[entry.role.value] = made.token
    return tokens


def explore(app: Flask, tokens: Mapping[str, str], *, per_operation: int) -> Counter[int]:
    """Call each operation as each role; return how often each status was answered.

    Raises with the call that failed a check. ``per_operation`` counts calls of one role.
    """
    described = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    checks = CHECKS.get_by_names(list(_CHECKED))
    statuses: Counter[int] = Counter()
    for operation in _operations(described):
        for token in tokens.values():
            _call(operation, token, checks, statuses, per_operation)
    return statuses


def _operations(described: Any) -> Iterator[Any]:
    for found in described.get_all_operations():
        yield found.ok()


def _call(operation: Any, token: str, checks: Any, statuses: Counter[int], examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), number=st.none() | st.integers(1, _LIKELY_IDS))
    def run(case: Any, number: int | None) -> None:
        for name, value in case.path_parameters.items():
            if number is not None and isinstance(value, int):
                case.path_parameters[name] = number
        response = case.call(headers={"Authorization": f"Bearer {token}"})
        statuses[response.status_code] += 1
        case.validate_response(response, checks=checks)

    run()


def main() -> None:
    """Run as a command."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--calls", type=int, default=20_000)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        chosen = settings_for(Path(folder))
        empty = wiring.build(chosen)
        schema.upgrade(empty.database)
        empty.database.engine.dispose()
        load.load(chosen)
        services = wiring.build(chosen)
        wiring.ensure_search_index(services)
        app = create_app(services)
        tokens = demo_tokens(services)
        described = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
        count = sum(1 for _ in _operations(described))
        each = math.ceil(asked.calls / (count * len(tokens)))
        statuses = explore(app, tokens, per_operation=each)
    print(
        f"{statuses.total()} calls of {count} operations as {len(tokens)} roles: all as described"
    )
    for status, number in sorted(statuses.items()):
        print(f"  {status}: {number}")


if __name__ == "__main__":
    main()
