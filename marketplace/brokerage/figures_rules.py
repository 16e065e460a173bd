"""How deals go: the funnel, the forecast and its error. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt

from marketplace.brokerage.chance_rules import Chance
from marketplace.brokerage.rules import ORDER, DealStage
from marketplace.foundation.access import Permission, Role
from marketplace.foundation.money import Fen

MEASURE = Permission(
    "brokerage.measure", frozenset({Role.BROKER, Role.AGENCY_HEAD, Role.OPERATOR}), verified=False
)

_Z95 = 1.96


@dataclass(frozen=True)
class FunnelStep:
    """How many deals ever reached a stage, and of how many of the stage before."""

    stage: DealStage
    reached_count: int
    lost_here_count: int
    before_count: int | None

    @property
    def passed_percent(self) -> int | None:
        """Return how many per cent of the stage before came here; None where nobody could."""
        return round(self.reached_count * 100 / self.before_count) if self.before_count else None


def funnel(
    standing: Mapping[DealStage, int], lost_from: Mapping[DealStage, int]
) -> tuple[FunnelStep, ...]:
    """Count who reached each stage: who stands there or further, and who was lost no earlier."""
    steps: list[FunnelStep] = []
    for place, stage in enumerate(ORDER):
        reached = sum(standing.get(later, 0) + lost_from.get(later, 0) for later in ORDER[place:])
        before = steps[-1].reached_count if steps else None
        steps.append(FunnelStep(stage, reached, lost_from.get(stage, 0), before))
    return tuple(steps)


@dataclass(frozen=True)
class OpenWorth:
    """The open deals of a stage: how many, how many without a price, sums of prices and squares.

    The sum of squares is in fen squared and therefore a float.
    """

    stage: DealStage
    count: int
    unpriced_count: int
    amount_fen: Fen
    squares: float


@dataclass(frozen=True)
class Forecast:
    """What is expected to be signed, with a 95 % range, in fen."""

    expected_fen: Fen
    low_fen: Fen
    high_fen: Fen


def forecast(worth: Iterable[OpenWorth], chances: Mapping[DealStage, Chance]) -> Forecast:
    """Add up price times the measured chance of each stage, and how far the sum may be off."""
    return forecast_of((each, chances[each.stage]) for each in worth)


def forecast_of(parts: Iterable[tuple[OpenWorth, Chance]]) -> Forecast:
    """Add up price times chance of several groups of deals, and how far the sum may be off.

    Two errors are added as squares: each deal is signed or not (p × (1 − p) of its squared price),
    and the chance of a group is itself only measured, which hits all its deals together.
    """
    expected = variance = total = 0.0
    for stage, chance in parts:
        spread = (chance.high - chance.low) / (2 * _Z95)
        expected += stage.amount_fen * chance.share
        variance += stage.squares * chance.share * (1 - chance.share)
        variance += (stage.amount_fen * spread) ** 2
        total += stage.amount_fen
    half = _Z95 * sqrt(variance)
    return Forecast(
        Fen(round(expected)),
        Fen(round(max(0.0, expected - half))),
        Fen(round(min(total, expected + half))),
    )


def said(percent: int) -> Chance:
    """Return a leader's own chance; how far it may be off nobody has measured."""
    share = percent / 100
    return Chance(share, share, share, 0, 0)
