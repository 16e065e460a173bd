"""What every engine keeps of a document, whatever its own form: the analysis and the payload."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from search import occurrences, text
from search.engine import Hit
from search.schema import PLURAL_FACETS, Document

# The names of what is stored besides the document's own fields.
_BORDERS, _LENGTHS, _PLAIN = "_borders", "_lengths", "_plain"


@dataclass(frozen=True)
class Analysis:
    """A document's tokens: words and grams to be scored, unigrams in order for exact phrases.

    ``borders`` are those of ``occurrences.Marked``, ``plain`` is that of ``Hit``.
    """

    words: tuple[str, ...]
    grams: tuple[str, ...]
    unigrams: tuple[str, ...]
    borders: bytes
    plain: bool


def searchable(document: Document) -> list[str]:
    """Return the parts of a document that are searched, in normal form."""
    return [text.norm(part) for part in document.parts]


def analyse(document: Document) -> Analysis:
    """Return the tokens of a document; its parts stand apart, so that no phrase crosses them."""
    parts = searchable(document)
    words = tuple(word for part in parts for word in text.words(part))
    normal = "\n".join(parts)
    unigrams: list[str] = []
    for part in parts:
        if unigrams:
            unigrams.append(text.GAP)
        unigrams.extend(text.unigrams(part))
    return Analysis(
        words=words,
        grams=tuple(gram for part in parts for gram in text.grams(part)),
        unigrams=tuple(unigrams),
        borders=occurrences.borders(normal, words),
        plain=text.narrowed(document.searched).lower() == normal,
    )


def pack(document: Document, analysis: Analysis) -> dict[str, Any]:
    """Return what must be stored, JSON-able, to give the document and its analysis back."""
    packed: dict[str, Any] = {
        _BORDERS: binascii.b2a_base64(analysis.borders, newline=False).decode("ascii"),
        _LENGTHS: [len(analysis.words), len(analysis.grams)],
        _PLAIN: analysis.plain,
    }
    for field in fields(document):
        value = getattr(document, field.name)
        if value not in ("", (), None) and value != {}:
            packed[field.name] = dict(value) if field.name == "shown" else value
    return packed


def unpack(packed: Mapping[str, Any], score: float) -> Hit:
    """Turn what was stored back into a hit with this score."""
    values = dict(packed)
    borders = binascii.a2b_base64(values.pop(_BORDERS))
    words, grams = values.pop(_LENGTHS)
    plain = values.pop(_PLAIN)
    for name in (*PLURAL_FACETS, "keywords"):
        if name in values:
            values[name] = tuple(values[name])
    return Hit(Document.restored(values), score, borders, words, grams, plain)
