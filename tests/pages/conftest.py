"""The demo, loaded once for all workers of the run, with what each role can open and send there."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from marketplace import wiring
from marketplace.app import create_app
from tests import demo
from tests.conftest import once
from tests.walking import ROLES, VISITOR, Walk, walk


class DemoSite:
    """The application over a copy of the demo."""

    def __init__(self, loaded: Path, place: Path) -> None:
        self._place = place
        demo.copy(loaded, place)
        self.services, self.app = self._open()

    def _open(self) -> tuple[wiring.Services, Flask]:
        services = wiring.build(demo.settings_for(self._place))
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

    found: dict[str, Walk] = pickle.loads(once(shared_folder, "walks", make).read_bytes())
    return found


@pytest.fixture
def demo_site(demo_folder: Path, tmp_path: Path) -> Iterator[Any]:
    """A fresh copy of the demo, for one test to change."""
    site = DemoSite(demo_folder, tmp_path / "demo-copy")
    yield site
    site.close()
