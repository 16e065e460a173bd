"""How likely a deal is to be signed, measured from how earlier deals ended.

Pure. A stage with little history leans on the platform's assumption for it; the interval says how
far the number can be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from marketplace.brokerage.rules import TALKING, DealStage
from marketplace.foundation.money import Fen

ASSUMED: dict[DealStage, float] = {
    DealStage.LEAD: 0.05,
    DealStage.CONTACTED: 0.10,
    DealStage.CONFIDENTIALITY: 0.20,
    DealStage.TECHNICAL_TALK: 0.30,
    DealStage.PRICE_TALK: 0.50,
    DealStage.CONTRACT_DRAFT: 0.80,
}
"""The platform's assumption per stage of talking, until history says otherwise."""

ASSUMPTION_WEIGHT = 10
"""As how many closed deals the assumption counts."""

_Z95 = 1.96


@dataclass(frozen=True)
class Chance:
    """The chance of a signature from one stage, with a 95 % interval and what it rests on."""

    share: float
    low: float
    high: float
    signed_count: int
    closed_count: int

    @property
    def percent(self) -> int:
        """Return the chance in whole per cent."""
        return round(self.share * 100)


def chances(lost_from: Mapping[DealStage, int], signed_count: int) -> dict[DealStage, Chance]:
    """Measure the chance of a signature from each stage of talking.

    ``lost_from`` counts the lost deals by the stage they had reached. A signed deal passed every
    stage of talking, a lost one all up to where it ended; open deals say nothing yet.
    """
    measured: dict[DealStage, Chance] = {}
    for place, stage in enumerate(TALKING):
        lost = sum(
            count
            for reached, count in lost_from.items()
            if reached not in TALKING or TALKING.index(reached) >= place
        )
        measured[stage] = _estimated(signed_count, signed_count + lost, ASSUMED[stage])
    return measured


def _estimated(signed_count: int, closed_count: int, assumed: float) -> Chance:
    # Agresti's way to shrink: the assumption enters as so many imagined deals; Wilson's interval
    # (1927) is then taken over both, so that it never leaves 0 to 1.
    count = closed_count + ASSUMPTION_WEIGHT
    share = (signed_count + ASSUMPTION_WEIGHT * assumed) / count
    low, high = wilson(share, count)
    return Chance(share, low, high, signed_count, closed_count)


def wilson(share: float, count: int) -> tuple[float, float]:
    """Return the ends of the 95 % interval of a share out of ``count`` cases, within 0 to 1."""
    square = _Z95 * _Z95
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = _Z95 * sqrt(share * (1 - share) / count + square / (4 * count * count))
    half /= 1 + square / count
    return max(0.0, middle - half), min(1.0, middle + half)


def share_that_counts(measured: Chance, own_percent: int | None) -> float:
    """Return the leader's own chance before the measured one, as a share of 1."""
    return measured.share if own_percent is None else own_percent / 100


def expected_worth(amount_fen: Fen | None, share: float) -> Fen | None:
    """Return the price times the chance of a signature, in fen; None while no price is known."""
    return None if amount_fen is None else Fen(round(amount_fen * share))
