"""`marketplace search`: rebuild, check, status and rollback of the search index."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime

import click

from marketplace.discovery import queries
from marketplace.discovery.indexing import SearchIndex
from marketplace.foundation.db import Database
from search.errors import SearchError

Opened = tuple[SearchIndex, Database, datetime]


def make_group(open_index: Callable[[], Opened]) -> click.Group:
    """Make the command group; ``open_index`` wires the services when a command runs."""

    @click.group(name="search")
    def group() -> None:
        """Look after the search index."""

    @group.command("rebuild")
    def rebuild() -> None:
        """Build the index anew beside the one in use, and swap."""
        index, _, now = open_index()
        try:
            report = index.rebuild(now=now)
        except SearchError as failed:
            raise click.ClickException(f"not rebuilt, the index in use stays: {failed}") from failed
        click.echo(
            f"{report.documents} documents in {report.generation}, "
            f"{report.replayed} changes replayed; before: {report.before or 'none'}."
        )

    @group.command("rollback")
    def rollback() -> None:
        """Go back to the generation before the one in use, and catch up from there."""
        index, _, _ = open_index()
        try:
            name = index.roll_back()
        except SearchError as failed:
            raise click.ClickException(f"not rolled back: {failed}") from failed
        click.echo(f"{name} is in use again. `marketplace search check` says what it lacks.")

    @group.command("check")
    def check() -> None:
        """Compare the index with the database; exit with 1 where they differ."""
        index, _, _ = open_index()
        try:
            difference = index.check()
        except SearchError as failed:
            raise click.ClickException(str(failed)) from failed
        if difference.none:
            click.echo("Index and database agree.")
            return
        for what, names in (
            ("missing", difference.missing),
            ("surplus", difference.surplus),
            ("differing", difference.differing),
            ("not found by its title", difference.unfindable),
        ):
            for name in names:
                click.echo(f"{what}: {name}")
        sys.exit(1)

    @group.command("status")
    def status() -> None:
        """Show the engine, the generation in use and what waits."""
        index, database, _ = open_index()
        health = index.engine.health()
        with database.reading() as session:
            waiting = queries.waiting_changes(session)
        click.echo(f"engine      {index.engine.name}, {'ok' if health.ok else health.reason}")
        click.echo(f"generation  {health.generation or 'none'}")
        click.echo(f"kept        {', '.join(_kept(index)) or 'none'}")
        click.echo(f"documents   {health.documents}")
        click.echo(
            f"waiting     {waiting.count}" + (f" since {waiting.since}" * bool(waiting.since))
        )

    return group


def _kept(index: SearchIndex) -> list[str]:
    """List the generations that a roll-back can reach; none while the engine is away."""
    try:
        return index.engine.generations()
    except SearchError:
        return []
