"""The published record of a session: an append-only chain of entries, and its replay.

Pure, and loaded by the offline verifier: no database, no network, nothing but the standard
library and the rules. Each entry's digest covers its content and the digest before it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from marketplace.foundation.words import Word

FORMAT = "jinan-bidding-record/1"
GENESIS = "0" * 64


class RecordKind(Word):
    """What an entry of a session's record tells."""

    TERMS = "terms", "竞价条件"
    OPENED = "opened", "竞价开始"
    BID = "bid", "报价"
    BARRED = "barred", "取消资格"
    CLOSED = "closed", "报价截止"
    SCORED = "scored", "评分"
    UNSEALED = "unsealed", "开标"
    RESULT = "result", "结果"
    VOIDED = "voided", "作废"


@dataclass(frozen=True)
class Entry:
    """One entry; ``sequence`` counts from 1, ``at`` is the server's time."""

    sequence: int
    at: datetime
    kind: RecordKind
    body: Mapping[str, Any]
    previous: str
    digest: str


def moment_text(moment: datetime) -> str:
    """Write a moment as records do: UTC with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def canonical(value: Any) -> str:
    """Write a value in the one way in which it is hashed."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest_of(
    sequence: int, at: datetime, kind: RecordKind, body: Mapping[str, Any], previous: str
) -> str:
    """Return the digest of an entry's content and of all that stands before it."""
    packed = canonical([sequence, moment_text(at), kind.value, body, previous])
    return hashlib.sha256(packed.encode()).hexdigest()


def chain(last: Entry | None, *, at: datetime, kind: RecordKind, body: Mapping[str, Any]) -> Entry:
    """Return the entry that follows ``last``, None for the first."""
    sequence = last.sequence + 1 if last else 1
    previous = last.digest if last else GENESIS
    return Entry(sequence, at, kind, body, previous, digest_of(sequence, at, kind, body, previous))


def list_digest(plates: Sequence[str], nonce: str) -> str:
    """Return the commitment to the list of admitted plates, published before the session."""
    return hashlib.sha256(
        canonical({"plates": sorted(plates), "nonce": nonce}).encode()
    ).hexdigest()


def document(entries: Sequence[Entry]) -> dict[str, Any]:
    """Return the record as it is published."""
    return {
        "format": FORMAT,
        "entries": [
            {
                "sequence": entry.sequence,
                "at": moment_text(entry.at),
                "kind": entry.kind.value,
                "body": entry.body,
                "previous": entry.previous,
                "digest": entry.digest,
            }
            for entry in entries
        ],
    }
