"""Chances measured from history: what they rest on and how far they can be trusted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.brokerage.chance_rules import ASSUMED, chances, expected_worth
from marketplace.brokerage.rules import TALKING, DealStage
from marketplace.brokerage.today_rules import NOW, URGENCY, Pressing
from marketplace.foundation.money import Fen

histories = st.dictionaries(
    st.sampled_from((*TALKING, DealStage.SIGNED)), st.integers(0, 10_000), max_size=7
)


def test_without_history_the_assumption_stands() -> None:
    for stage, chance in chances({}, 0).items():
        assert chance.share == pytest.approx(ASSUMED[stage])
        assert chance.closed_count == 0


def test_a_lost_deal_counts_for_every_stage_it_had_reached() -> None:
    found = chances({DealStage.PRICE_TALK: 4, DealStage.LEAD: 6}, 10)
    assert found[DealStage.LEAD].closed_count == 20
    assert found[DealStage.CONTACTED].closed_count == 14
    assert found[DealStage.PRICE_TALK].closed_count == 14
    assert found[DealStage.CONTRACT_DRAFT].closed_count == 10
    assert found[DealStage.LEAD].share == pytest.approx((10 + 0.5) / 30)


def test_much_history_outweighs_the_assumption() -> None:
    found = chances({DealStage.LEAD: 500}, 500)[DealStage.LEAD]
    assert found.percent == 50
    assert found.high - found.low < 0.07


@given(lost=histories, signed=st.integers(0, 10_000))
def test_chances_are_chances_and_never_fall_on_the_way(
    lost: dict[DealStage, int], signed: int
) -> None:
    found = chances(lost, signed)
    assert tuple(found) == TALKING
    for chance in found.values():
        assert 0 <= chance.low <= chance.share <= chance.high <= 1
    shares = [found[stage].share for stage in TALKING]
    assert shares == sorted(shares)


def test_worth_is_price_times_chance() -> None:
    assert expected_worth(Fen(1_000), 0.25) == 250
    assert expected_worth(None, 0.25) is None


def test_what_is_late_presses_more_than_what_waits() -> None:
    factors = [URGENCY[kind] for kind in Pressing]
    assert factors == sorted(factors, reverse=True)
    assert min(URGENCY[kind] for kind in NOW) > URGENCY[Pressing.WAITING]
