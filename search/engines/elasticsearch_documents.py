"""Documents as Elasticsearch stores them: settings, mapping, and the way in and out.

Everything is analysed before; Elasticsearch splits on spaces and needs no plugin.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from search import suggest
from search.engine import DEEPEST_OFFSET, Hit
from search.engines.stored import analyse, pack, unpack
from search.ranking import USUAL
from search.schema import FACETS, NUMBERS, Document

# Its whitespace analyser cuts tokens of more than 255 characters in pieces.
_LONGEST_TOKEN = 60
_KEPT = 40

SETTINGS: dict[str, Any] = {
    # One shard, so that scores and counts are exact; it holds millions of such documents.
    "number_of_shards": 1,
    "auto_expand_replicas": "0-1",
    # Nothing becomes visible before its commit, and a commit makes it visible at once.
    "refresh_interval": "-1",
    "max_result_window": DEEPEST_OFFSET * 2,
    "similarity": {"default": {"type": "BM25", "k1": USUAL.k1, "b": USUAL.b}},
}

_KEYWORD = {"type": "keyword"}
_NUMBER = {"type": "long"}
_SCORED = {"type": "text", "analyzer": "whitespace", "index_options": "freqs"}

MAPPINGS: dict[str, Any] = {
    "dynamic": "strict",
    "_source": {"includes": ["payload"]},
    "properties": {
        "id": _KEYWORD,
        **dict.fromkeys(FACETS, _KEYWORD),
        **dict.fromkeys(suggest.VOCABULARIES, _KEYWORD),
        **dict.fromkeys(NUMBERS, _NUMBER),
        "rank": {"type": "double", "index": False},
        "w": _SCORED,
        "g": _SCORED,
        "u": {"type": "text", "analyzer": "whitespace", "norms": False},
        "payload": {"type": "object", "enabled": False},
    },
}


def write(document: Document) -> dict[str, Any]:
    """Turn a document into what is sent; fields without a value are left out."""
    analysis = analyse(document)
    numbers = {name: getattr(document, name) for name in NUMBERS}
    stored: dict[str, Any] = {
        "id": document.id,
        **{name: list(values) for name in FACETS if (values := document.facet_values(name))},
        **{name: value for name, value in numbers.items() if value is not None},
        "rank": document.rank,
        "w": joined(analysis.words),
        "g": joined(analysis.grams),
        "u": joined(analysis.unigrams),
        "payload": pack(document, analysis),
    }
    for kind, entries in suggest.entries(document).items():
        stored[kind] = list(dict.fromkeys(entries))
    return stored


def read(source: Mapping[str, Any], score: float) -> Hit:
    """Turn a stored source back into a hit."""
    return unpack(source["payload"], score)


def joined(tokens: Iterable[str]) -> str:
    """Return tokens as the text that the whitespace analyser takes apart again."""
    return " ".join(token(entry) for entry in tokens)


def token(entry: str) -> str:
    """Return a token as it stands in the index: a very long one by its beginning and digest."""
    if len(entry) <= _LONGEST_TOKEN:
        return entry
    digest = hashlib.sha256(entry.encode()).hexdigest()
    return entry[:_KEPT] + digest[: _LONGEST_TOKEN - _KEPT]
