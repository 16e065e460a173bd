"""Every kind of PDF that the product makes conforms to PDF/UA-1, as veraPDF reads it."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import DictLoader, Environment
from PIL import Image
from pypdf import PdfReader

from marketplace.foundation import pdf
from seed.demo.paper import write_paper
from tests.beside import Missing, leave_out
from tests.verapdf import documents, validator

ROOT = Path(__file__).parents[2]
UNTAGGED = "a file without tags"
KINDS = (*documents.KINDS, "a tagged file of a data room", "a picture of a data room")


@pytest.fixture(scope="module")
def findings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[str]]:
    """What veraPDF finds in the files of each kind."""
    try:
        program = validator.program()
    except Missing as missing:
        leave_out("verapdf", str(missing))
    folder = tmp_path_factory.mktemp("documents")
    demo_folder: Path = request.getfixturevalue("demo_folder")
    made = list(documents.download(demo_folder, folder / "demo"))
    report = next(content for kind, content in made if kind == "assessments.report_pdf")
    made += [
        ("a tagged file of a data room", documents.marked_file(report)),
        ("a picture of a data room", documents.marked_picture()),
        (UNTAGGED, write_paper("检测报告", ["脱硝率 92 %"])),
    ]
    kinds: dict[Path, str] = {}
    for number, (kind, content) in enumerate(made):
        file = folder / f"{number}.pdf"
        file.write_bytes(content)
        kinds[file] = kind
    found = validator.findings(program, list(kinds))
    assert found.keys() == kinds.keys()
    return {
        kind: [line for file, lines in found.items() if kinds[file] == kind for line in lines]
        for kind in (*KINDS, UNTAGGED)
    }


@pytest.mark.server
@pytest.mark.parametrize("kind", KINDS)
def test_a_document_conforms(findings: dict[str, list[str]], kind: str) -> None:
    assert not findings[kind], "\n".join(findings[kind])


@pytest.mark.server
def test_what_does_not_conform_is_found(findings: dict[str, list[str]]) -> None:
    assert any(line.startswith("7.1-11,") for line in findings[UNTAGGED])


def test_every_page_that_sends_a_document_is_tried(app: Flask) -> None:
    sending = {rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.endswith(".pdf")}
    assert sending == documents.KINDS.keys()


@pytest.mark.parametrize("address", ["file://{file}", "http://127.0.0.1:1/dot.png"])
def test_a_document_fetches_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str
) -> None:
    file = tmp_path / "dot.png"
    Image.new("RGB", (1, 1)).save(file)
    templates = {"page.html": f'<img alt="点" src="{address.format(file=file)}">'}
    monkeypatch.setattr(pdf, "_TEMPLATES", Environment(loader=DictLoader(templates)))
    (page,) = PdfReader(io.BytesIO(pdf.render("page.html", {}))).pages
    assert not page.images


def test_a_row_is_announced_under_one_header() -> None:
    # Tags carry all headers of a row to each of its cells: of two, one would be of another cell.
    for template in ROOT.glob("marketplace/*/templates/*/*_pdf.html"):
        for row in re.findall(r"<tr>.*?</tr>", template.read_text(), re.DOTALL):
            assert row.count('scope="row"') <= 1, f"{template.name}: {row}"
