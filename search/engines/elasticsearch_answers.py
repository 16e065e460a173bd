"""What Elasticsearch answers, read; whoever asks turns what cannot be read into an error."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from elastic_transport import ObjectApiResponse

from search.engine import Hit
from search.engines.elasticsearch_documents import read, token
from search.errors import SearchUnavailable

_LONGEST_REASON = 200


def done(answer: ObjectApiResponse[Any]) -> None:
    """Raise where a change of indices was not carried out."""
    if answer["acknowledged"] is not True:
        raise SearchUnavailable("Elasticsearch has not done it in time")


def all_written(written: Iterable[tuple[bool, dict[str, Any]]]) -> None:
    """Raise where a document was not put in or taken out; one that was not there is out."""
    for fine, entry in written:
        if not fine and entry.get("delete", {}).get("result") != "not_found":
            reason = json.dumps(entry, ensure_ascii=False, default=str)[:_LONGEST_REASON]
            raise SearchUnavailable(f"Elasticsearch refused a document: {reason}")


def alias_is_missing(body: Any) -> bool:
    """Tell an alias that does not exist from a server that knows nothing of aliases."""
    return isinstance(body, Mapping) and str(body.get("error")).startswith("alias [")


def hits(answer: Mapping[str, Any]) -> tuple[Hit, ...]:
    """Return the documents found."""
    return tuple(
        read(entry["_source"], float(entry["_score"] or 0.0)) for entry in answer["hits"]["hits"]
    )


def counts(terms: Mapping[str, Any]) -> dict[str, int]:
    """Return the values counted, the most frequent first."""
    return {bucket["key"]: bucket["doc_count"] for bucket in terms["buckets"]}


def average(field: Mapping[str, int]) -> float:
    """Return the average length of a field."""
    return field["sum_ttf"] / field["doc_count"] if field["doc_count"] > 0 else 1.0


def frequency(field: Mapping[str, Any], term: str) -> int:
    """Return in how many documents a term stands."""
    held: Mapping[str, int] = field["terms"].get(token(term), {})
    return held.get("doc_freq", 0)
