"""The steps a listing's page shows, with dates, for each way it can go."""

from __future__ import annotations

from datetime import date

import pytest

from marketplace.listings.progress_rules import Progress, steps
from marketplace.listings.rules import ListingState, PricingMode


def progress(state: ListingState, pricing: PricingMode, **known: object) -> Progress:
    return Progress(state=state, pricing_mode=pricing, applied_on=date(2024, 3, 14), **known)  # type: ignore[arg-type]  # the table names fields


def labels(progress: Progress) -> list[tuple[str, str]]:
    return [(step.label, step.state) for step in steps(progress)]


def test_an_announced_listing_shows_what_follows_with_its_terms() -> None:
    shown = steps(
        progress(
            ListingState.ANNOUNCED,
            PricingMode.BIDDING,
            announced_on=date(2024, 3, 15),
            announcement_ends_on=date(2024, 3, 29),
            extension_count=1,
            qualification_ends_on=date(2024, 4, 3),
        )
    )
    assert [step.state for step in shown] == ["done", "now", "", "", "", ""]
    assert shown[1].note == "至 2024-03-29，已延期 1 次"
    assert shown[2].note == "至 2024-04-03"
    assert shown[3].note == "两家以上合格时"


def test_a_negotiated_price_has_no_bidding_and_its_own_publicity() -> None:
    assert labels(progress(ListingState.PRICE_PUBLICITY, PricingMode.NEGOTIATED)) == [
        ("申请与受理", "done"),
        ("公告与登记意向", "done"),
        ("协议洽谈", "done"),
        ("协议定价公示", "now"),
        ("签约", ""),
    ]


def test_a_deal_with_one_buyer_leaves_the_bidding_out() -> None:
    way = labels(progress(ListingState.RESULT_PUBLICITY, PricingMode.LISTED))
    assert ("竞价", "done") not in way
    held = labels(progress(ListingState.RESULT_PUBLICITY, PricingMode.LISTED, had_bidding=True))
    assert ("竞价", "done") in held


def test_a_signed_listing_is_done_throughout() -> None:
    shown = steps(progress(ListingState.SIGNED, PricingMode.LISTED, signed_on=date(2024, 4, 18)))
    assert {step.state for step in shown} == {"done"}
    assert shown[-1].note == "2024-04-18 已签约"


@pytest.mark.parametrize("state", [ListingState.FAILED, ListingState.WITHDRAWN])
def test_what_ended_early_shows_where(state: ListingState) -> None:
    shown = steps(
        progress(
            state,
            PricingMode.BIDDING,
            announced_on=date(2024, 3, 15),
            announcement_ends_on=date(2024, 3, 29),
            ended_on=date(2024, 4, 1),
        )
    )
    assert [step.label for step in shown] == ["申请与受理", "公告与登记意向", state.label]
    assert shown[-1].note == "2024-04-01"


@pytest.mark.parametrize("state", list(ListingState))
@pytest.mark.parametrize("pricing", list(PricingMode))
def test_every_state_has_a_way(state: ListingState, pricing: PricingMode) -> None:
    negotiated = pricing is PricingMode.NEGOTIATED
    impossible = negotiated and state in (ListingState.BIDDING, ListingState.OUTSIDE)
    if impossible:
        return
    assert steps(progress(state, pricing))
