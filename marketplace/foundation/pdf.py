"""Documents as PDF: tagged for readers (PDF/UA-1), Chinese fonts embedded, nothing fetched.

Templates lie under ``marketplace/templates/pdf`` and in the slices; they are the house's own.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NoReturn

import segno
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from marketplace.foundation.capitals import capital_yuan
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.money import format_yuan

_SLICES = ("assessments", "brokerage", "contracts", "listings", "reviews", "training")


def _environment() -> Environment:
    loaders = [PackageLoader("marketplace", "templates")]
    loaders += [PackageLoader(f"marketplace.{name}", "templates") for name in _SLICES]
    made = Environment(
        loader=ChoiceLoader(loaders), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    made.filters["yuan"] = format_yuan
    made.filters["capital"] = capital_yuan
    made.filters["day"] = lambda value: value.isoformat() if value else "—"
    made.filters["moment"] = lambda value: f"{value.astimezone(LOCAL):%Y-%m-%d %H:%M}"
    return made


_TEMPLATES = _environment()


def _refuse(url: str, *_rest: Any, **_more: Any) -> NoReturn:
    # A document is made of what it is given: no file of this machine and no address gets into it.
    raise ValueError(f"a document may not fetch {url[:80]}")


def qr_code(address: str, *, title: str) -> Markup:
    """Draw one of the platform's own addresses as a QR code (ISO/IEC 18004) in SVG."""
    picture = io.BytesIO()
    segno.make(address, error="m").save(
        picture, kind="svg", xmldecl=False, svgns=False, border=2, omitsize=True, title=title
    )
    # segno writes it from our own address: nothing that anybody typed is in it.
    return Markup(picture.getvalue().decode())  # noqa: S704


def render(template: str, values: Mapping[str, Any]) -> bytes:
    """Render a template to a PDF/UA-1 file; images stand in the template as inline SVG."""
    html = _TEMPLATES.get_template(template).render(**values)
    # Loaded with the first document: it would slow every start.
    made = (
        import_module("weasyprint")
        .HTML(string=html, url_fetcher=_refuse)
        .write_pdf(pdf_variant="pdf/ua-1")
    )
    return bytes(made)
