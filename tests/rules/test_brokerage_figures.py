"""The funnel and the forecast: what they count and how far off they may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.brokerage.chance_rules import Chance, chances
from marketplace.brokerage.figures_rules import OpenWorth, forecast, funnel
from marketplace.brokerage.rules import ORDER, TALKING, DealStage
from marketplace.foundation.money import Fen

counts = st.dictionaries(st.sampled_from(ORDER), st.integers(0, 1_000))
prices = st.lists(st.integers(1, 10**13), max_size=20)


def test_a_lost_deal_reached_all_stages_up_to_its_end() -> None:
    steps = {
        step.stage: step
        for step in funnel({DealStage.LEAD: 2, DealStage.PAID: 1}, {DealStage.CONFIDENTIALITY: 1})
    }
    assert steps[DealStage.LEAD].reached_count == 4
    assert steps[DealStage.LEAD].passed_percent is None
    assert steps[DealStage.CONFIDENTIALITY].reached_count == 2
    assert steps[DealStage.CONFIDENTIALITY].lost_here_count == 1
    assert steps[DealStage.CONTACTED].passed_percent == 50
    assert steps[DealStage.PAID].reached_count == 1


@given(standing=counts, lost=counts)
def test_a_funnel_only_narrows_and_counts_everybody(
    standing: dict[DealStage, int], lost: dict[DealStage, int]
) -> None:
    reached = [step.reached_count for step in funnel(standing, lost)]
    assert reached == sorted(reached, reverse=True)
    assert reached[0] == sum(standing.values()) + sum(lost.values())


def worth(stage: DealStage, amounts: list[int]) -> OpenWorth:
    squares = float(sum(amount * amount for amount in amounts))
    return OpenWorth(stage, len(amounts), 0, Fen(sum(amounts)), squares)


def test_a_forecast_adds_the_chance_of_each_deal_and_the_doubt_about_it() -> None:
    certain_share = Chance(0.5, 0.5, 0.5, 500, 1_000)
    found = forecast([worth(DealStage.LEAD, [100] * 100)], {DealStage.LEAD: certain_share})
    assert found.expected_fen == 5_000
    assert found.high_fen - found.expected_fen == pytest.approx(980, abs=1)  # 1.96 × √(100 × 50²)
    doubted = Chance(0.5, 0.4, 0.6, 50, 100)
    wider = forecast([worth(DealStage.LEAD, [100] * 100)], {DealStage.LEAD: doubted})
    assert wider.high_fen - wider.expected_fen == pytest.approx(1_400, abs=1)  # √(980² + 1000²)


@given(amounts=st.fixed_dictionaries(dict.fromkeys(TALKING, prices)), signed=st.integers(0, 99))
def test_a_forecast_stays_between_nothing_and_everything(
    amounts: dict[DealStage, list[int]], signed: int
) -> None:
    found = forecast([worth(s, a) for s, a in amounts.items()], chances({}, signed))
    assert 0 <= found.low_fen <= found.expected_fen <= found.high_fen
    assert found.high_fen <= sum(sum(a) for a in amounts.values()) + 1
