"""Which days of a listing people put into their calendars."""

from __future__ import annotations

from datetime import date, datetime
from typing import Protocol

from marketplace.listings.rules import ListingState


class Dated(Protocol):
    """The days of a listing, as its view carries them."""

    @property
    def state(self) -> ListingState: ...
    @property
    def title(self) -> str: ...
    @property
    def announcement_ends_on(self) -> date | None: ...
    @property
    def qualification_ends_on(self) -> date | None: ...
    @property
    def bidding_starts_at(self) -> datetime | None: ...
    @property
    def publicity_ends_on(self) -> date | None: ...
    @property
    def sign_by(self) -> date | None: ...


def deadlines(listing: Dated) -> list[tuple[str, str, date | datetime, str]]:
    """List a listing's days as (key, what, when, note), in the order of the procedure."""
    known: list[tuple[str, str, date | datetime | None, str]] = [
        ("intent", "登记受让意向截止", listing.announcement_ends_on, "当日 24:00 前登记意向"),
        ("deposit", "资格确认与保证金到账截止", listing.qualification_ends_on, "从本单位账户汇出"),
        ("bidding", "竞价开始", listing.bidding_starts_at, "以服务器时间为准"),
        ("publicity", "公示期满", listing.publicity_ends_on, "期满前可以提出异议"),
        ("sign", "签约截止", listing.sign_by, "逾期未签约的，交易中心可以终止交易"),
    ]
    return [
        (key, f"{what}：{listing.title}", when, note) for key, what, when, note in known if when
    ]
