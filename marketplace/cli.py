"""The `marketplace` command: what an operator runs by hand or by a timer."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from datetime import datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TextIO

import click
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from marketplace import wiring, worker
from marketplace.accounts import password_service as accounts_passwords
from marketplace.accounts import queries as accounts_queries
from marketplace.accounts import service as accounts_service
from marketplace.accounts.letters import LetterPost
from marketplace.brokerage import step_queries
from marketplace.foundation import audit, audit_chain, outbox
from marketplace.foundation.clock import LOCAL, SystemClock
from marketplace.foundation.errors import NotFound
from marketplace.foundation.virus_scan import Scanner
from marketplace.migrations import revision
from marketplace.oversight import head_queries
from marketplace.oversight.verify import read_head
from marketplace.payments import ledger_queries
from marketplace.processes import Supervisor, apart, port_is_free, serve_events
from marketplace.settings import Settings
from seed.demo.sign_ins import sign_in_table


@click.group()
def main() -> None:
    """Run and look after the technology market of Jinan."""


def _schema() -> ModuleType:
    # Alembic is a twentieth of every start and needed by one in a hundred.
    return import_module("marketplace.migrations.schema")


def _settings() -> Settings:
    settings = Settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return settings


@main.command()
@click.option("--demo/--no-demo", "with_demo", default=False, help="Load the demo data first.")
def run(with_demo: bool) -> None:
    """Prepare what is missing, then serve: web, worker and events service, until stopped."""
    settings = _settings()
    if not port_is_free(settings):
        raise click.ClickException(
            f"port {settings.port} is taken; stop what listens there or set PORT to another"
        )
    if not apart(partial(_prepare, settings, with_demo=with_demo)):
        raise click.ClickException("the start was broken off, see above")
    services = wiring.build(settings)
    setup_link = _setup_link(services)

    def ready() -> None:
        address = f"http://{settings.host}:{settings.port}"
        click.echo(f"\n济南科技成果转化平台  {address}\n")
        if setup_link:
            click.echo(
                f"No account exists yet. Set up the operator, once:\n  {address}{setup_link}"
            )
        elif services.demo:
            click.echo(sign_in_table())
        click.echo(f"Logs and mails: {settings.data_dir / 'logs'}. Stop with Ctrl-C.")
        sys.stdout.flush()

    services.database.engine.dispose()
    Supervisor(settings).run(ready)


def _prepare(settings: Settings, *, with_demo: bool) -> None:
    services = wiring.build(settings)
    if not revision.is_current(services.database):
        click.echo("Database: migrating …")
        _schema().upgrade(services.database)
    if with_demo and not services.demo:
        with services.database.reading() as session:
            occupied = accounts_queries.any_account(session)
        services.database.engine.dispose()
        if occupied:
            click.echo("Demo data: left out, this database already has accounts of its own.")
        else:
            click.echo("Demo data: loading, this takes about a minute …")
            # Beside the slices it brings all that makes the demo's papers, and is needed once.
            import_module("seed.demo.load").load(settings)
    services = wiring.build(settings)
    wiring.ensure_search_index(services)
    services.database.engine.dispose()


def _setup_link(services: wiring.Services) -> str:
    with services.database.reading() as session:
        if accounts_queries.any_account(session):
            return ""
    with services.database.transaction() as session:
        token = accounts_service.create_setup_link(session, now=services.clock.now())
    return f"/setup/{token}"


@main.command("worker")
def run_worker() -> None:
    """Deliver events and do what falls due, until stopped."""
    worker.run_forever(wiring.build(_settings()))


@main.command("events")
def run_events() -> None:
    """Serve the live streams of bidding rooms at EVENTS_PORT, until stopped."""
    settings = _settings()
    if not settings.events_port:
        raise click.ClickException("set EVENTS_PORT to the port at which it shall listen")
    serve_events(settings)


@main.group()
def db() -> None:
    """Look after the database's schema."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the schema to the newest revision."""
    _schema().upgrade(wiring.build(_settings()).database)
    click.echo("The schema is current.")


@db.command("downgrade")
@click.argument("revision")
def db_downgrade(revision: str) -> None:
    """Take the schema down to REVISION ('base' removes everything)."""
    click.confirm("This removes tables and what is in them. Go on?", abort=True)
    _schema().downgrade(wiring.build(_settings()).database, revision)


@main.group("demo")
def demo_group() -> None:
    """The demo's data."""


@demo_group.command("load")
def demo_load() -> None:
    """Load the demo data into an empty database; a second call changes nothing."""
    settings = _settings()
    _prepare(settings, with_demo=True)
    click.echo(sign_in_table())


@main.group("account")
def account_group() -> None:
    """Accounts, where a page cannot help."""


@account_group.command("reset-link")
@click.argument("email")
def account_reset_link(email: str) -> None:
    """Print a link by which EMAIL sets a new password once, within 30 minutes.

    For a site without mail. The second factor is still asked for.
    """
    services = wiring.build(_settings())
    post: LetterPost = services.resources[LetterPost]
    try:
        with services.database.transaction() as session:
            token = accounts_passwords.make_reset_link(
                session, now=SystemClock().now(), email=email, vault=post.vault
            )
    except NotFound as unknown:
        raise click.ClickException("no account signs in with this address") from unknown
    click.echo(f"{post.site_url}/password/reset/{token}")


@main.group("audit")
def audit_group() -> None:
    """The audit chain."""


@audit_group.command("verify")
@click.option("--head", "kept", help="SEQUENCE:DIGEST as published or mailed, to hold it against.")
def audit_verify(kept: str | None) -> None:
    """Walk the whole chain; exit with 1 and the place where it does not hold.

    Then hold it against every head that was published, and against --head.
    """
    services = wiring.build(_settings())
    with services.database.reading() as session:
        count, broken = audit.verify(session)
        if broken is not None:
            click.echo(f"BROKEN at row {broken.sequence}: {broken.what}; {count} rows hold.")
            sys.exit(1)
        remade = [(head.sequence, head.digest) for head in head_queries.broken_heads(session)]
        if kept is not None and not remade:
            try:
                place, digest = read_head(kept)
            except ValueError as unreadable:
                raise click.BadParameter("must be SEQUENCE:DIGEST") from unreadable
            if audit.digest_at(session, place) != digest:
                remade = [(place, digest)]
    if remade:
        place, digest = remade[0]
        click.echo(f"BROKEN: the chain was made anew; row {place} was published as {digest}.")
        sys.exit(1)
    click.echo(f"{count} rows, the chain holds and meets every published head.")


@audit_group.command("export")
@click.argument("file", type=click.File("w", encoding="utf-8", lazy=True))
@click.option("--first", default=1, help="The first row's place in the chain.")
@click.option("--last", type=int, help="The last row's place; the newest by default.")
def audit_export(file: TextIO, first: int, last: int | None) -> None:
    """Write rows into FILE ('-' for the screen), one JSON object a line, in chain order."""
    services = wiring.build(_settings())
    count = 0
    with services.database.reading() as session:
        for link in audit.links(session, first=first, last=last):
            assert link.entry is not None
            text = audit_chain.entry_as_text(link.entry, previous=link.previous, digest=link.digest)
            file.write(f"{text}\n")
            count += 1
    click.echo(f"{count} rows.", err=True)


@main.command()
def doctor() -> None:
    """Check what the platform needs and say what to do about what is missing."""
    settings = _settings()
    services = wiring.build(settings)
    problems = []
    try:
        current = revision.is_current(services.database)
    except OperationalError as unreachable:
        problems.append(f"database: cannot be reached ({unreachable.orig}); check DATABASE_URL")
        current = True
    if not current:
        problems.append("database: schema is not current; run `marketplace db upgrade`")
    if not problems:
        with services.database.reading() as session:
            waiting = outbox.waiting_count(session)
            given_up = outbox.parked(session)
        if waiting > 1_000:
            problems.append(f"outbox: {waiting} deliveries wait; is `marketplace worker` running?")
        problems.extend(
            f"outbox: delivery {entry.delivery_id} of {entry.event} to {entry.subscriber} "
            f"was given up: {entry.last_error}"
            for entry in given_up
        )
        with services.database.reading() as session:
            problems.extend(ledger_queries.ledger_problems(session))
            problems.extend(step_queries.step_problems(session))
        problems.extend(wiring.search_problems(services))
    if not os.access(settings.data_dir, os.W_OK):
        problems.append(f"data folder: {settings.data_dir} is not writable")
    scanner = services.resources[Scanner]
    if scanner.problem():
        problems.append(
            f"clamd: {scanner.problem()}; uploads are refused until CLAMD_ADDRESS answers"
        )
    if not scanner.asks:
        click.echo("clamd: CLAMD_ADDRESS is not set; uploads are not scanned (no failure)")
    if settings.production and settings.seal_pkcs12 is None:
        problems.append("seal: SEAL_PKCS12 is not set; certificates are issued without their seal")
    for problem in problems:
        click.echo(problem)
    if problems:
        sys.exit(1)
    click.echo("All well.")


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def backup(folder: Path) -> None:
    """Write a consistent copy of database and attachments into FOLDER, named by the time."""
    settings = _settings()
    stamp = SystemClock().now().astimezone(LOCAL)
    target = folder / _stamp(stamp)
    target.mkdir(parents=True)
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite":
        with (
            sqlite3.connect(str(url.database)) as source,
            sqlite3.connect(target / "market.db") as copy,
        ):
            source.backup(copy)
    else:
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        subprocess.run(  # noqa: S603 -- our own arguments, no shell
            ["pg_dump", "--format=custom", f"--file={target / 'market.dump'}", plain],  # noqa: S607 -- found on the operator's PATH
            check=True,
        )
    attachments = settings.data_dir / "attachments"
    if attachments.exists():
        _copy_folder(attachments, target / "attachments")
    click.echo(f"Written to {target}. The search index is not part of it: it is rebuilt.")


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%d-%H%M%S")


def _copy_folder(source: Path, target: Path) -> None:
    target.mkdir()
    for entry in source.iterdir():
        (target / entry.name).write_bytes(entry.read_bytes())


for group in wiring.COMMANDS:
    main.add_command(group)


if __name__ == "__main__":
    main()
