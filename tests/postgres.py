"""A PostgreSQL cluster for the tests, started once per run as its own user."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from sqlalchemy import Engine, MetaData, text


def find_binaries() -> Path:
    """Return the folder of the newest installed server; raise with the package's name if none."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=_version)
    if versions:
        return versions[-1].parent
    found = shutil.which("pg_ctl")
    if found:
        return Path(found).parent
    raise RuntimeError("PostgreSQL is missing: install Debian's package 'postgresql'")


def _version(path: Path) -> int:
    return int(path.parent.parent.name.split(".")[0])


class Cluster:
    """A throw-away cluster that listens on a Unix socket only."""

    def __init__(self) -> None:
        self._binaries = find_binaries()
        self._folder = Path(tempfile.mkdtemp(prefix="market-pg-"))
        self._as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as_user:
            shutil.chown(self._folder, "postgres")
        self._run("initdb", "-D", str(self._folder / "data"), "-A", "trust", "-U", "postgres",
                  "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")  # fmt: skip
        options = (
            f"-c listen_addresses='' -c unix_socket_directories={self._folder} "
            "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300"
        )
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-o", options, "-w", "-l",
                  str(self._folder / "log"), "start")  # fmt: skip

    def url(self, database: str = "postgres") -> str:
        """Return the address of one of the cluster's databases."""
        return f"postgresql+psycopg://postgres@/{database}?host={self._folder}"

    def create(self, database: str) -> str:
        """Create an empty database and return its address."""
        self._run("createdb", "-h", str(self._folder), "-U", "postgres", database)
        return self.url(database)

    def stop(self) -> None:
        """Stop the cluster and remove it."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_user, str(self._binaries / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stderr or done.stdout}")


def empty(engine: Engine, schema: MetaData) -> None:
    """Take out all rows and begin all numbers anew.

    ``TRUNCATE`` makes new files for every table and index, which takes a hundred times as long as
    deleting the few rows of a test.
    """
    names = [table.name for table in schema.sorted_tables]
    filled = " UNION ALL ".join(
        f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in names
    )
    used = "SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL"
    with engine.begin() as connection:
        # All goes at once: what refers to what need not be asked.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for name in connection.scalars(text(filled)).all():
            connection.execute(text(f'DELETE FROM "{name}"'))
        for name in connection.scalars(text(used)).all():
            connection.execute(text(f'ALTER SEQUENCE "{name}" RESTART'))
