"""The `marketplace` script: the same commands as always, and light where files are enough."""

from __future__ import annotations

import subprocess
import sys

import click

from marketplace import cli, entry
from marketplace.subsidies import commands, year_commands

HEAVY = ("flask", "sqlalchemy", "alembic", "tantivy", "marketplace.wiring", "marketplace.cli")


def test_the_script_offers_every_command() -> None:
    context = click.Context(entry.main)
    listed = entry.main.list_commands(context)
    assert listed == sorted([*cli.main.list_commands(context), "subsidies"])
    for name in cli.main.list_commands(context):
        assert entry.main.get_command(context, name) is cli.main.get_command(context, name)
    assert entry.main.get_command(context, "nothing") is None


def test_a_group_that_needs_no_platform_offers_its_commands() -> None:
    context = click.Context(entry.main)
    group = entry.main.get_command(context, "subsidies")
    assert isinstance(group, click.Group)
    assert group.list_commands(context) == ["recompute", "simulate"]
    assert group.get_command(context, "simulate") is commands.simulate
    assert group.get_command(context, "recompute") is year_commands.recompute
    assert group.get_command(context, "nothing") is None


def test_a_simulation_starts_without_the_platform() -> None:
    program = (
        "import sys; from marketplace.entry import main;"
        "main(['subsidies', 'simulate', '--help'], standalone_mode=False);"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    assert "--contracts" in done.stdout
    assert done.stdout.rstrip().endswith("[]")


def test_a_year_is_recomputed_without_the_web_application() -> None:
    program = (
        "import sys; from marketplace.entry import main;"
        "main(['subsidies', 'recompute', '--help'], standalone_mode=False);"
        "print([n for n in ('flask', 'tantivy', 'marketplace.wiring') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    assert "--known-on" in done.stdout
    assert done.stdout.rstrip().endswith("[]")


def test_only_the_client_of_the_engine_in_use_is_loaded() -> None:
    program = (
        "import sys, marketplace.cli; from search.address import open_engine;"
        "open_engine('embedded:x');"
        "print([n for n in ('elasticsearch', 'meilisearch_python_sdk') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.rstrip().endswith("[]")


def test_a_start_loads_nothing_that_only_some_commands_need() -> None:
    program = (
        "import sys, marketplace.cli;"
        "print([n for n in ('alembic', 'duckdb', 'cn2an') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.rstrip().endswith("[]")
