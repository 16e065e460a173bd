"""A panel of experts: who may sit on it, what a score sheet must hold, what the sheets add up to.

Five or seven experts score blind: nobody sees another's sheet, and the house sees none, until all
are in. Rests on GB/T 44731-2024 (five indicators); the panel's terms are rules of the platform.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from marketplace.assessments.agreement_rules import Agreement, agreement, outliers
from marketplace.assessments.parameters import PanelTerms, Sheet, SubIndicator
from marketplace.assessments.rules import REASON_MIN, Indicator, weighted_of_tenths
from marketplace.foundation.errors import Problem, RuleBroken, raise_if_any
from marketplace.foundation.words import Word

TRL_LEVELS = 9


class AchievementType(Word):
    """What kind of work an achievement is; it decides what weighs how much."""

    BASIC = "basic", "基础研究"
    APPLIED = "applied", "应用研究"
    DEVELOPMENT = "development", "技术开发与产业化"


class SeatState(Word):
    """Where an expert of a panel stands."""

    INVITED = "invited", "待声明", "warn"
    DECLARED = "declared", "评分中", "run"
    SUBMITTED = "submitted", "已交评分", "ok"
    DECLINED = "declined", "已回避", "neutral"


@dataclass(frozen=True)
class Candidate:
    """An expert who is to sit on a panel."""

    user_id: int
    name: str
    in_field: bool
    conflicts: tuple[str, ...]


def check_panel(candidates: Sequence[Candidate], terms: PanelTerms) -> None:
    """Refuse a panel of another size, with too few experts of the field, or with a conflict."""
    problems = []
    sizes = " 或 ".join(str(size) for size in terms.sizes)
    if len({c.user_id for c in candidates}) not in terms.sizes:
        problems.append(
            Problem(
                "assessments.panel_size",
                f"专家组应为 {sizes} 人，现在选了 {len(candidates)} 人；请增减后再提交",
                "experts",
            )
        )
    own = sum(candidate.in_field for candidate in candidates)
    least = least_of_field(len(candidates), terms)
    if own < least:
        problems.append(
            Problem(
                "assessments.panel_field",
                f"同领域专家不得少于三分之二，{len(candidates)} 人中至少 {least} 人，"
                f"现在 {own} 人；请换入本领域专家",
                "experts",
            )
        )
    problems += [
        Problem(
            "assessments.expert_conflict",
            f"{candidate.name}：{'、'.join(candidate.conflicts)}，须回避，请换一位专家",
            "experts",
        )
        for candidate in candidates
        if candidate.conflicts
    ]
    raise_if_any(problems)


def least_of_field(size: int, terms: PanelTerms) -> int:
    """Return how many of a panel's experts must be of the achievement's field, rounded up."""
    share, of = terms.field_share_of
    return -(-size * share // of)


def seats(assessment_id: int, user_ids: Collection[int]) -> list[int]:
    """Return the experts in the order of their seats, which tells nothing about who they are."""

    def scattered(user_id: int) -> str:
        return hashlib.sha256(f"{assessment_id}:{user_id}".encode()).hexdigest()

    return sorted(set(user_ids), key=scattered)


@dataclass(frozen=True)
class SheetAnswers:
    """What one expert filled in: points or levels by code, reasons by indicator, the evidence."""

    marks: Mapping[str, int]
    reasons: Mapping[Indicator, str]
    trl_evidence: str


def check_sheet(answers: SheetAnswers, sheet: Sheet, terms: PanelTerms) -> None:
    """Refuse a sheet with a missing or impossible mark, without reasons or maturity evidence."""
    problems = []
    for line in sheet.lines():
        most = most_of(line, terms)
        least = 1 if line.scale else 0
        mark = answers.marks.get(line.code)
        if mark is None:
            problems.append(
                Problem("assessments.mark_missing", f"请为“{line.label}”评分", f"mark_{line.code}")
            )
        elif not least <= mark <= most:
            unit = "级" if line.scale else "分"
            problems.append(
                Problem(
                    "assessments.mark_range",
                    f"“{line.label}”应在 {least} 到 {most} {unit}之间",
                    f"mark_{line.code}",
                )
            )
    for indicator in Indicator:
        if len(answers.reasons.get(indicator, "").strip()) < REASON_MIN:
            problems.append(
                Problem(
                    "assessments.score_reason",
                    f"请写明“{indicator.label}”评分的依据，至少 {REASON_MIN} 个字",
                    f"reason_{indicator.value}",
                )
            )
    if len(answers.trl_evidence.strip()) < REASON_MIN:
        problems.append(
            Problem(
                "assessments.trl_evidence",
                f"请写明判定成熟度等级的证据，至少 {REASON_MIN} 个字：看到了哪份报告、哪套装置",
                "trl_evidence",
            )
        )
    raise_if_any(problems)


def most_of(line: SubIndicator, terms: PanelTerms) -> int:
    """Return the highest mark of a line: 100 points, or the top level of its scale."""
    if line.scale == "trl":
        return TRL_LEVELS
    if line.scale == "innovation":
        return len(terms.scales.innovation)
    if line.scale == "advancement":
        return len(terms.scales.advancement)
    return 100


def points_of(line: SubIndicator, mark: int, terms: PanelTerms) -> int:
    """Turn a mark into points 0–100; a level counts by its share of the scale, rounded half up."""
    most = most_of(line, terms)
    return (200 * mark + most) // (2 * most)


def indicator_points(
    marks: Mapping[str, int], sheet: Sheet, terms: PanelTerms
) -> dict[Indicator, int]:
    """Return an expert's points for each indicator, whole points rounded half up."""
    result = {}
    for indicator in Indicator:
        total = sum(
            line.weight * points_of(line, marks[line.code], terms)
            for line in sheet.indicators[indicator.value]
        )
        result[indicator] = (total + 50) // 100
    return result


@dataclass(frozen=True)
class IndicatorResult:
    """What the panel says on one indicator: all scores by seat, and the mean without extremes."""

    indicator: Indicator
    weight_per_mille: int
    points: tuple[int, ...]
    tenths: int
    outlying: frozenset[int]


@dataclass(frozen=True)
class LevelResult:
    """The levels by seat on one scale, and their median."""

    label: str
    levels: tuple[int, ...]
    median: int
    most: int
    meaning: str


@dataclass(frozen=True)
class PanelResult:
    """What the sheets add up to, in tenths of a point, and how far they agree."""

    indicators: tuple[IndicatorResult, ...]
    levels: tuple[LevelResult, ...]
    score_tenths: int
    agreement: Agreement

    @property
    def outlying(self) -> bool:
        """Tell whether a score stands apart."""
        return any(result.outlying for result in self.indicators)


def panel_result(
    marks: Sequence[Mapping[str, int]],
    sheet: Sheet,
    terms: PanelTerms,
    meanings: Mapping[str, Sequence[str]],
) -> PanelResult:
    """Add up the sheets, in the order of the seats; ``meanings`` are the words of each scale."""
    points = [indicator_points(own, sheet, terms) for own in marks]
    weights = sheet.weights.model_dump()
    results = []
    for indicator in Indicator:
        scores = tuple(own[indicator] for own in points)
        results.append(
            IndicatorResult(
                indicator,
                weights[indicator.value],
                scores,
                trimmed_tenths(scores),
                outliers(
                    scores,
                    beyond_hundredths=terms.outlier_hundredths,
                    points=terms.outlier_points,
                ),
            )
        )
    levels = []
    for line in sheet.lines():
        if line.scale:
            given = tuple(own[line.code] for own in marks)
            median = sorted(given)[len(given) // 2]
            levels.append(
                LevelResult(
                    line.label,
                    given,
                    median,
                    most_of(line, terms),
                    meanings[line.scale][median - 1],
                )
            )
    lines = sheet.lines()
    return PanelResult(
        tuple(results),
        tuple(levels),
        weighted_of_tenths(
            {result.indicator: result.tenths for result in results},
            {result.indicator: result.weight_per_mille for result in results},
        ),
        agreement([[points_of(line, own[line.code], terms) for line in lines] for own in marks]),
    )


def trimmed_tenths(scores: Sequence[int]) -> int:
    """Return the mean without one highest and one lowest score, in tenths, rounded half up."""
    kept = sorted(scores)[1:-1]
    return (20 * sum(kept) + len(kept)) // (2 * len(kept))


def check_explained(result: PanelResult, terms: PanelTerms, note: str) -> None:
    """Refuse a report on a panel that disagrees while nobody says why."""
    weak = result.agreement.level(terms.weak_agreement_per_mille).value == "weak"
    if (weak or result.outlying) and len(note.strip()) < 20:
        why = "专家意见一致性弱" if weak else "有专家的评分明显偏离"
        raise RuleBroken(
            "assessments.disagreement",
            f"{why}，出具报告前请写明分歧在哪里、如何取舍，至少 20 个字；说明会印在报告上",
            "note",
        )
