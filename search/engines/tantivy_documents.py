"""Documents as tantivy stores them: the schema, and the way in and out."""

from __future__ import annotations

import json
from typing import Any

import tantivy

from search import suggest
from search.engines.stored import analyse, pack, unpack
from search.schema import FACETS, NUMBERS, Document

# Where "no price" is sorted: behind every price.
_LAST = 2**62


def _build() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", tokenizer_name="raw", fast=True, index_option="basic")
    for name in FACETS:
        builder.add_text_field(name, tokenizer_name="raw", fast=True, index_option="basic")
    for name in (*NUMBERS, "price_order", "w_length", "g_length"):
        builder.add_integer_field(name, fast=True, indexed=name in NUMBERS)
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
    for name in NUMBERS:
        stored.add_integer(name, document.number(name))
    stored.add_integer("price_order", _LAST if document.price is None else document.price)
    stored.add_integer("w_length", len(analysis.words))
    stored.add_integer("g_length", len(analysis.grams))
    stored.add_float("rank", document.rank)
    stored.add_text("w", " ".join(analysis.words))
    stored.add_text("g", " ".join(analysis.grams))
    stored.add_text("u", " ".join(analysis.unigrams))
    for kind, entries in suggest.entries(document).items():
        for entry in dict.fromkeys(entries):
            stored.add_text(kind, entry)
    packed = json.dumps(pack(document, analysis), ensure_ascii=False, separators=(",", ":"))
    stored.add_bytes("payload", packed.encode())
    return stored


def read(payload: Any) -> tuple[Document, tuple[str, ...], int]:
    """Turn a stored payload back into the document, its words and the number of its grams."""
    return unpack(json.loads(bytes(payload)))
