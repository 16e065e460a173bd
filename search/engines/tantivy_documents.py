"""Documents as tantivy stores them: the schema, and the way in and out."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import tantivy

from search import suggest, text
from search.schema import FACETS, NUMBERS, PLURAL_FACETS, Document

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


def searchable(document: Document) -> list[str]:
    """Return the parts of a document that are searched, in normal form."""
    parts = (document.title, " ".join(document.keywords), document.body)
    return [text.norm(part) for part in parts if part]


def write(document: Document) -> tantivy.Document:
    """Turn a document into what the index keeps of it."""
    parts = searchable(document)
    words = [word for part in parts for word in text.words(part)]
    grams = [gram for part in parts for gram in text.grams(part)]
    stored = tantivy.Document()
    stored.add_text("id", document.id)
    for name in FACETS:
        for value in document.facet_values(name):
            stored.add_text(name, value)
    for name in NUMBERS:
        stored.add_integer(name, document.number(name))
    stored.add_integer("price_order", _LAST if document.price is None else document.price)
    stored.add_integer("w_length", len(words))
    stored.add_integer("g_length", len(grams))
    stored.add_float("rank", document.rank)
    stored.add_text("w", " ".join(words))
    stored.add_text("g", " ".join(grams))
    stored.add_text("u", f" {text.GAP} ".join(" ".join(text.unigrams(part)) for part in parts))
    for kind, entries in suggest.entries(document).items():
        for entry in dict.fromkeys(entries):
            stored.add_text(kind, entry)
    stored.add_bytes("payload", _pack(document, words, len(grams)))
    return stored


def read(payload: Any) -> tuple[Document, tuple[str, ...], int]:
    """Turn a stored payload back into the document, its words and the number of its grams."""
    packed = json.loads(bytes(payload))
    words = tuple(packed.pop("_words").split(" "))
    grams_length = packed.pop("_grams")
    for name in (*PLURAL_FACETS, "keywords"):
        if name in packed:
            packed[name] = tuple(packed[name])
    return Document(**packed), words, grams_length


def _pack(document: Document, words: list[str], grams_length: int) -> bytes:
    packed: dict[str, Any] = {"_words": " ".join(words), "_grams": grams_length}
    for field in fields(document):
        value = getattr(document, field.name)
        if value not in ("", (), None) and value != {}:
            packed[field.name] = dict(value) if field.name == "shown" else value
    return json.dumps(packed, ensure_ascii=False, separators=(",", ":")).encode()
