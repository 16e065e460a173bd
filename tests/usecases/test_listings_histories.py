"""State machines of a listing with each kind of bidding, through the services on both databases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from marketplace.foundation.db import Database
from marketplace.listings.bidding_rules import BiddingKind
from tests.histories import Cast, History

# What is tried more often, so that histories come as far as the bidding.
_NAMES = [
    "intend", "intend", "judge", "judge", "pay", "pay", "pay", "leave", "bar", "close", "wait",
    "wait", "wait", "wait_long", "bid", "bid", "bid", "bid", "limit", "open", "open", "end",
    "pay_out",
]  # fmt: skip


@pytest.mark.parametrize("kind", list(BiddingKind))
def test_no_history_takes_an_illegal_step_or_loses_a_deposit(
    database: Database, kind: BiddingKind, now: datetime
) -> None:
    cast = Cast(database, now)

    class Listing(RuleBasedStateMachine):
        """One listing from its announcement on."""

        def __init__(self) -> None:
            super().__init__()
            self.history = History(cast, kind, now)

        @rule(name=st.sampled_from(_NAMES), who=st.integers(0, 3), size=st.integers(0, 1_000))
        def step(self, name: str, who: int, size: int) -> None:
            self.history.step(name, who, size)

        @rule()
        def come_to_the_bidding(self) -> None:
            """Let all four come and pay, so that shrinking and luck need not find the way."""
            for name, size in (("intend", 1), ("judge", 1), ("pay", 1)):
                for who in range(4):
                    self.history.step(name, who, size)

        def teardown(self) -> None:
            self.history.finish()

    run_state_machine_as_test(
        Listing,
        settings=settings(
            max_examples=5,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_driver_reaches_what_it_is_there_for(database: Database, now: Any) -> None:
    """A driver that is refused everything would find nothing."""
    history = History(Cast(database, now), BiddingKind.ASCENDING, now)
    for name in ("intend", "judge", "pay"):
        for who in range(3):
            history.step(name, who, 1)
    for _ in range(12):
        history.step("wait", 0, 0)
        for who in (0, 1, 2):
            history.step("bid", who, 2)
            history.step("limit", who, 9)
    history.finish()
    for name in ("intend", "judge", "pay", "bid", "limit"):
        assert history.taken[name], history.taken
