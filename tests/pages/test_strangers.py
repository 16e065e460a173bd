"""What a stranger gets at every address that names an object, route by route (the matrix's others).

A stranger holds each role, for a verified organisation that has nothing to do with any object.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from marketplace.accounts import access_token_service, sign_in
from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.foundation import web
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.api import Scope
from marketplace.foundation.clock import SystemClock
from tests.architecture import matrix
from tests.counting import Counter
from tests.world import World

_PARAMETER = re.compile(r"<(?:int:)?(\w+)>")
_IDS = (1, 2, 3)
_TURNED_AWAY = {401, 403, 404}
# A body of the wrong shape is refused before anything is looked up; with right ones see tests/api.
_SHAPE_FIRST = {422}
# Where a role works on everybody's objects, no object is a stranger's.
_EVERYBODYS = {
    Role.OPERATOR,
    Role.BUREAU_REVIEWER,
    Role.CENTRE_REVIEWER,
    Role.TREASURER,
}
_S, _K = OrganisationSubkind, OrganisationKind
_HOMES: dict[Role, tuple[OrganisationKind, tuple[OrganisationSubkind, ...]]] = {
    Role.ENTERPRISE: (_K.ENTERPRISE, ()),
    Role.BROKER: (_K.SERVICE_INSTITUTION, (_S.AGENCY,)),
    Role.AGENCY_HEAD: (_K.SERVICE_INSTITUTION, (_S.AGENCY,)),
    Role.PROVIDER: (_K.SERVICE_INSTITUTION, (_S.IP_FIRM,)),
    Role.ASSESSOR: (_K.SERVICE_INSTITUTION, (_S.ASSESSOR,)),
    Role.REGISTRAR: (_K.REGISTRAR, ()),
    Role.DISTRICT_REVIEWER: (_K.GOVERNMENT, (_S.DISTRICT,)),
}


class Strangers:
    """One stranger per role, each with a session and a token."""

    def __init__(self, site: Any) -> None:
        self.site = site
        now = site.services.clock.now()
        world = World(site.services.database, now, first=90_000)
        # The first sessions and tokens are a bystander's, so that no stranger ends his own.
        bystander = world.actor(Role.OFFICER, world.organisation())
        for _ in _IDS:
            self._client(bystander)
            self._token(bystander)
        self.actors: dict[Role, Actor] = {}
        for role in Role:
            if role in _EVERYBODYS:
                continue
            kind, subkinds = _HOMES.get(role, (_K.UNIVERSITY, ()))
            home = world.organisation(kind, subkinds=subkinds)
            self.actors[role] = world.actor(role, home)
        self.clients = {role: self._client(actor) for role, actor in self.actors.items()}
        self.tokens = {role: self._token(actor) for role, actor in self.actors.items()}

    def _client(self, actor: Actor) -> Any:
        client = self.site.client()
        with self.site.services.database.transaction() as session:
            token = sign_in.open_session(
                session,
                now=SystemClock().now(),
                user_id=actor.user_id or 0,
                address="127.0.0.1",
                device="test",
                second_factor=True,
            )
        with client.session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = token, True
        return client

    def _token(self, actor: Actor) -> str:
        with self.site.services.database.transaction() as session:
            return access_token_service.create_token(
                session,
                actor=actor,
                now=SystemClock().now(),
                name="stranger",
                scopes=tuple(Scope),
                days=2,
            ).token

    def call(self, role: Role, method: str, path: str, number: int) -> TestResponse:
        """Call an address in which every number is the same."""
        address = _PARAMETER.sub(str(number), path)
        headers = {}
        if path.startswith("/api/"):
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        response: TestResponse = self.clients[role].open(address, method=method, headers=headers)
        return response


def _holders(site: Any, endpoint: str) -> list[Role]:
    permission = web.permission_of(site.app.view_functions[endpoint])
    assert permission is not None
    roles = permission.roles if permission.roles is not None else {Role.ENTERPRISE}
    found = [role for role in Role if role in roles and role not in _EVERYBODYS]
    # A route for every role asks no role: one from each side of the market tells enough.
    return [Role.OFFICER, Role.ENTERPRISE] if len(found) == len(Role) - len(_EVERYBODYS) else found


def allowed(row: dict[str, str]) -> set[int]:
    """Return the statuses that tell a stranger nothing."""
    changes = row["kind"] == "api" and row["method"] != "GET"
    return _TURNED_AWAY | _SHAPE_FIRST if changes else _TURNED_AWAY


def answered(site: Any, strangers: Strangers, row: dict[str, str]) -> set[int]:
    """Return the statuses that strangers get at a route."""
    return {
        strangers.call(role, row["method"], row["path"], number).status_code
        for role in _holders(site, row["endpoint"])
        for number in _IDS
    }


@pytest.fixture
def strangers(demo_site: Any) -> Strangers:
    """Strangers in the demo."""
    return Strangers(demo_site)


def test_strangers_get_what_the_matrix_says(demo_site: Any, strangers: Strangers) -> None:
    wrong = []
    for row in matrix.reviewed():
        if row["others"] != matrix.NOT_FOUND:
            continue
        statuses = answered(demo_site, strangers, row)
        if not statuses <= allowed(row):
            wrong.append((row["method"], row["path"], sorted(statuses)))
    assert not wrong, wrong


def test_strangers_who_send_nothing_change_nothing(demo_site: Any, strangers: Strangers) -> None:
    counter = Counter(demo_site.services.database)
    wrong = []
    for row in matrix.reviewed():
        if row["others"] != matrix.NOT_FOUND or row["method"] == "GET":
            continue
        before = counter.rows()
        answered(demo_site, strangers, row)
        if counter.rows() != before:
            wrong.append((row["method"], row["path"]))
    assert not wrong, wrong
