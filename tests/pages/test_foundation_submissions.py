"""A form is carried out once, however often and however fast it is sent."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from flask import Flask

from marketplace.accounts import queries
from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from tests.conftest import Browser
from tests.world import World, give_licence, make_uscc


def _form(**changes: Any) -> dict[str, Any]:
    form = {
        "kind": "enterprise",
        "name": "快手机械",
        "uscc": make_uscc(800),
        "person_name": "赵快",
        "email": "zhao@kuai.example",
        "password": "twice-as-fast-as-once",
        "again": "twice-as-fast-as-once",
        "agreed": "y",
        "submission_key": "same-key",
    }
    return {**form, **changes}


def _registered(database: Database) -> int:
    with database.reading() as session:
        return len(queries.awaiting_verification(session))


def test_ten_clicks_at_once_make_one_object_and_end_at_one_page(
    app: Flask, sqlite_database: Database
) -> None:
    app.test_client_class = Browser
    answers: list[tuple[int, str]] = []

    def click() -> None:
        answer = app.test_client().post("/register", data=_form())
        answers.append((answer.status_code, answer.headers.get("Location", "")))

    clicks = [threading.Thread(target=click) for _ in range(10)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert answers == [(303, "/workbench")] * 10
    assert _registered(sqlite_database) == 1


def test_a_refused_form_may_be_corrected_and_sent_with_the_same_key(
    client: Browser, sqlite_database: Database
) -> None:
    taken = client.post("/register", data=_form(kind="service_institution"))
    assert taken.status_code == 422
    assert client.post("/register", data=_form()).status_code == 303
    assert _registered(sqlite_database) == 1


def test_a_key_is_no_way_into_what_another_person_sent(
    client: Browser, page_world: World, tmp_path: Path
) -> None:
    first = page_world.organisation(verified=False)
    second = page_world.organisation(verified=False)
    for waiting in (first, second):
        give_licence(client.database, waiting.id, now=page_world.now, folder=tmp_path)
    client.sign_in_as(page_world.actor(Role.OPERATOR))
    key = {"submission_key": "shared"}
    client.post(f"/desk/verification/{first.id}/verify", data=key)
    client.sign_out()
    client.sign_in_as(page_world.actor(Role.OPERATOR))
    client.post(f"/desk/verification/{second.id}/verify", data=key)
    with client.database.reading() as session:
        assert queries.get_organisation(session, first.id).verified
        assert queries.get_organisation(session, second.id).verified
