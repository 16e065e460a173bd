"""Three-party contracts as Word files, from the house's own templates under ``papers``.

Loaded with the first draft only. A template is trusted, what fills it is not: it is written as
text, and no template comes from anybody else (OWASP ASVS 1.3.7).
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from importlib.resources import files

from docxtpl import DocxTemplate
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from marketplace.brokerage.paper_rules import PaperType


def draft(paper: PaperType, values: Mapping[str, object]) -> bytes:
    """Fill the template of a type with the values and return the Word file."""
    packaged = files("marketplace.brokerage").joinpath("papers", f"{paper.value}.docx")
    template = DocxTemplate(io.BytesIO(packaged.read_bytes()))
    places = SandboxedEnvironment(undefined=StrictUndefined, autoescape=True)
    template.render(dict(values), jinja_env=places, autoescape=True)
    out = io.BytesIO()
    template.save(out)
    return out.getvalue()
