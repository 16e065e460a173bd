"""Ratings of a broker by both sides of a registered contract: who may rate, and what is shown.

Pure. Figures stand on the public page from three ratings on, words after the operator's look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from marketplace.brokerage.rules import DealStage
from marketplace.foundation.access import Permission, Role
from marketplace.foundation.errors import Conflict, NotFound, Problem, RuleBroken, raise_if_any
from marketplace.foundation.words import Word

RATE = Permission(
    "brokerage.rate_broker",
    frozenset({Role.ENTERPRISE, Role.ORG_ADMIN, Role.OFFICER, Role.LEADER}),
)
ANSWER_RATING = Permission("brokerage.answer_rating", frozenset({Role.BROKER}))
REVIEW_RATINGS = Permission("brokerage.review_ratings", frozenset({Role.OPERATOR}))

# Under so many ratings an average would tell of single persons rather than of the broker.
LEAST_RATINGS = 3
SCORES = range(1, 6)
SHORTEST_WORDS = 10


class Criterion(Word):
    """What a broker is rated on."""

    RESPONSE = "response", "响应及时"
    SKILL = "skill", "专业能力"
    TRUST = "trust", "守信履约"


class RatingSide(Word):
    """On which side of the contract who rates stood."""

    BUYER = "buyer", "买方评价"
    SELLER = "seller", "卖方评价"


class WordsState(Word):
    """Where the words of a rating stand."""

    NONE = "none", "不公开", "neutral"
    WAITING = "waiting", "待审看", "run"
    SHOWN = "shown", "已公开", "ok"
    HIDDEN = "hidden", "未公开", "danger"


@dataclass(frozen=True)
class Carried:
    """A deal with the broker who carried it, as far as a rating needs it."""

    stage: DealStage
    registered_on: date | None
    seller_organisation_id: int
    buyer_organisation_id: int
    broker_user_id: int | None
    # Where the broker worked then and where he works now; neither rates him.
    broker_organisation_ids: frozenset[int]


def last_day(registered_on: date, days: int) -> date:
    """Return the last day on which a contract's broker may be rated."""
    return registered_on + timedelta(days=days)


def check_may_rate(
    deal: Carried, *, user_id: int | None, organisation_id: int | None, today: date, days: int
) -> RatingSide:
    """Return the side on which who rates stood, or refuse; strangers are told nothing."""
    parties = {
        deal.seller_organisation_id: RatingSide.SELLER,
        deal.buyer_organisation_id: RatingSide.BUYER,
    }
    side = parties.get(organisation_id or 0)
    if side is None:
        raise NotFound()
    if deal.broker_user_id is None:
        raise RuleBroken("rating.no_broker", "这个项目没有技术经理人，不需要评价")
    if deal.broker_user_id == user_id or organisation_id in deal.broker_organisation_ids:
        raise RuleBroken("rating.own", "不能评价自己或本机构的技术经理人；由合同的另一方评价")
    if deal.stage not in (DealStage.REGISTERED, DealStage.PAID) or deal.registered_on is None:
        raise RuleBroken("rating.not_registered", "合同登记之后才能评价技术经理人")
    if today > last_day(deal.registered_on, days):
        raise RuleBroken(
            "rating.over",
            f"评价在合同登记后 {days} 天内有效，这份合同已过期限，不再接受评价",
        )
    return side


def check_rating(scores: Mapping[Criterion, int | None], *, words: str, consented: bool) -> None:
    """Refuse a rating with a score missing or out of 1 to 5, or with words too short to show."""
    problems = [
        Problem("rating.score", f"请给“{criterion.label}”打 1 到 5 分", criterion.value)
        for criterion in Criterion
        if scores.get(criterion) not in SCORES
    ]
    if consented and len(words.strip()) < SHORTEST_WORDS:
        problems.append(
            Problem(
                "rating.words",
                f"同意公开的评语至少写 {SHORTEST_WORDS} 个字；不想写的请不要勾选公开",
                "words",
            )
        )
    raise_if_any(problems)


def words_state(*, words: str, consented: bool) -> WordsState:
    """Return where the words of a new rating stand: only with consent are they looked at."""
    return WordsState.WAITING if consented and words.strip() else WordsState.NONE


def decide_words(state: WordsState, *, shown: bool, reason: str) -> WordsState:
    """Return what becomes of words that wait; keeping them back needs a reason."""
    if state is not WordsState.WAITING:
        raise Conflict("rating.decided", f"这条评语已经是“{state.label}”，不必再处理")
    if not shown and len(reason.strip()) < SHORTEST_WORDS:
        raise RuleBroken(
            "rating.reason",
            f"请写明不公开的理由，至少 {SHORTEST_WORDS} 个字，评价人会看到",
            "reason",
        )
    return WordsState.SHOWN if shown else WordsState.HIDDEN


def check_answer(state: WordsState, answered: bool, answer: str) -> str:
    """Return the trimmed answer of a broker; he answers shown words, once."""
    if state is not WordsState.SHOWN:
        raise Conflict("rating.not_shown", "只有已公开的评语可以回应")
    if answered:
        raise Conflict("rating.answered", "您已经回应过这条评语，每条只能回应一次")
    text = answer.strip()
    if len(text) < SHORTEST_WORDS:
        raise RuleBroken("rating.answer", f"请写明情况，至少 {SHORTEST_WORDS} 个字", "answer")
    return text


@dataclass(frozen=True)
class Mean:
    """An average in tenths of a point, with the ratings it rests on; None under three."""

    criterion: Criterion
    tenths: int | None
    count: int

    @property
    def text(self) -> str:
        """Return the average as it is read."""
        return "" if self.tenths is None else f"{self.tenths // 10}.{self.tenths % 10}"


def mean(criterion: Criterion, scores: Sequence[int]) -> Mean:
    """Average some scores to the tenth, half up; under three ratings there is none."""
    count = len(scores)
    return Mean(criterion, tenths(scores) if count >= LEAST_RATINGS else None, count)


def tenths(scores: Sequence[int]) -> int:
    """Average at least one score to tenths of a point, half up."""
    return (sum(scores) * 20 + len(scores)) // (2 * len(scores))
