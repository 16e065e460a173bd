"""Time the import of three files given by path: patents, results and needs.

    python -m benchmarks.import_real_files PATENTS.xlsx RESULTS.csv NEEDS.csv [--database URL]

Without a database a fresh SQLite file is used. The steps are those of the command line and of the
worker: upload, check, write, then deliver until everything stands in the search index.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from marketplace import wiring, worker
from marketplace.accounts import service as accounts
from marketplace.accounts.rules import District, OrganisationKind, Scale
from marketplace.accounts.service import OrganisationContent
from marketplace.exchange import queries, service
from marketplace.exchange.rules import ImportKind
from marketplace.foundation.access import SYSTEM
from marketplace.foundation.attachments import AttachmentStore, Upload
from marketplace.foundation.db import Database
from marketplace.migrations import schema
from marketplace.settings import Settings

# Valid codes of organisations that do not exist.
UNIVERSITY, ENTERPRISE = "12370112YY7811691B", "91370100MA3C000X8L"


def main() -> None:
    """Import the three files and print what came in and how long each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("patents", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("needs", type=Path)
    parser.add_argument("--database", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(given, Path(folder))


def run(given: argparse.Namespace, folder: Path) -> None:
    """Import into a database in a folder of its own."""
    url = given.database or f"sqlite:///{folder / 'benchmark.db'}"
    settings = Settings(data_dir=folder, database_url=url)
    database = Database(url)
    schema.upgrade(database)
    services = wiring.build(settings, database=database)
    wiring.ensure_search_index(services)
    worker.run_until_quiet(services)
    university, enterprise = _organisations(services)
    worker.run_until_quiet(services)
    whole = time.monotonic()
    for kind, owner, path in (
        (ImportKind.ACHIEVEMENTS, university, given.patents),
        (ImportKind.ACHIEVEMENTS, university, given.results),
        (ImportKind.NEEDS, enterprise, given.needs),
    ):
        for attempt in ("first", "again"):
            began = time.monotonic()
            view = import_one(services, kind, owner, path)
            imported = time.monotonic() - began
            worker.run_until_quiet(services)
            print(
                f"{path.name:14} {attempt:6} {imported:6.2f} s, in the index "
                f"{time.monotonic() - began - imported:5.2f} s later: {view.row_count} rows, "
                f"{view.imported_count} + {view.incomplete_count} in, "
                f"{view.existing_count} there already, {view.refused_count} refused"
            )
    print(f"all in {time.monotonic() - whole:.1f} s")


def _organisations(services: wiring.Services) -> tuple[int, int]:
    made = []
    now = services.clock.now()
    for uscc, kind, scale in (
        (UNIVERSITY, OrganisationKind.UNIVERSITY, None),
        (ENTERPRISE, OrganisationKind.ENTERPRISE, Scale.SMALL),
    ):
        content = OrganisationContent(
            uscc=uscc,
            name=f"测试{kind.label}",
            short_name=kind.label,
            kind=kind,
            district=District.LICHENG,
            scale=scale,
        )
        with services.database.transaction() as session:
            made.append(accounts.establish(session, actor=SYSTEM, now=now, organisation=content))
    return made[0], made[1]


def import_one(
    services: wiring.Services, kind: ImportKind, organisation_id: int, path: Path
) -> queries.ImportView:
    """Import one file to its end and return what became of it."""
    store: AttachmentStore = services.resources[AttachmentStore]
    now = services.clock.now()
    with services.database.transaction() as session:
        import_id = service.upload(
            session,
            actor=SYSTEM,
            now=now,
            kind=kind,
            organisation_id=organisation_id,
            file=Upload(path.name, path.read_bytes()),
            store=store,
        )
        service.start(session, actor=SYSTEM, now=now, import_id=import_id)
    while True:
        with services.database.transaction() as session:
            service.work_on(session, now=services.clock.now(), store=store, import_id=import_id)
        with services.database.reading() as session:
            view = queries.get_internal(session, import_id)
        if not view.unwritten:
            return view


if __name__ == "__main__":
    main()
