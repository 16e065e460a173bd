"""One of each kind of PDF that the product makes, as the demo's people download it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PIL import Image
from sqlalchemy import text

from marketplace import wiring
from marketplace.app import create_app
from marketplace.brokerage import watermark
from marketplace.foundation.attachments import AttachmentView, FileVisibility
from marketplace.foundation.clock import LOCAL
from tests import demo
from tests.walking import EMAILS, sign_in


@dataclass(frozen=True)
class Kind:
    """A page that sends a PDF: who fetches it, and rows of the arguments of its address."""

    role: str
    rows: str


# By endpoint. Several of a kind where they hold different parts.
KINDS = {
    # All on file are a panel's, over several pages and with a chart.
    "assessments.report_pdf": Kind(
        "operator",
        "SELECT id AS assessment_id FROM assessments_assessments"
        " WHERE report_number IS NOT NULL ORDER BY id DESC LIMIT 2",
    ),
    # One with a record of changes.
    "contracts.certificate": Kind(
        "operator",
        "SELECT max(id) AS contract_id FROM contracts_contracts WHERE status = 'registered'"
        " UNION SELECT min(contract_id) FROM contracts_changes",
    ),
    "listings.certificate_pdf": Kind(
        "visitor", "SELECT number FROM listings_certificates ORDER BY id LIMIT 1"
    ),
    "reviews.report": Kind(
        "operator", "SELECT min(id) AS review_id FROM reviews_reviews GROUP BY state"
    ),
    "training.certificate": Kind(
        "broker",
        "SELECT number FROM training_certificates AS made"
        " JOIN accounts_users AS person ON person.id = made.user_id WHERE email = :email",
    ),
}

_WORDS = "高远 锐泉精密 2024-03-15 09:00"


def download(loaded: Path, place: Path) -> Iterator[tuple[str, bytes]]:
    """Download from a copy of the demo, with the name of the endpoint, what each kind holds."""
    demo.copy(loaded, place)
    services = wiring.build(demo.settings_for(place))
    app = create_app(services)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    client = app.test_client()
    for endpoint, kind in KINDS.items():
        sign_in(client, kind.role)
        with services.database.reading() as session:
            rows = (
                session.execute(text(kind.rows), {"email": EMAILS.get(kind.role)}).mappings().all()
            )
        assert rows, f"the demo holds nothing for {endpoint}"
        for row in rows:
            with app.test_request_context():
                address = app.url_for(endpoint, **row)
            answer = client.get(address)
            assert answer.mimetype == "application/pdf", f"{address}: {answer.status_code}"
            yield endpoint, answer.data
    services.database.engine.dispose()


def marked_file(content: bytes) -> bytes:
    """Return a PDF as a reader gets it from a data room, with his name over its pages."""
    return _marked("评估报告.pdf", "application/pdf", content)


def marked_picture() -> bytes:
    """Return a picture as a reader gets it from a data room."""
    picture = io.BytesIO()
    Image.new("RGB", (400, 300), "white").save(picture, "PNG")
    return _marked("接线图.png", "image/png", picture.getvalue())


def _marked(name: str, content_type: str, content: bytes) -> bytes:
    view = AttachmentView(
        1, "room:1", name, content_type, len(content), "", FileVisibility.AGREEMENT,
        datetime(2024, 3, 15, 9, tzinfo=LOCAL),
    )  # fmt: skip
    return watermark.mark(view, content, words=_WORDS)[1]
