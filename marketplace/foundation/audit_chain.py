"""The arithmetic of the audit chain: digests, and a walk that names the first link that fails.

Nothing but the standard library, so that an evidence package is verified without a database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

GENESIS = "0" * 64
# The first form of rows had no origin, and one digest over everything. Rows of that time keep it.
FIRST_ALGORITHM = "sha256-1"
# A digest over the content, and one over the digest before and the content's: a row that may not
# be shown is vouched for by the digest of its content.
ALGORITHM = "sha256-2"


@dataclass(frozen=True)
class Entry:
    """What one row says, as it enters its digest."""

    sequence: int
    happened_at: datetime
    user_id: int | None
    organisation_id: int | None
    actor_name: str
    action: str
    subject: str
    before: Any
    after: Any
    origin: str
    algorithm: str


@dataclass(frozen=True)
class Link:
    """A row in its place: the digest it stands behind, its own, and what both rest on.

    ``entry`` is None where only the digest of the content is known.
    """

    sequence: int
    previous: str
    digest: str
    entry: Entry | None
    content: str = ""


@dataclass(frozen=True)
class BrokenLink:
    """The first place at which a chain does not hold.

    ``what``: "missing", "inserted", "moved" or "changed".
    """

    sequence: int
    what: str


def content_digest(entry: Entry) -> str:
    """Return the digest of what a row says, its place included."""
    return _sha256(
        _packed([*_facts(entry), entry.origin, entry.algorithm]),
    )


def digest_of(entry: Entry, previous: str) -> str:
    """Return the digest of a row that stands behind ``previous``, by the row's algorithm."""
    if entry.algorithm == FIRST_ALGORITHM:
        return _sha256(_packed([*_facts(entry), previous]))
    return joined(previous, content_digest(entry))


def joined(previous: str, content: str) -> str:
    """Return the digest of a row of which only the content's digest is known."""
    return _sha256(previous + content)


def _facts(entry: Entry) -> list[Any]:
    return [
        entry.sequence,
        entry.happened_at.astimezone(UTC).isoformat(),
        entry.user_id,
        entry.organisation_id,
        entry.actor_name,
        entry.action,
        entry.subject,
        entry.before,
        entry.after,
    ]


def _packed(content: list[Any]) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def walk(
    links: Iterable[Link],
    *,
    head: tuple[int, str],
    start: tuple[int, str] = (0, GENESIS),
    place_of: Callable[[str], int | None] = lambda _digest: None,
) -> tuple[int, BrokenLink | None]:
    """Walk links in the order of their places; return how many hold and the first that does not.

    ``start`` and ``head`` are place and digest of the row before the first and of the last one.
    ``place_of`` finds where the row with a digest stands, to tell a moved row from a changed one.
    """
    place, previous = start
    held = 0
    for link, following in _pairs(links):
        if link.sequence != place + 1:
            return held, BrokenLink(place + 1, "missing")
        wrong = _fault(link, following, previous, place_of)
        if wrong:
            return held, BrokenLink(link.sequence, wrong)
        place, previous, held = link.sequence, link.digest, held + 1
    if head == (place, previous):
        return held, None
    if head[0] == place:
        return held - 1, BrokenLink(place, "changed")
    if head[0] > place:
        return held, BrokenLink(place + 1, "missing")
    return head[0] - start[0], BrokenLink(head[0] + 1, "inserted")


def _fault(
    link: Link, following: Link | None, previous: str, place_of: Callable[[str], int | None]
) -> str:
    sound, linked = _is_sound(link), link.previous == previous
    beside = following if following and following.sequence == link.sequence + 1 else None
    if sound and linked and (beside is None or beside.previous == link.digest):
        return ""
    if not sound and not linked and link.entry is not None:
        before = place_of(link.previous)
        if before is not None and _holds_at(link, before + 1):
            return "moved"
        if _holds_at(link, link.sequence + 1):
            # The row before it is gone, or changed places with it.
            return "missing" if before is None else "moved"
    if beside is not None and beside.previous == previous:
        return "inserted"  # the next row knows nothing of this one
    if sound and linked:
        # The next row vouches for another digest here; where it is damaged itself, it is named.
        return "changed" if beside is not None and _is_sound(beside) else ""
    return "changed"


def _is_sound(link: Link) -> bool:
    if link.entry is None:
        return joined(link.previous, link.content) == link.digest
    return digest_of(link.entry, link.previous) == link.digest


def _holds_at(link: Link, sequence: int) -> bool:
    assert link.entry is not None
    return digest_of(replace(link.entry, sequence=sequence), link.previous) == link.digest


def _pairs(links: Iterable[Link]) -> Iterator[tuple[Link, Link | None]]:
    waiting: Link | None = None
    for link in links:
        if waiting is not None:
            yield waiting, link
        waiting = link
    if waiting is not None:
        yield waiting, None


def entry_as_text(entry: Entry, *, previous: str, digest: str) -> str:
    """Write a row as one line of JSON, for an export."""
    return json.dumps(
        {
            "sequence": entry.sequence,
            "happened_at": entry.happened_at.astimezone(UTC).isoformat(),
            "user_id": entry.user_id,
            "organisation_id": entry.organisation_id,
            "actor_name": entry.actor_name,
            "action": entry.action,
            "subject": entry.subject,
            "before": entry.before,
            "after": entry.after,
            "origin": entry.origin,
            "algorithm": entry.algorithm,
            "previous": previous,
            "digest": digest,
        },
        ensure_ascii=False,
        sort_keys=True,
    )


def read_link(line: str) -> Link:
    """Read a row as ``entry_as_text`` writes it, or ``{sequence, previous, digest, content}``.

    Raise ``ValueError`` for anything else.
    """
    try:
        found = json.loads(line)
        if "content" in found:
            return Link(
                int(found["sequence"]),
                str(found["previous"]),
                str(found["digest"]),
                None,
                str(found["content"]),
            )
        entry = Entry(
            sequence=int(found["sequence"]),
            happened_at=datetime.fromisoformat(found["happened_at"]),
            user_id=found["user_id"],
            organisation_id=found["organisation_id"],
            actor_name=str(found["actor_name"]),
            action=str(found["action"]),
            subject=str(found["subject"]),
            before=found["before"],
            after=found["after"],
            origin=str(found["origin"]),
            algorithm=str(found["algorithm"]),
        )
        if entry.happened_at.tzinfo is None or entry.algorithm not in (FIRST_ALGORITHM, ALGORITHM):
            raise ValueError(entry.algorithm)
        return Link(entry.sequence, str(found["previous"]), str(found["digest"]), entry)
    except (KeyError, TypeError, ValueError, RecursionError, OverflowError) as broken:
        raise ValueError(f"not a row of the audit chain: {line[:80]!r}") from broken
