"""Documents as tantivy stores them: the schema, and the way in and out."""

from __future__ import annotations

from typing import Any

import orjson
import tantivy

from search import suggest
from search.engine import Hit
from search.engines.stored import analyse, pack, unpack
from search.schema import FACETS, NUMBERS, Document

FORMAT = "t5"

# Facets of which a document has several values, out of few: their counts come from a column that
# holds all values of a document as one, since a column with several is read four times as slowly.
AS_ONE = ("field", "industry", "ip_kind", "mode")
_BESIDE = "\n"

# Where "no price" is sorted: behind every price.
_LAST = 2**62

# tantivy multiplies a score by log2(2 + weight), and never by less than 1. ``_weight`` makes
# this a rank times the scale, for every rank from 1/16 on.
RANK_SCALE = 16.0
_HIGHEST_RANK = 60.0


def as_one(name: str) -> str:
    """Return the column that holds all values of a facet as one."""
    return f"{name}_together"


def apart(value: str) -> list[str]:
    """Return the values of a facet that a document holds together, without empty ones."""
    return [entry for entry in value.split(_BESIDE) if entry]


def _build() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", tokenizer_name="raw", index_option="basic")
    for name in FACETS:
        builder.add_text_field(name, tokenizer_name="raw", fast=True, index_option="basic")
    for name in AS_ONE:
        builder.add_text_field(as_one(name), tokenizer_name="raw", fast=True, index_option="basic")
    for name in (*NUMBERS, "price_order", "w_length", "g_length"):
        builder.add_integer_field(name, fast=True)
    builder.add_float_field("rank", fast=True)
    for name in ("w", "g"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("u", tokenizer_name="whitespace", index_option="position")
    for name in suggest.VOCABULARIES:
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    builder.add_bytes_field("payload", stored=True, indexed=False)
    return builder.build()


SCHEMA = _build()


def write(document: Document) -> tantivy.Document:
    """Turn a document into what the index keeps of it."""
    analysis = analyse(document)
    stored = tantivy.Document()
    stored.add_text("id", document.id)
    for name in FACETS:
        for value in document.facet_values(name):
            stored.add_text(name, value)
    for name in AS_ONE:
        # Also where there is none: a column without gaps is quicker.
        stored.add_text(as_one(name), _BESIDE.join(sorted(document.facet_values(name))))
    for name in NUMBERS:
        stored.add_integer(name, document.number(name))
    stored.add_integer("price_order", _LAST if document.price is None else document.price)
    stored.add_integer("w_length", len(analysis.words))
    stored.add_integer("g_length", len(analysis.grams))
    stored.add_float("rank", _weight(document.rank))
    stored.add_text("w", " ".join(analysis.words))
    stored.add_text("g", " ".join(analysis.grams))
    stored.add_text("u", " ".join(analysis.unigrams))
    for kind, entries in suggest.entries(document).items():
        for entry in dict.fromkeys(entries):
            stored.add_text(kind, entry)
    stored.add_bytes("payload", orjson.dumps(pack(document, analysis)))
    return stored


def _weight(rank: float) -> float:
    """Return the weight by which tantivy multiplies a score with ``RANK_SCALE`` times the rank."""
    return float(2.0 ** (RANK_SCALE * min(rank, _HIGHEST_RANK))) - 2.0


def read(payload: Any, score: float) -> Hit:
    """Turn a stored payload back into a hit."""
    return unpack(orjson.loads(payload), score)
