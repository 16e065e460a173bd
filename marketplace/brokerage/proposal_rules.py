"""A broker proposes a pair of need and achievement; who is asked says yes or no. Pure."""

from __future__ import annotations

from datetime import date, timedelta

from marketplace.foundation.access import Permission, Role
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.words import Word

PROPOSE = Permission("brokerage.propose", frozenset({Role.BROKER}))
ANSWER_PROPOSAL = Permission(
    "brokerage.answer_proposal",
    frozenset({Role.OFFICER, Role.ORG_ADMIN, Role.LEADER, Role.ENTERPRISE}),
)
READ_PROPOSALS = Permission(
    "brokerage.read_proposals",
    frozenset({Role.BROKER, Role.OFFICER, Role.ORG_ADMIN, Role.LEADER, Role.ENTERPRISE}),
    verified=False,
)

_OPEN_FOR = timedelta(days=30)
"""How long a proposal waits for its answers (platform rule)."""

REMIND_BEFORE = timedelta(days=5)
"""So long before the end who has not answered is reminded, once (platform rule)."""

LONGEST_WORDS = 2_000
_SHORTEST_WORDS = 10


class ProposalTo(Word):
    """Whom a broker asks."""

    BOTH = "both", "同时问双方"
    BUYER = "buyer", "先问需求方"
    SELLER = "seller", "先问成果方"


class ProposalState(Word):
    """Where a proposal stands."""

    OPEN = "open", "等答复", "run"
    AGREED = "agreed", "已同意，项目已建立", "ok"
    DECLINED = "declined", "对方未接受", "neutral"
    LAPSED = "lapsed", "过期没有答复", "neutral"


class SideAnswer(Word):
    """What one side said."""

    NOT_ASKED = "not_asked", "没有问"
    WAITING = "waiting", "等答复", "run"
    ACCEPTED = "accepted", "同意对接", "ok"
    DECLINED = "declined", "不接受", "neutral"


def ends_on(today: date) -> date:
    """Return the last day on which a proposal made on a day can be answered."""
    return today + _OPEN_FOR


def check_words(words: str) -> str:
    """Return the trimmed words of a proposal; refuse too few, and more than the page holds."""
    text = words.strip()
    if not _SHORTEST_WORDS <= len(text) <= LONGEST_WORDS:
        raise RuleBroken(
            "proposal.words",
            f"请写 {_SHORTEST_WORDS} 到 {LONGEST_WORDS} 个字：需求要什么，成果带来什么，还缺什么",
            "words",
        )
    return text


def asked(to: ProposalTo, *, anonymous: bool) -> tuple[SideAnswer, SideAnswer]:
    """Return what stands for (buyer, seller) at first.

    An anonymous need's owner is asked alone: an answer of the other side would open a deal that
    shows the name.
    """
    if anonymous and to is not ProposalTo.BUYER:
        raise RuleBroken(
            "proposal.anonymous",
            "这项需求匿名发布，请先问需求方；企业同意后才会向成果方公开名称",
            "to",
        )
    waits, not_asked = SideAnswer.WAITING, SideAnswer.NOT_ASKED
    return (
        waits if to in (ProposalTo.BOTH, ProposalTo.BUYER) else not_asked,
        waits if to in (ProposalTo.BOTH, ProposalTo.SELLER) else not_asked,
    )


def check_answerable(
    state: ProposalState, answer: SideAnswer, valid_to: date, *, today: date
) -> None:
    """Refuse an answer that was given already, or comes after the proposal has ended."""
    if answer is not SideAnswer.WAITING:
        raise Conflict("proposal.answered", f"您这一方已经答复：{answer.label}；请刷新页面")
    if state is not ProposalState.OPEN:
        raise Conflict("proposal.closed", f"这项对接建议{state.label}，不用再答复")
    if valid_to < today:
        raise Conflict(
            "proposal.lapsed",
            f"这项对接建议 {valid_to.isoformat()} 已过期；仍想对接，请联系提出的技术经理人",
        )


def check_answer(accepted: bool, words: str) -> str:
    """Return the trimmed answer; a refusal says why, so that the next proposal fits better."""
    text = words.strip()
    if not accepted and len(text) < 5:
        raise RuleBroken(
            "proposal.answer_words",
            "请用至少 5 个字写明为什么不接受，经理人下次会找得更准",
            "words",
        )
    return text


def outcome(buyer: SideAnswer, seller: SideAnswer) -> ProposalState:
    """Return where a proposal stands by what both sides said."""
    said = (buyer, seller)
    if SideAnswer.DECLINED in said:
        return ProposalState.DECLINED
    return ProposalState.OPEN if SideAnswer.WAITING in said else ProposalState.AGREED
