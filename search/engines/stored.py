"""What every engine keeps of a document, whatever its own form: the analysis and the payload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from search import text
from search.schema import PLURAL_FACETS, Document


@dataclass(frozen=True)
class Analysis:
    """A document's tokens: words and grams to be scored, unigrams in order for exact phrases."""

    words: tuple[str, ...]
    grams: tuple[str, ...]
    unigrams: tuple[str, ...]


def searchable(document: Document) -> list[str]:
    """Return the parts of a document that are searched, in normal form."""
    parts = (document.title, " ".join(document.keywords), document.body)
    return [text.norm(part) for part in parts if part]


def analyse(document: Document) -> Analysis:
    """Return the tokens of a document; its parts stand apart, so that no phrase crosses them."""
    parts = searchable(document)
    unigrams: list[str] = []
    for part in parts:
        if unigrams:
            unigrams.append(text.GAP)
        unigrams.extend(text.unigrams(part))
    return Analysis(
        words=tuple(word for part in parts for word in text.words(part)),
        grams=tuple(gram for part in parts for gram in text.grams(part)),
        unigrams=tuple(unigrams),
    )


def pack(document: Document, analysis: Analysis) -> dict[str, Any]:
    """Return what must be stored, JSON-able, to give the document and its analysis back."""
    packed: dict[str, Any] = {"_words": " ".join(analysis.words), "_grams": len(analysis.grams)}
    for field in fields(document):
        value = getattr(document, field.name)
        if value not in ("", (), None) and value != {}:
            packed[field.name] = dict(value) if field.name == "shown" else value
    return packed


def unpack(packed: Mapping[str, Any]) -> tuple[Document, tuple[str, ...], int]:
    """Turn what was stored back into the document, its words and the number of its grams."""
    values = {name: value for name, value in packed.items() if not name.startswith("_")}
    for name in (*PLURAL_FACETS, "keywords"):
        if name in values:
            values[name] = tuple(values[name])
    return Document(**values), tuple(packed["_words"].split(" ")), packed["_grams"]
