"""The notice board as an Atom feed (RFC 4287)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from feedgen.feed import FeedGenerator

from marketplace.publicity.queries import NoticeView


def notice_feed(
    notices: Sequence[NoticeView],
    *,
    title: str,
    own_url: str,
    page_url: str,
    url_of: Callable[[NoticeView], str],
    now: datetime,
) -> bytes:
    """Write notices as Atom, the newest first; an entry is updated when its notice has closed."""
    feed = FeedGenerator()
    feed.id(own_url)
    feed.title(title)
    feed.link(href=own_url, rel="self", type="application/atom+xml")
    feed.link(href=page_url, rel="alternate", type="text/html")
    feed.author(name="山东省技术成果交易中心（济南）")
    feed.language("zh-Hans")
    moments = [notice.closed_at or notice.opened_at for notice in notices]
    feed.updated(max(moments, default=now))
    for notice, moment in zip(notices, moments, strict=True):
        item = feed.add_entry(order="append")
        address = url_of(notice)
        item.id(address)
        item.title(_plain(notice.title))
        item.link(href=address)
        item.category(term=notice.kind.value, label=notice.kind.label)
        item.summary(
            _plain(
                f"{notice.kind.label}，{notice.state.label}，{notice.organisation_name}，"
                f"公示期 {notice.opened_on.isoformat()} 至 {notice.ends_on.isoformat()}"
            )
        )
        item.published(notice.opened_at)
        item.updated(moment)
    return bytes(feed.atom_str(pretty=True))


def _plain(text: str) -> str:
    """Leave out what XML cannot hold."""
    return "".join(character if character.isprintable() else " " for character in text)
