"""`marketplace import` from the command line, with and without a worker."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from python_calamine import CalamineWorkbook

from marketplace import wiring, worker
from marketplace.accounts import service as accounts
from marketplace.accounts.rules import District, OrganisationKind
from marketplace.accounts.service import OrganisationContent
from marketplace.cli import main
from marketplace.exchange import commands
from marketplace.foundation.access import SYSTEM
from marketplace.foundation.clock import SystemClock
from marketplace.settings import Settings
from tests.import_files import NEED_LINE, needs_csv, patent_row, workbook
from tests.world import make_uscc

USCC = make_uscc(1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a schema and one verified university."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("SEARCH_URL", raising=False)
    assert _call("db", "upgrade").exit_code == 0
    services = wiring.build(Settings())
    content = OrganisationContent(
        uscc=USCC,
        name="泉城理工大学",
        short_name="泉城理工",
        kind=OrganisationKind.UNIVERSITY,
        district=District.LICHENG,
    )
    with services.database.transaction() as session:
        accounts.establish(session, actor=SYSTEM, now=SystemClock().now(), organisation=content)
    worker.run_until_quiet(services)
    return tmp_path


def _call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def _write(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def test_a_file_is_imported_told_row_by_row_and_searchable(folder: Path) -> None:
    file = _write(
        folder / "专利.xlsx", workbook([patent_row(1), patent_row(2, 专利名称="")]).content
    )
    result_file = folder / "结果.xlsx"
    services = wiring.build(Settings())
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            worker.run_once(services)
            stop.wait(0.05)

    running = threading.Thread(target=work)
    running.start()
    try:
        done = _call(
            "import", "achievements", file, "--organisation", USCC, "--result", str(result_file)
        )
    finally:
        stop.set()
        running.join()
    assert done.exit_code == 0, done.output
    assert "2 行：登记 0，登记但需要补充 1，已存在 0，没有登记 1" in done.output
    assert "已编入检索" in done.output
    rows = CalamineWorkbook.from_path(result_file).get_sheet_by_index(0).to_python()
    assert [row[1] for row in rows] == ["结果", "已登记，需要补充", "没有登记"]


def test_without_a_worker_the_records_are_in_and_the_index_follows(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "_WAIT_FOR_INDEX", timedelta())
    monkeypatch.chdir(folder)
    file = _write(folder / "需求.csv", needs_csv([NEED_LINE.format(1)]).content)
    first = _call("import", "needs", file, "--organisation", USCC)
    assert first.exit_code == 0, first.output
    assert "marketplace worker" in first.output
    assert (folder / "需求-导入结果.xlsx").exists()
    again = _call("import", "needs", file, "--organisation", USCC)
    assert "登记但需要补充 0，已存在 1" in again.output


def test_what_is_wrong_is_said_and_nothing_kept(folder: Path) -> None:
    unknown = _call(
        "import",
        "achievements",
        _write(folder / "a.xlsx", workbook([patent_row(1)]).content),
        "--organisation",
        make_uscc(9),
    )
    assert unknown.exit_code == 1
    assert "没有代码为" in unknown.output
    merged = _write(
        folder / "b.xlsx", workbook([patent_row(1), patent_row(2)], merged="F2:F3").content
    )
    refused = _call("import", "achievements", merged, "--organisation", USCC)
    assert refused.exit_code == 1
    assert "合并单元格" in refused.output
