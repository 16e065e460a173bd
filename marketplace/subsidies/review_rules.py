"""Review: who may decide a step, what a decision needs, what a panel of experts comes to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from marketplace.foundation.access import Actor, Role
from marketplace.foundation.errors import Conflict, NotAllowed, Problem, RuleBroken, raise_if_any
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.words import Word
from marketplace.subsidies import rules
from marketplace.subsidies.calculation_rules import scale_to_budget
from marketplace.subsidies.rules import ClaimStatus, ReviewDecision, ReviewStep

LEAST_EXPERT_SCORE = 60
# Platform rule: how far apart the scores of a panel may lie to be called so.
_CLOSE_POINTS = 10
_APART_POINTS = 20


class Agreement(Word):
    """How far the experts of a panel agree."""

    CLOSE = "close", "意见一致", "ok"
    FAIR = "fair", "基本一致", "neutral"
    APART = "apart", "分歧较大", "warn"


@dataclass(frozen=True)
class ExpertOpinion:
    """What one expert found, for themselves."""

    decision: ReviewDecision
    score: int
    opinion: str = ""


@dataclass(frozen=True)
class Panel:
    """What the experts found together: of how many, the mean, the spread, and their decision.

    ``decision`` is None while a seat is free.
    """

    seat_count: int
    opinions: tuple[ExpertOpinion, ...]
    decision: ReviewDecision | None

    @property
    def mean(self) -> Decimal:
        """Return the mean score, to one decimal."""
        total = Decimal(sum(opinion.score for opinion in self.opinions))
        return (total / len(self.opinions)).quantize(Decimal("0.1"), ROUND_HALF_UP)

    @property
    def lowest(self) -> int:
        """Return the lowest score."""
        return min(opinion.score for opinion in self.opinions)

    @property
    def highest(self) -> int:
        """Return the highest score."""
        return max(opinion.score for opinion in self.opinions)

    @property
    def agreement(self) -> Agreement:
        """Return how far the experts agree, by their decisions and the spread of their scores."""
        spread = self.highest - self.lowest
        if spread > _APART_POINTS:
            return Agreement.APART
        same = len({opinion.decision for opinion in self.opinions}) == 1
        return Agreement.CLOSE if same and spread <= _CLOSE_POINTS else Agreement.FAIR


def judge_panel(opinions: Sequence[ExpertOpinion], *, seat_count: int) -> Panel:
    """Come to the panel's decision once every seat has spoken (platform rule).

    More than half for it and a mean of 60 at least lets a claim pass; more than half for refusing
    refuses it; anything else sends it back with all opinions.
    """
    found = Panel(seat_count, tuple(opinions), None)
    if len(opinions) < seat_count:
        return found
    half = Fraction(seat_count, 2)
    counted = {
        decision: sum(opinion.decision is decision for opinion in opinions)
        for decision in ReviewDecision
    }
    enough = sum(opinion.score for opinion in opinions) >= LEAST_EXPERT_SCORE * len(opinions)
    decision = ReviewDecision.RETURN
    if counted[ReviewDecision.PASS] > half and enough:
        decision = ReviewDecision.PASS
    elif counted[ReviewDecision.REFUSE] > half:
        decision = ReviewDecision.REFUSE
    return Panel(seat_count, tuple(opinions), decision)


def check_seat(*, taken_by: Collection[int | None], actor: Actor, seat_count: int) -> None:
    """Refuse a second opinion of one expert, and one more than the panel has seats."""
    if actor.user_id in taken_by:
        raise Conflict("claims.judged", "您已经评审过这份申报，不能再评；结果以您第一次提交的为准")
    if len(taken_by) >= seat_count:
        raise Conflict("claims.panel_full", f"{seat_count} 名专家都已评审，不再需要意见")


def check_reviewer(
    actor: Actor,
    *,
    step: ReviewStep,
    district: str | None,
    reviewer_district: str | None,
    organisation_id: int,
    party_ids: Collection[int],
) -> None:
    """Refuse a review by another role, by another district, or by anybody who is concerned.

    Where a claimant's district has no office on the platform (``district`` None), the promotion
    centre makes the first review in its place.
    """
    role = rules.ROLE_OF[step]
    if step is ReviewStep.DISTRICT and district is None:
        role = Role.CENTRE_REVIEWER
    if not actor.has(role):
        raise NotAllowed("claims.not_reviewer", f"这一步由{role.label}办理")
    if step is ReviewStep.DISTRICT and district is not None and district != reviewer_district:
        raise NotAllowed("claims.other_district", "这家单位在别的区县，由那里的科技主管部门初审")
    if actor.organisation_id == organisation_id:
        raise NotAllowed("claims.own", "不能审核本单位的申报，请由其他单位的人员办理")
    if actor.organisation_id in party_ids:
        raise NotAllowed("claims.concerned", "您的单位是所涉合同的一方，须回避，请由其他人员办理")


def check_review(
    *,
    status: ClaimStatus,
    step: ReviewStep,
    decision: ReviewDecision,
    opinion: str,
    score: int | None,
    unconcerned: bool,
) -> None:
    """Refuse a review of another step, without grounds, or an expert's without score."""
    if rules.STEP_OF.get(status) is not step:
        raise Conflict(
            "claims.moved_on", f"这份申报现在是“{status.label}”，不在这一步，请刷新后再看"
        )
    problems = []
    if decision is not ReviewDecision.PASS and len(opinion.strip()) < 10:
        problems.append(
            Problem(
                "claims.no_grounds",
                "退回或不予支持要写明理由和需要补正的内容，至少 10 个字；申报单位会看到",
                "opinion",
            )
        )
    if step is ReviewStep.EXPERT:
        if score is None:
            problems.append(Problem("claims.no_score", "请给出 0 到 100 的评分", "score"))
        elif decision is ReviewDecision.PASS and score < LEAST_EXPERT_SCORE:
            problems.append(
                Problem(
                    "claims.low_score",
                    f"评分低于 {LEAST_EXPERT_SCORE} 分不能通过，请修改评分或结论",
                    "score",
                )
            )
        if not unconcerned:
            problems.append(
                Problem("claims.no_statement", "请勾选与申报单位没有利害关系的声明", "unconcerned")
            )
    raise_if_any(problems)


@dataclass(frozen=True)
class Shares:
    """What each settled claim is paid out of what is left of the budget."""

    factor: Fraction
    left_fen: Fen
    wanted_fen: Fen
    amounts: tuple[Fen, ...]

    @property
    def scaled(self) -> bool:
        """Tell whether the budget was too small for all."""
        return self.factor < 1


def share_budget(
    wanted: Sequence[Fen], *, budget: Fen, granted: Iterable[Fen], undecided: Iterable[Fen]
) -> Shares:
    """Share what is left of a round's budget; scale all by one factor where it is too small.

    Refuse while claims under review could still change that factor.
    """
    left = Fen(max(0, budget - sum(granted)))
    total = Fen(sum(wanted))
    waiting = list(undecided)
    if waiting and total + sum(waiting) > left:
        raise RuleBroken(
            "rounds.undecided",
            f"预算余额 {format_yuan(left)} 元不够支付全部申报，还有 {len(waiting)} 件在审；"
            "须等全部审结后按同一比例缩减，再一并公示",
        )
    scaling = scale_to_budget(wanted, left)
    return Shares(scaling.factor, left, total, scaling.amounts)
