"""The way of a listing as its page shows it: which steps are done, which is now, and by when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.listings.rules import HELD_OUTSIDE, ListingState, PricingMode


@dataclass(frozen=True)
class Progress:
    """What is known of a listing's way; dates are None until they are set."""

    state: ListingState
    pricing_mode: PricingMode
    applied_on: date
    announced_on: date | None = None
    announcement_ends_on: date | None = None
    extension_count: int = 0
    qualification_ends_on: date | None = None
    bidding_on: date | None = None
    had_bidding: bool = False
    publicity_ends_on: date | None = None
    sign_by: date | None = None
    signed_on: date | None = None
    ended_on: date | None = None


@dataclass(frozen=True)
class Step:
    """One step: its name, a note with a date, and 'done', 'now' or ''."""

    label: str
    note: str
    state: str


_S = ListingState
_ORDER = ("application", "announcement", "qualification", "bidding", "publicity", "signing")
_AT: dict[ListingState, str] = {
    _S.APPLIED: "application",
    _S.RETURNED: "application",
    _S.ACCEPTED: "application",
    _S.ANNOUNCED: "announcement",
    _S.QUALIFYING: "qualification",
    _S.NEGOTIATING: "qualification",
    _S.BIDDING: "bidding",
    _S.OUTSIDE: "bidding",
    _S.PRICE_PUBLICITY: "publicity",
    _S.RESULT_PUBLICITY: "publicity",
    _S.AWARDED: "signing",
}


def steps(progress: Progress) -> list[Step]:
    """Lay out the steps of a listing in order; a failed or withdrawn one ends where it ended."""
    negotiated = progress.pricing_mode is PricingMode.NEGOTIATED
    shown = [key for key in _ORDER if key != "bidding" or not negotiated]
    settled = progress.state in (_S.PRICE_PUBLICITY, _S.RESULT_PUBLICITY, _S.AWARDED, _S.SIGNED)
    if settled and not progress.had_bidding:
        shown = [key for key in shown if key != "bidding"]
    if progress.state in (_S.FAILED, _S.WITHDRAWN):
        return _ended(progress, shown)
    present = _AT.get(progress.state)
    place = len(shown) if present is None else shown.index(present)
    return [
        Step(
            _label(key, progress.pricing_mode),
            _note(key, progress),
            "done" if index < place else "now" if index == place else "",
        )
        for index, key in enumerate(shown)
    ]


def _ended(progress: Progress, shown: list[str]) -> list[Step]:
    reached = {
        "application": True,
        "announcement": progress.announced_on is not None,
        "bidding": progress.had_bidding,
        "publicity": progress.publicity_ends_on is not None,
        "signing": progress.sign_by is not None,
    }
    done = [
        Step(_label(key, progress.pricing_mode), _note(key, progress), "done")
        for key in shown
        if reached.get(key, False)
    ]
    return [*done, Step(progress.state.label, _day(progress.ended_on), "now")]


def _label(key: str, mode: PricingMode) -> str:
    negotiated = mode is PricingMode.NEGOTIATED
    return {
        "application": "申请与受理",
        "announcement": "公告与登记意向",
        "qualification": "协议洽谈" if negotiated else "资格确认",
        "bidding": mode.label if mode in HELD_OUTSIDE else "竞价",
        "publicity": "协议定价公示" if negotiated else "成交结果公示",
        "signing": "签约",
    }[key]


def _note(key: str, progress: Progress) -> str:
    negotiated = progress.pricing_mode is PricingMode.NEGOTIATED
    if key == "application":
        return f"{progress.applied_on.isoformat()} 申请"
    if key == "announcement":
        again = f"，已延期 {progress.extension_count} 次" if progress.extension_count else ""
        return f"至 {_day(progress.announcement_ends_on) or '公告后确定'}{again}"
    if key == "qualification":
        until = _day(progress.qualification_ends_on)
        return "与合格意向方协商" if negotiated else f"至 {until}" if until else "公告期满后"
    if key == "bidding":
        return _day(progress.bidding_on) or "两家以上合格时"
    if key == "publicity":
        return (
            f"至 {_day(progress.publicity_ends_on)}"
            if progress.publicity_ends_on
            else ("不少于 15 天" if negotiated else "5 个工作日")
        )
    if progress.signed_on is not None:
        return f"{progress.signed_on.isoformat()} 已签约"
    return f"最迟 {_day(progress.sign_by)}" if progress.sign_by else "公示期满后 5 个工作日内"


def _day(value: date | None) -> str:
    return value.isoformat() if value else ""
