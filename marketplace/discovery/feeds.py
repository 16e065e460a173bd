"""Results as an Atom feed: for a public search, and for a saved one by its secret address."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime

from feedgen.feed import FeedGenerator

from marketplace.discovery.standing_queries import Entry

_DIGEST_CHARACTERS = 32


def token(key: str, saved_search_id: int, version: int) -> str:
    """Return the secret part of a saved search's address; every version has another."""
    message = f"feed:{saved_search_id}:{version}".encode()
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()[:_DIGEST_CHARACTERS]


def is_token(given: str, key: str, saved_search_id: int, version: int) -> bool:
    """Tell whether an address names the version in force, in constant time."""
    expected = token(key, saved_search_id, version)
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def atom(
    entries: Sequence[Entry],
    *,
    title: str,
    own_url: str,
    page_url: str,
    url_of: Callable[[str, int], str],
    now: datetime,
) -> bytes:
    """Write the entries as Atom (RFC 4287), the newest first.

    Ids are the entries' public addresses, so that a reader program knows what it has seen.
    """
    feed = FeedGenerator()
    feed.id(own_url)
    feed.title(_plain(title))
    feed.link(href=own_url, rel="self", type="application/atom+xml")
    feed.link(href=page_url, rel="alternate", type="text/html")
    feed.author(name="济南科技成果转化平台")
    feed.language("zh-Hans")
    feed.updated(max((entry.since for entry in entries if entry.since), default=now))
    for entry in entries:
        item = feed.add_entry(order="append")
        address = url_of(entry.kind, entry.record_id)
        item.id(address)
        item.title(_plain(entry.title))
        item.link(href=address)
        item.summary(_plain(entry.note))
        item.updated(entry.since or now)
        item.published(entry.since or now)
    return bytes(feed.atom_str(pretty=True))


def _plain(text: str) -> str:
    """Leave out what XML cannot hold."""
    return "".join(character if character.isprintable() else " " for character in text)
