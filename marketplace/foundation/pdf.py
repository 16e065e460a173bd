"""Documents as PDF: tagged for readers (PDF/UA-1), Chinese fonts embedded, nothing fetched.

Templates lie under ``marketplace/templates/pdf`` and in the slices; they are the house's own.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from importlib import import_module
from typing import Any

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


def qr_code(address: str, *, title: str) -> Markup:
    """Draw one of the platform's own addresses as a QR code (ISO/IEC 18004) in SVG."""
    picture = io.BytesIO()
    segno.make(address, error="m").save(
        picture, kind="svg", xmldecl=False, svgns=False, border=2, omitsize=True, title=title
    )
    # segno writes it from our own address: nothing that anybody typed is in it.
    return Markup(picture.getvalue().decode())  # noqa: S704


def picture(content: bytes, content_type: str) -> str:
    """Write a picture as the address that holds it (RFC 2397), for an ``img`` of a template."""
    return f"data:{content_type};base64,{base64.b64encode(content).decode()}"


def render(template: str, values: Mapping[str, Any]) -> bytes:
    """Render a template to a PDF/UA-1 file; pictures stand in the template itself."""
    return _written(template, values, pdf_variant="pdf/ua-1")


def render_overlay(template: str, values: Mapping[str, Any]) -> bytes:
    """Render a template to be laid over other pages: it carries no tags, which are theirs."""
    return _written(template, values)


def _written(template: str, values: Mapping[str, Any], **options: Any) -> bytes:
    html = _TEMPLATES.get_template(template).render(**values)
    # Loaded with the first document: it would slow every start.
    weasyprint = import_module("weasyprint")
    # A document is made of what it is given: no file of this machine and no address gets into it.
    fetcher = weasyprint.URLFetcher(allowed_protocols=("data",))
    return bytes(weasyprint.HTML(string=html, url_fetcher=fetcher).write_pdf(**options))
