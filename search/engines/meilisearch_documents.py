"""Documents as Meilisearch keeps them: the encoding of tokens, the settings, the way in and out.

Nothing is left to Meilisearch's own analysis: it segments Chinese anew, folds letters and counts
ten words of a query. Our tokens are exact values of array attributes instead, encoded so that no
normalisation can touch them, and everything is asked by filters over them.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from functools import lru_cache
from typing import Any

import orjson
from meilisearch_python_sdk.models.settings import (
    Faceting,
    Filter,
    FilterableAttributeFeatures,
    FilterableAttributes,
    MeilisearchSettings,
    Pagination,
    TypoTolerance,
)

from search import suggest, text
from search.engine import Hit
from search.engines.stored import Analysis, analyse, pack, unpack
from search.schema import FACETS, NUMBERS, Document

# Longer values would be cut by the server, and two that begin alike would become one.
LONGEST = 450
_ESCAPE = re.compile(r"x([0-9a-f]{4})")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwyz0123456789")

# How a digest begins, and nothing else: after an x comes a hexadecimal digit.
DIGEST = "xz"

# The document in each index that names its generation. No encoded id holds an underscore.
MARKER = "_generation"

# How many values one facet or one vocabulary may list.
MOST_VALUES = 2_000
_MOST_HITS = 10_000_000
# The server's own limit hands out half a result without a word; our time-outs do not.
_CUTOFF_MS = 60_000

_TOKENS = ("w", "g", "twice", "across", "lengths", "place")
# Digits of the length at the beginning of a place.
_WIDTH = 6


@lru_cache(maxsize=300_000)
def encode(token: str) -> str:
    """Return a token as lower-case ASCII letters and digits, different for different tokens.

    What begins so is encoded to what begins so. A token that is too long becomes its digest,
    which cannot be decoded.
    """
    return _short("".join(c if c in _PLAIN else _escaped(ord(c)) for c in token))


def _short(encoded: str) -> str:
    if len(encoded) <= LONGEST:
        return encoded
    return DIGEST + hashlib.sha256(encoded.encode()).hexdigest()


def _escaped(code: int) -> str:
    if code < 0x10000:
        return f"x{code:04x}"
    above = code - 0x10000
    return f"x{0xD800 + (above >> 10):04x}x{0xDC00 + (above & 0x3FF):04x}"


def decode(encoded: str) -> str:
    """Return the token that was encoded."""
    units = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), encoded)
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def pair(first: str, second: str) -> str:
    """Return two neighbouring units of a text as one token, as they stand in ``across``."""
    return _short(f"{encode(first)}_{encode(second)}")


def _filterable(
    names: Iterable[str], *, listed: bool = False, compared: bool = False
) -> FilterableAttributes:
    return FilterableAttributes(
        attribute_patterns=list(names),
        features=FilterableAttributeFeatures(
            facet_search=listed, filter=Filter(equality=True, comparison=compared)
        ),
    )


SETTINGS = MeilisearchSettings(
    searchable_attributes=[],
    displayed_attributes=["id", "name", "place", "payload", "generation", "made_at"],
    filterable_attributes=[
        _filterable(("id", *_TOKENS, *FACETS)),
        _filterable(NUMBERS, compared=True),
        _filterable(suggest.VOCABULARIES, listed=True),
    ],
    sortable_attributes=["place", "maturity", "price", "updated_at"],
    ranking_rules=["sort"],
    stop_words=[],
    typo_tolerance=TypoTolerance(enabled=False),
    prefix_search="disabled",
    faceting=Faceting(
        max_values_per_facet=MOST_VALUES, sort_facet_values_by={"*": "count", "place": "alpha"}
    ),
    pagination=Pagination(max_total_hits=_MOST_HITS),
    search_cutoff_ms=_CUTOFF_MS,
)


def write(document: Document) -> dict[str, Any]:
    """Turn a document into what the index keeps of it.

    ``g`` and ``w`` are its grams and words, ``twice`` those that occur more than once,
    ``across`` the neighbours that no gram holds together, ``lengths`` the numbers of its words
    and grams digit by digit, so that counting the digits gives their sums. ``place`` is the
    number of its grams and its id in one, so that a list of places is ordered by length.
    """
    analysis = analyse(document)
    packed = pack(document, analysis)
    stored: dict[str, Any] = {
        "id": encode(document.id),
        "name": document.id,
        "w": _encoded(analysis.words),
        "g": _encoded(analysis.grams),
        "twice": _encoded(_repeated(analysis)),
        "across": _across(analysis),
        "place": f"{min(len(analysis.grams), 10**_WIDTH - 1):0{_WIDTH}d}{encode(document.id)}",
        "lengths": [*_digits("w", len(analysis.words)), *_digits("g", len(analysis.grams))],
        "payload": orjson.dumps(packed).decode(),
    }
    for name in FACETS:
        stored[name] = _encoded(document.facet_values(name))
    for name in NUMBERS:
        # Without the attribute a document is sorted last, whatever the order.
        if getattr(document, name) is not None:
            stored[name] = document.number(name)
    for kind, entries in suggest.entries(document).items():
        stored[kind] = [entry for entry in _encoded(entries) if not entry.startswith(DIGEST)]
    return stored


def read(hit: Mapping[str, Any]) -> Hit:
    """Turn a hit of the server's back into one of ours; scores are counted elsewhere."""
    return unpack(orjson.loads(hit["payload"]), 0.0)


def placed(place: str) -> tuple[str, int]:
    """Return a document's encoded id and its number of grams from its place."""
    return place[_WIDTH:], int(place[:_WIDTH])


def averages(digits: Mapping[str, int], documents: int) -> tuple[float, float]:
    """Return the mean numbers of words and of grams from how often each digit occurs."""
    sums = {"w": 0, "g": 0}
    for entry, count in digits.items():
        sums[entry[0]] += int(entry[2]) * 10 ** int(entry[1]) * count
    return sums["w"] / max(documents, 1), sums["g"] / max(documents, 1)


def _digits(kind: str, number: int) -> list[str]:
    backwards = enumerate(reversed(str(number)))
    return [f"{kind}{power}{digit}" for power, digit in backwards if digit != "0"]


def _encoded(tokens: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(map(encode, tokens)))


def _repeated(analysis: Analysis) -> list[str]:
    counted = (Counter(analysis.grams), Counter(analysis.words))
    return [token for counts in counted for token, count in counts.items() if count > 1]


def _across(analysis: Analysis) -> list[str]:
    """Return the pairs of neighbours that are no gram, but for the gaps between the parts."""
    grams = set(analysis.grams)
    pairs = {
        pair(first, second)
        for first, second in itertools.pairwise(analysis.unigrams)
        if text.GAP not in (first, second) and not is_gram(first, second, grams)
    }
    return sorted(pairs)


def is_gram(first: str, second: str, grams: Container[str]) -> bool:
    """Tell whether two units are Chinese and stand as one gram among those."""
    return text.is_han(first) and text.is_han(second) and first + second in grams
