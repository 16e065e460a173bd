"""The demo, loaded once for all workers of the run, with what each role can open and send there."""

from __future__ import annotations

import fcntl
import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from marketplace import wiring
from marketplace.app import create_app
from tests.usecases.demo_digest import load_demo, settings_for
from tests.walking import ROLES, VISITOR, Walk, walk


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of this run see."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


def _once(folder: Path, name: str, make: Callable[[Path], None]) -> Path:
    """Make something in the shared folder, by whichever worker comes first."""
    place = folder / name
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            scratch = folder / f"{name}.being-made"
            make(scratch)
            scratch.replace(place)
    return place


@pytest.fixture(scope="session")
def demo_folder(shared_folder: Path) -> Path:
    """A folder with the loaded demo and its search index, to be copied and never changed."""

    def make(place: Path) -> None:
        place.mkdir()
        services = load_demo(place)
        wiring.ensure_search_index(services)
        services.database.engine.dispose()

    return _once(shared_folder, "whole-demo", make)


class DemoSite:
    """The application over a copy of the demo."""

    def __init__(self, demo: Path, place: Path) -> None:
        self._demo, self._place = demo, place
        self.services, self.app = self._open()

    def _open(self) -> tuple[wiring.Services, Flask]:
        shutil.copytree(self._demo, self._place)
        services = wiring.build(settings_for(self._place))
        app = create_app(services)
        app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
        return services, app

    def client(self) -> FlaskClient:
        """Return a client without a session."""
        return self.app.test_client()

    def close(self) -> None:
        """Let go of the database and remove the copy."""
        self.services.database.engine.dispose()
        shutil.rmtree(self._place)


@pytest.fixture(scope="session")
def walks(
    demo_folder: Path, shared_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Walk]:
    """What each role met, by role."""

    def make(place: Path) -> None:
        site = DemoSite(demo_folder, tmp_path_factory.mktemp("walk") / "demo")
        found: dict[str, Walk] = {}
        public: tuple[str, ...] = ()
        for role in ROLES:
            found[role] = walk(site.app, site.client(), role, public, most=1 if not public else 3)
            public = tuple(found[VISITOR].pages)
        site.close()
        place.write_bytes(pickle.dumps(found))

    found: dict[str, Walk] = pickle.loads(_once(shared_folder, "walks", make).read_bytes())
    return found


@pytest.fixture
def demo_site(demo_folder: Path, tmp_path: Path) -> Iterator[Any]:
    """A fresh copy of the demo, for one test to change."""
    site = DemoSite(demo_folder, tmp_path / "demo-copy")
    yield site
    site.close()
