"""`marketplace import`: bring in files of achievements and needs from the command line."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from pathlib import Path

import click

from marketplace.accounts import queries as accounts
from marketplace.exchange import queries, service
from marketplace.exchange.rules import ImportKind, ImportState
from marketplace.foundation import web
from marketplace.foundation.access import SYSTEM
from marketplace.foundation.attachments import AttachmentStore, Upload
from marketplace.foundation.clock import Clock, DemoClock, SystemClock, demo_started
from marketplace.foundation.db import Database
from marketplace.foundation.errors import DomainError
from marketplace.settings import Settings

_WAIT_FOR_INDEX = timedelta(seconds=60)


@click.group(name="import", help="导入成果或需求：Excel（.xlsx）或 CSV。")
def group() -> None:
    """Hold the commands that import."""


def _options(command: click.decorators.FC) -> click.decorators.FC:
    for decorate in (
        click.option(
            "--result",
            "result_path",
            type=click.Path(path_type=Path, dir_okay=False),
            help="结果文件（.xlsx），缺省放在当前目录，名为 <文件名>-导入结果.xlsx。",
        ),
        click.option("--organisation", "uscc", required=True, help="单位的统一社会信用代码。"),
        click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False)),
    ):
        command = decorate(command)
    return command


@group.command("achievements", help="导入成果，为一个已核验单位发布已知内容。")
@_options
def import_achievements(file: Path, uscc: str, result_path: Path | None) -> None:
    """Import a file of achievements."""
    _run(ImportKind.ACHIEVEMENTS, file, uscc, result_path)


@group.command("needs", help="导入需求，为一个已核验单位公开征集。")
@_options
def import_needs(file: Path, uscc: str, result_path: Path | None) -> None:
    """Import a file of needs."""
    _run(ImportKind.NEEDS, file, uscc, result_path)


def _run(kind: ImportKind, file: Path, uscc: str, result_path: Path | None) -> None:
    settings = Settings()
    database = Database(settings.database)
    store = AttachmentStore(settings.data_dir / "attachments")
    clock: Clock = DemoClock(database) if demo_started(database) else SystemClock()
    started = time.monotonic()
    try:
        import_id = _upload(database, store, clock, kind, file, uscc)
    except DomainError as refusal:
        raise click.ClickException(refusal.message) from refusal
    _work(database, store, clock, import_id)
    with database.reading() as session:
        view = queries.get_internal(session, import_id)
        if view.state not in (ImportState.INDEXING, ImportState.DONE):
            raise click.ClickException(f"没有导入：{view.error or view.state.label}")
        target = result_path or Path(f"{file.stem}-导入结果.xlsx")
        target.write_bytes(
            web.build_table(
                (*queries.RESULT_HEADER, *view.header),
                queries.result_rows(session, view, store=store),
                widths=queries.RESULT_WIDTHS,
            )
        )
    click.echo(
        f"{view.row_count} 行：登记 {view.imported_count}，登记但需要补充 {view.incomplete_count}，"
        f"已存在 {view.existing_count}，没有登记 {view.refused_count}；"
        f"用时 {time.monotonic() - started:.1f} 秒"
    )
    click.echo(f"每一行的去向与原因：{target}")
    if _searchable(database, import_id):
        click.echo("已编入检索。")
    else:
        click.echo("还没有编入检索：请确认 `marketplace worker` 在运行，它会接着办完。", err=True)
    database.engine.dispose()


def _upload(
    database: Database,
    store: AttachmentStore,
    clock: Clock,
    kind: ImportKind,
    file: Path,
    uscc: str,
) -> int:
    with database.transaction() as session:
        organisation = accounts.find_organisation_by_uscc(session, uscc)
        if organisation is None:
            raise click.ClickException(f"平台上没有代码为 {uscc} 的单位，请核对或先登记入驻")
        import_id = service.upload(
            session,
            actor=SYSTEM,
            now=clock.now(),
            kind=kind,
            organisation_id=organisation.id,
            file=Upload(file.name, file.read_bytes()),
            store=store,
        )
        service.start(session, actor=SYSTEM, now=clock.now(), import_id=import_id)
    return import_id


def _work(database: Database, store: AttachmentStore, clock: Clock, import_id: int) -> None:
    """Work the import off here; a running worker may take steps of it, which is as good."""
    with database.reading() as session:
        total = queries.get_internal(session, import_id).row_count
    with click.progressbar(length=total, label="检查", file=sys.stderr) as bar:
        while True:
            with database.transaction() as session:
                done = service.work_on(session, now=clock.now(), store=store, import_id=import_id)
            with database.reading() as session:
                view = queries.get_internal(session, import_id)
            bar.update(view.checked_count - bar.pos)
            if not view.unwritten:
                return
            if done == 0:
                time.sleep(0.1)


def _searchable(database: Database, import_id: int) -> bool:
    """Wait until the worker has carried the records into the index; False when nobody does."""
    deadline = time.monotonic() + _WAIT_FOR_INDEX.total_seconds()
    while time.monotonic() < deadline:
        with database.reading() as session:
            if not queries.get_internal(session, import_id).running:
                return True
        time.sleep(0.1)
    return False
