"""Uploads are scanned once where a daemon is named; without its word nothing is kept."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from marketplace.foundation.access import Actor, Role
from marketplace.foundation.attachments import Attachment
from marketplace.foundation.audit import AuditRow
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.virus_scan import Scanner
from marketplace.settings import Settings
from marketplace.wiring import Services
from tests.clamd import EICAR, FakeClamd
from tests.conftest import Browser
from tests.world import PDF, World

CARRIER = PDF + EICAR


@pytest.fixture(params=["socket", "tcp"])
def clamd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FakeClamd]:
    """A daemon behind a UNIX socket, and one behind a port."""
    made = FakeClamd(tmp_path / "clamd.ctl" if request.param == "socket" else None)
    yield made
    made.stop()


@pytest.fixture
def officer(client: Browser, page_world: World) -> Actor:
    made = page_world.actor(Role.OFFICER)
    client.sign_in_as(made)
    assert client.send("/my/achievements/new", title="低温脱硝催化剂").status_code == 303
    return made


def _send(client: Browser, *contents: bytes) -> TestResponse:
    files = [(io.BytesIO(content), f"证明{n}.pdf") for n, content in enumerate(contents)]
    return client.post("/my/achievements/1/attachments", data={"attachments": files})


def _kept(client: Browser) -> int:
    with client.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Attachment)) or 0


def _ask(client: Browser, address: str) -> None:
    client.application.extensions["resources"][Scanner] = Scanner(address)


def test_a_clean_file_is_scanned_once_and_kept(
    client: Browser, officer: Actor, clamd: FakeClamd
) -> None:
    _ask(client, clamd.address)
    assert _send(client, PDF).status_code == 303
    assert clamd.scanned == [PDF]
    assert _kept(client) == 1


def test_what_is_found_is_named_noted_and_not_kept(
    client: Browser, officer: Actor, clamd: FakeClamd
) -> None:
    _ask(client, clamd.address)
    page = _send(client, PDF, CARRIER)
    assert page.status_code == 422
    assert "证明1.pdf”查出恶意程序（Win.Test.EICAR_HDB-1）" in page.text
    assert _kept(client) == 0
    with client.database.reading() as session:
        row = session.scalars(
            select(AuditRow).where(AuditRow.action == "attachments.infected")
        ).one()
    assert (row.user_id, row.after["name"]) == (officer.user_id, "证明1.pdf")


@pytest.mark.parametrize(
    "says", ["INSTREAM size limit exceeded. ERROR", "stream: lstat() failed ERROR", "?", " "]
)
def test_whatever_else_it_says_nothing_is_kept(client: Browser, officer: Actor, says: str) -> None:
    daemon = FakeClamd(says=says)
    _ask(client, daemon.address)
    page = _send(client, PDF)
    daemon.stop()
    assert page.status_code == 422
    assert "查毒服务" in page.text
    assert _kept(client) == 0


@pytest.mark.parametrize("address", ["127.0.0.1:1", "/nowhere/clamd.ctl", "no.such.host.invalid"])
def test_without_an_answer_nothing_is_kept(client: Browser, officer: Actor, address: str) -> None:
    _ask(client, address)
    page = _send(client, PDF)
    assert page.status_code == 422
    assert "查毒服务暂时没有应答" in page.text
    assert _kept(client) == 0
    assert Scanner(address).problem()


def test_where_none_is_named_nobody_is_asked(
    client: Browser, services: Services, officer: Actor
) -> None:
    assert not services.resources[Scanner].asks
    assert _send(client, CARRIER).status_code == 303
    assert Scanner("").problem() == ""


def test_the_setting_names_the_daemon(clamd: FakeClamd) -> None:
    chosen = Settings(clamd_address=clamd.address)
    scanner = Scanner(chosen.clamd_address)
    assert scanner.problem() == ""
    scanner.check("好.pdf", PDF)
    with pytest.raises(RuleBroken) as refused:
        scanner.check("坏.pdf", CARRIER)
    assert refused.value.code == "attachments.infected"
