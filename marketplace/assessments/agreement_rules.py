"""How far the experts of a panel agree, and whose score stands apart; exact fractions.

Rows are experts, columns what they scored, in the same order for everybody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from marketplace.foundation.words import Word

Ratings = Sequence[Sequence[int]]

# Iglewicz & Hoaglin (1993), How to Detect and Handle Outliers: modified z-scores by the median
# absolute deviation, and by the mean absolute deviation where more than half of the scores agree.
_BY_MEDIAN = Fraction(6745, 10_000)
_BY_MEAN = Fraction(7979, 10_000)


class AgreementLevel(Word):
    """How far the experts agree, by Kendall's W (Schmidt 1997, Decision Sciences 28(3))."""

    STRONG = "strong", "一致性强", "ok"
    MODERATE = "moderate", "一致性中等", "run"
    WEAK = "weak", "一致性弱", "warn"


@dataclass(frozen=True)
class Agreement:
    """Kendall's W, its chi-square with its degrees, ICC(2,1) and ICC(2,k); None: undefined."""

    expert_count: int
    item_count: int
    kendall_w: Fraction | None
    chi_square: Fraction | None
    degrees: int
    icc_single: Fraction | None
    icc_mean: Fraction | None

    def level(self, weak_per_mille: int) -> AgreementLevel:
        """Return the level; without any difference between items nothing can disagree."""
        if self.kendall_w is None or self.kendall_w >= Fraction(7, 10):
            return AgreementLevel.STRONG
        if self.kendall_w * 1000 >= weak_per_mille:
            return AgreementLevel.MODERATE
        return AgreementLevel.WEAK


def agreement(ratings: Ratings) -> Agreement:
    """Measure the agreement of experts over the items they scored."""
    experts, items = len(ratings), len(ratings[0])
    w = kendall_w(ratings)
    single, mean = icc(ratings)
    return Agreement(
        experts,
        items,
        w,
        None if w is None else experts * (items - 1) * w,
        items - 1,
        single,
        mean,
    )


def kendall_w(ratings: Ratings) -> Fraction | None:
    """Compute the coefficient of concordance with its correction for ties, 0 to 1.

    W = 12 S / (m² (n³ − n) − m ΣT), T = Σ (t³ − t) over the ties of each expert (Kendall &
    Babington Smith 1939; Siegel & Castellan 1988, 9.6). None where nobody tells any items apart.
    """
    experts, items = len(ratings), len(ratings[0])
    ranks = [_middle_ranks(row) for row in ratings]
    sums = [sum(row[i] for row in ranks) for i in range(items)]
    mean = Fraction(sum(sums), items)
    spread = _squares(total - mean for total in sums)
    ties = sum(t**3 - t for row in ratings for t in Counter(row).values())
    most = experts**2 * (items**3 - items) - experts * ties
    return None if most == 0 else 12 * spread / most


def _middle_ranks(row: Sequence[int]) -> list[Fraction]:
    """Rank from 1; equal scores share the mean of the ranks they take."""
    below = {score: sum(other < score for other in row) for score in set(row)}
    equal = Counter(row)
    return [Fraction(2 * below[score] + equal[score] + 1, 2) for score in row]


def icc(ratings: Ratings) -> tuple[Fraction | None, Fraction | None]:
    """Compute ICC(2,1) and ICC(2,k): two-way random effects, absolute agreement.

    Shrout & Fleiss 1979, Psychological Bulletin 86(2), 420–428. None where all scores are equal.
    """
    k, n = len(ratings), len(ratings[0])
    every = [Fraction(score) for row in ratings for score in row]
    grand = sum(every, Fraction(0)) / (n * k)
    item_means = [Fraction(sum(row[i] for row in ratings), k) for i in range(n)]
    expert_means = [Fraction(sum(row), n) for row in ratings]
    between_items = k * _squares(mean - grand for mean in item_means)
    between_experts = n * _squares(mean - grand for mean in expert_means)
    total = _squares(score - grand for score in every)
    items = between_items / (n - 1)
    judges = between_experts / (k - 1)
    error = (total - between_items - between_experts) / ((n - 1) * (k - 1))
    single = items + (k - 1) * error + Fraction(k, n) * (judges - error)
    mean = items + (judges - error) / n
    return (
        (items - error) / single if single else None,
        (items - error) / mean if mean else None,
    )


def _squares(distances: Iterable[Fraction]) -> Fraction:
    return sum((distance * distance for distance in distances), Fraction(0))


def outliers(scores: Sequence[int], *, beyond_hundredths: int, points: int) -> frozenset[int]:
    """Return the places of the scores that stand apart from the panel's median.

    A score stands apart when its modified z-score passes ``beyond_hundredths`` and it lies at least
    ``points`` away, so that a panel of one mind is not blamed for a point.
    """
    middle = _median(scores)
    apart = [abs(score - middle) for score in scores]
    scale, factor = _median(apart), _BY_MEDIAN
    if scale == 0:
        scale, factor = Fraction(sum(apart)) / len(apart), _BY_MEAN
    if scale == 0:
        return frozenset()
    return frozenset(
        place
        for place, distance in enumerate(apart)
        if distance >= points and factor * distance / scale * 100 > beyond_hundredths
    )


def _median(values: Sequence[int] | Sequence[Fraction]) -> Fraction:
    ordered = sorted(Fraction(value) for value in values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def decimals(value: Fraction | None, places: int = 3) -> str:
    """Write a coefficient rounded half up, ``0.712``; a missing one as a dash."""
    if value is None:
        return "—"
    scaled = abs(value) * 10**places
    whole, rest = divmod(
        (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator), 10**places
    )
    return f"{'−' if value < 0 and (whole or rest) else ''}{whole}.{rest:0{places}d}"
