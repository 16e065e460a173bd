"""The pre-assessment: a first score computed from what an achievement's record holds.

A pure function of a frozen value and dated weights. Each partial score says why it is what it is
and what would raise it. It judges the record, never the technology: that is the experts' work.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from marketplace.achievements import ip_rules
from marketplace.achievements.completeness_rules import EMPTY_CLAIMS
from marketplace.achievements.rules import (
    TRL_MEANING,
    WHOLE_SHARE,
    AchievementContent,
    EvidenceClass,
    IPKind,
    LegalStatus,
)
from marketplace.assessments.parameters import ScoringVersion
from marketplace.assessments.rules import Indicator, weighted_tenths
from marketplace.foundation.words import Word

# Rights whose novelty an office examines before it grants them.
EXAMINED = frozenset({IPKind.INVENTION, IPKind.PLANT_VARIETY, IPKind.BIOMEDICAL})
_PENDING = frozenset({LegalStatus.EXAMINATION, LegalStatus.FILED})
_LIVE = frozenset({LegalStatus.GRANTED, LegalStatus.REGISTERED, LegalStatus.SECRET})
_FIGURE = re.compile(r"\d")


class PreGrade(Word):
    """How far the record carries an assessment."""

    STRONG = "strong", "材料充分", "ok"
    FAIR = "fair", "基本可评", "run"
    THIN = "thin", "需要补充", "warn"


@dataclass(frozen=True)
class RightFacts:
    """One IP right as far as scoring needs it."""

    examined: bool
    live: bool
    pending: bool
    over: bool
    unknown: bool
    remaining_tenths: int | None


@dataclass(frozen=True)
class RecordFacts:
    """All that the pre-assessment looks at."""

    solution_characters: int
    classified: bool
    inventor_count: int
    trl: int | None
    trl_evidenced: bool
    measured_lines: tuple[EvidenceClass | None, ...]
    unmeasured_lines: int
    benefit_has_figure: bool
    benefit_text: str
    empty_claims: tuple[str, ...]
    price_given: bool
    negotiable: bool
    rights: tuple[RightFacts, ...]
    owner_count: int
    shares_whole: bool
    mode_count: int
    industry_given: bool
    fiscal_funded: bool | None
    fiscal_source_given: bool
    stale: bool


def facts_of(content: AchievementContent, *, on: date, stale: bool) -> RecordFacts:
    """Reduce an achievement's content to what the pre-assessment looks at, on a day."""
    measured = [
        line.evidence
        for line in content.comparison
        if _FIGURE.search(line.value) and _FIGURE.search(line.alternative_value)
    ]
    shares = [owner.share for owner in content.owners]
    whole = len(shares) == 1 or (
        None not in shares and sum(share or 0 for share in shares) == WHOLE_SHARE
    )
    told = f"{content.title}\n{content.problem}\n{content.benefit}"
    return RecordFacts(
        solution_characters=len(content.solution.strip()),
        classified=bool(content.ipc or content.discipline.strip()),
        inventor_count=len(content.inventors),
        trl=content.trl,
        trl_evidenced=bool(content.trl_evidence.strip()),
        measured_lines=tuple(measured),
        unmeasured_lines=len(content.comparison) - len(measured),
        benefit_has_figure=_FIGURE.search(content.benefit) is not None,
        benefit_text=told,
        empty_claims=tuple(claim for claim in EMPTY_CLAIMS if claim in told),
        price_given=content.price_fen is not None,
        negotiable=content.negotiable,
        rights=tuple(
            RightFacts(
                examined=right.kind in EXAMINED,
                live=right.legal_status in _LIVE and not ip_rules.is_over(right, on),
                pending=right.legal_status in _PENDING,
                over=ip_rules.is_over(right, on),
                unknown=right.legal_status is LegalStatus.UNKNOWN,
                remaining_tenths=ip_rules.remaining_tenths(right, on),
            )
            for right in content.ip_rights
        ),
        owner_count=len(content.owners),
        shares_whole=bool(shares) and whole,
        mode_count=len(content.modes),
        industry_given=bool(content.industry_code),
        fiscal_funded=content.fiscal_funded,
        fiscal_source_given=bool(content.fiscal_source.strip()),
        stale=stale,
    )


@dataclass(frozen=True)
class CriterionScore:
    """Points of one criterion, why, and what would raise them (empty when nothing is missing)."""

    code: str
    label: str
    points: int
    most: int
    reason: str
    advice: str


@dataclass(frozen=True)
class IndicatorScore:
    """One of the five indicators: 0–100 points out of its criteria."""

    indicator: Indicator
    weight_per_mille: int
    criteria: tuple[CriterionScore, ...]

    @property
    def points(self) -> int:
        """Return the indicator's points, 0–100."""
        return sum(criterion.points for criterion in self.criteria)


@dataclass(frozen=True)
class PreAssessment:
    """The whole first score, in tenths of a point, with its grade and its basis."""

    indicators: tuple[IndicatorScore, ...]
    score_tenths: int
    grade: PreGrade
    reference: str

    def advice(self, limit: int = 5) -> list[CriterionScore]:
        """List what would raise the score most, weighted, the largest gain first."""
        gains = [
            ((criterion.most - criterion.points) * indicator.weight_per_mille, criterion)
            for indicator in self.indicators
            for criterion in indicator.criteria
            if criterion.advice
        ]
        return [criterion for _gain, criterion in sorted(gains, key=lambda g: -g[0])[:limit]]


Verdict = tuple[int, str, str]


def pre_assess(facts: RecordFacts, version: ScoringVersion) -> PreAssessment:
    """Compute the first score of a record under one version of the rules."""
    points = version.criteria.model_dump()
    weights = version.weights.model_dump()
    indicators = tuple(
        IndicatorScore(
            indicator,
            weights[indicator.value],
            tuple(
                CriterionScore(
                    code, label, *_within(judge(facts, points[code], version), points[code])
                )
                for code, label, judge in criteria
            ),
        )
        for indicator, criteria in _CRITERIA.items()
    )
    score = weighted_tenths(
        {part.indicator: part.points for part in indicators},
        {part.indicator: part.weight_per_mille for part in indicators},
    )
    thresholds = version.thresholds
    grade = (
        PreGrade.STRONG
        if score >= thresholds.strong_from * 10
        else PreGrade.FAIR
        if score >= thresholds.fair_from * 10
        else PreGrade.THIN
    )
    return PreAssessment(indicators, score, grade, version.reference)


def _within(verdict: Verdict, most: int) -> tuple[int, int, str, str]:
    points, reason, advice = verdict
    return points, most, reason, "" if points >= most else advice


def _principle(facts: RecordFacts, most: int, version: ScoringVersion) -> Verdict:
    wanted = version.thresholds.principle_characters
    length = facts.solution_characters
    advice = f"在“做法”里写清原理和关键步骤，写到 {wanted} 字左右，专家才能判断新在哪里"
    return most * min(length, wanted) // wanted, f"“做法”写了 {length} 字", advice


def _examined(facts: RecordFacts, most: int, version: ScoringVersion) -> Verdict:
    granted = sum(right.examined and right.live for right in facts.rights)
    pending = sum(right.examined and right.pending for right in facts.rights)
    advice = "登记经过实质审查的权利（如发明专利）及其法律状态"
    if granted:
        return most, f"有 {granted} 项经实质审查授权的权利", ""
    if pending:
        return most // 2, f"有 {pending} 项权利在审查中，尚未授权", "授权后更新法律状态"
    return 0, "没有登记经实质审查的权利", advice


def _classification(facts: RecordFacts, most: int, version: ScoringVersion) -> Verdict:
    if facts.classified:
        return most, "已填写 IPC 分类或学科", ""
    return 0, "没有填写 IPC 分类或学科", "填写 IPC 分类号或学科，便于找到同行专家"


def _team(facts: RecordFacts, most: int, version: ScoringVersion) -> Verdict:
    wanted = version.thresholds.team_members
    count = facts.inventor_count
    return (
        most * min(count, wanted) // wanted,
        f"登记了 {count} 位发明人" if count else "没有登记发明人",
        f"补全发明人（{wanted} 位以上得满分），后续开发靠团队",
    )


def _maturity(facts: RecordFacts, most: int, version: ScoringVersion) -> Verdict:
    if facts.trl is None:
        return 0, "没有填写成熟度", "按 GB/T 22900-2022 选择技术就绪度等级，并写明证据"
    points = most * facts.trl // 9
    said = f"技术就绪度 {facts.trl} 级（{TRL_MEANING[facts.trl]}）"
    if not facts.trl_evidenced:
        share = version.thresholds.unevidenced_maturity_per_mille
        return (
            points * share // 1000,
            f"{said}，但没有证据，按 {share // 10} % 计",
            "写明证据：在哪里、多大规模、运行多久，或附检测报告",
        )
    return points, f"{said}，有证据", "推进中试或示范应用，达到更高一级后更新"


def _innovation(facts: RecordFacts, most: int, version: ScoringVersion) -> Verdict:
    wanted = version.thresholds.innovation_rights
    # In halves: an examined right in force counts one, every other living or pending one a half.
    halves = sum(
        2 if right.examined and right.live else 1
        for right in facts.rights
        if right.live or right.pending
    )
    living = sum(right.live for right in facts.rights)
    pending = sum(right.pending for right in facts.rights)
    if halves == 0:
        return 0, "没有有效或在审的权利", "登记支撑这项成果的知识产权，技术秘密也算"
    return (
        most * min(halves, wanted * 2) // (wanted * 2),
        f"有效权利 {living} 项，在审 {pending} 项",
        f"围绕核心方法补充布局，{wanted} 项经实质审查的权利得满分",
    )


def _advancement(facts: RecordFacts, most: int, version: ScoringVersion) -> Verdict:
    wanted = version.thresholds.comparison_lines
    outside = sum(
        evidence in (EvidenceClass.THIRD_PARTY, EvidenceClass.USER)
        for evidence in facts.measured_lines
    )
    own = len(facts.measured_lines) - outside
    points = most * min(outside * 2 + own, wanted * 2) // (wanted * 2)
    if not facts.measured_lines:
        claims = "、".join(facts.empty_claims[:2])
        said = f"只有“{claims}”之类的说法，没有对比数据" if claims else "没有带数字的对比数据"
        return 0, said, f"在对比表里写 {wanted} 项指标，本成果与最优替代方案各一个数"
    reason = f"{len(facts.measured_lines)} 项指标有数字，其中第三方或用户证据 {outside} 项"
    if facts.unmeasured_lines:
        reason += f"；另有 {facts.unmeasured_lines} 项没有数字，不计"
    return points, reason, f"自测数据只计一半：取得第三方检测或用户证明，{wanted} 项得满分"


def _benefit(facts: RecordFacts, most: int, version: ScoringVersion) -> Verdict:
    if facts.benefit_has_figure:
        return most, "好处写成了数字", ""
    return 0, "好处没有数字", "写清省多少钱、提高多少产量或合格率，用数字和单位"


def _price(facts: RecordFacts, most: int, version: ScoringVersion) -> Verdict:
    if facts.price_given:
        return most, "给出了期望价格", ""
    if facts.negotiable:
        return most // 2, "价格面议", "给出期望价格或区间，企业更愿意来谈"
    return 0, "没有说明价格", "填写期望价格，或选择面议"


def _protection(facts: RecordFacts, most: int, version: ScoringVersion) -> Verdict:
    years = version.thresholds.protection_years
    terms = [
        right.remaining_tenths
        for right in facts.rights
        if not right.over and right.remaining_tenths is not None
    ]
    if terms:
        longest = max(terms)
        return (
            most * min(longest, years * 10) // (years * 10),
            f"保护期最长还剩 {longest // 10}.{longest % 10} 年",
            f"剩余 {years} 年以上得满分；可为改进方案申请新的权利",
        )
    if any(right.live for right in facts.rights):
        return most // 2, "权利没有可计算的期限，按一半计", "补填申请日或到期日"
    return 0, "没有可计算剩余期限的权利", "登记权利的申请日和法律状态"


def _user_evidence(facts: RecordFacts, most: int, version: ScoringVersion) -> Verdict:
    users = sum(evidence is EvidenceClass.USER for evidence in facts.measured_lines)
    if users:
        return most, f"有 {users} 项数据来自用户使用", ""
    return 0, "没有来自用户使用的数据", "请试用单位出具使用证明，在对比表里标为“用户使用”"


def _public_benefit(facts: RecordFacts, most: int, version: ScoringVersion) -> Verdict:
    found = [term for term in version.public_benefit_terms if term in facts.benefit_text]
    if not found:
        return (
            0,
            "没有写到对环境、健康、安全或公共服务的作用",
            "写明减少多少排放、事故、用药或劳动强度，惠及哪些人",
        )
    named = "、".join(found[:3])
    if facts.benefit_has_figure:
        return most, f"写到{named}，并有数字", ""
    return most // 2, f"写到{named}，但没有数字", "把作用写成数字和单位"


def _funding(facts: RecordFacts, most: int, version: ScoringVersion) -> Verdict:
    if facts.fiscal_funded is None:
        return 0, "没有说明是否财政资金资助", "选择是否财政资金资助；资助的写明项目来源"
    if facts.fiscal_funded and not facts.fiscal_source_given:
        return most // 2, "财政资金资助，没有写项目来源", "写明项目名称和编号"
    return most, "已说明财政资金资助情况", ""


def _modes(facts: RecordFacts, most: int, version: ScoringVersion) -> Verdict:
    wanted = version.thresholds.mode_count
    count = facts.mode_count
    return (
        most * min(count, wanted) // wanted,
        f"提供 {count} 种转化方式" if count else "没有选择转化方式",
        f"提供 {wanted} 种以上方式，如普通许可、先使用后付费，企业更容易起步",
    )


def _owners(facts: RecordFacts, most: int, version: ScoringVersion) -> Verdict:
    if facts.owner_count == 0:
        return 0, "没有登记权利人", "登记全部权利人和份额"
    if facts.shares_whole:
        return most, f"{facts.owner_count} 个权利人，份额清楚", ""
    return most // 2, "权利人份额没有写全", "补全各权利人份额，合计 100 %"


def _in_force(facts: RecordFacts, most: int, version: ScoringVersion) -> Verdict:
    over = sum(right.over for right in facts.rights)
    unknown = sum(right.unknown and not right.over for right in facts.rights)
    if not facts.rights:
        return 0, "没有登记知识产权", "登记知识产权；只有技术秘密的也请登记"
    if over:
        return 0, f"有 {over} 项权利已失效", "失效的权利不能转让：核实年费与法律状态后更新"
    if unknown:
        return most // 2, f"有 {unknown} 项权利的法律状态待核实", "核实并更新法律状态"
    return most, "登记的权利都有效或在审", ""


def _industry(facts: RecordFacts, most: int, version: ScoringVersion) -> Verdict:
    if facts.industry_given:
        return most, "已填写应用行业", ""
    return 0, "没有填写应用行业", "选择国民经济行业，匹配才能找到企业"


def _fresh(facts: RecordFacts, most: int, version: ScoringVersion) -> Verdict:
    if facts.stale:
        return 0, "信息超过确认期没有更新", "核对后点击确认，恢复排序"
    return most, "信息在确认期内", ""


_Judge = Callable[[RecordFacts, int, ScoringVersion], Verdict]

_CRITERIA: dict[Indicator, tuple[tuple[str, str, _Judge], ...]] = {
    Indicator.SCIENTIFIC: (
        ("principle", "原理与方法", _principle),
        ("examined_rights", "经审查的新颖性", _examined),
        ("classification", "学科与分类", _classification),
        ("team", "团队", _team),
    ),
    Indicator.TECHNICAL: (
        ("maturity", "成熟度", _maturity),
        ("innovation", "创新度", _innovation),
        ("advancement", "先进度", _advancement),
    ),
    Indicator.ECONOMIC: (
        ("benefit_figure", "效益有数字", _benefit),
        ("price", "价格", _price),
        ("protection", "剩余保护期", _protection),
        ("user_evidence", "用户证据", _user_evidence),
    ),
    Indicator.SOCIAL: (
        ("public_benefit", "公共作用", _public_benefit),
        ("funding_declared", "资助情况公开", _funding),
    ),
    Indicator.TRANSFER: (
        ("modes", "转化方式", _modes),
        ("clear_owners", "权属清晰", _owners),
        ("rights_in_force", "权利有效", _in_force),
        ("industry", "应用行业", _industry),
        ("fresh", "信息新鲜", _fresh),
    ),
}
