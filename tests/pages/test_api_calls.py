"""Generated calls of every operation as every role: no server error, no answer off its schema."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.api_calls import demo_tokens, explore, settings_for
from marketplace import wiring
from marketplace.app import create_app
from seed.demo.sign_ins import sign_ins


def test_no_call_breaks_what_the_document_promises(demo_folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "demo"
    shutil.copytree(demo_folder, place)
    services = wiring.build(settings_for(place))
    app = create_app(services)
    tokens = demo_tokens(services)
    assert len(tokens) == len(sign_ins())
    statuses = explore(app, tokens, per_operation=1)
    services.database.engine.dispose()
    assert {200, 404, 422} <= set(statuses)
