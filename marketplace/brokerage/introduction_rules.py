"""How long an introduction counts, which contracts it is recognised in, and disputes about it.

Pure. The key of a party is its USCC, so that a new name hides nobody. A contract counts whoever
drew it up and whichever party appears as its seller (民法典 965: who goes round the intermediary
owes the pay all the same).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from marketplace.foundation.access import Permission, Role
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.words import Word

DISPUTE = Permission(
    "brokerage.dispute",
    frozenset(
        {
            Role.BROKER,
            Role.AGENCY_HEAD,
            Role.OFFICER,
            Role.ORG_ADMIN,
            Role.LEADER,
            Role.ENTERPRISE,
        }
    ),
)
DECIDE_DISPUTE = Permission("brokerage.decide_dispute", frozenset({Role.OPERATOR}))


class RecognitionGround(Word):
    """Why a registered contract is put down to an introduction."""

    SAME_DEAL = "same_deal", "由本项目签订"
    SAME_SUBJECT = "same_subject", "同一双方、同一标的"
    SAME_PARTIES = "same_parties", "同一双方，合同未写明成果"
    SIGNED_EARLIER = "signed_earlier", "介绍之后登记，但写明在介绍之前签订"


class RecognitionState(Word):
    """Whether a contract counts as the fruit of an introduction."""

    RECOGNISED = "recognised", "已识别", "ok"
    TO_CHECK = "to_check", "待交易中心核对", "warn"
    DISMISSED = "dismissed", "与介绍无关", "neutral"


@dataclass(frozen=True)
class IntroductionFacts:
    """What of an introduction decides whether a contract is its fruit.

    ``acknowledged``: both sides have confirmed it, or one has agreed a commission for it.
    ``deal_open``: its own deal still goes on, so that another contract may be about something else.
    ``lookback``: so long before it a contract may say that it was signed and still be checked.
    """

    id: int
    deal_id: int | None
    subject: str
    seller_uscc: str
    buyer_uscc: str
    introduced_on: date
    valid_to: date
    acknowledged: bool
    deal_open: bool
    lookback: timedelta

    def holds_on(self, day: date) -> bool:
        """Tell whether it counts on a day, both ends included."""
        return self.introduced_on <= day <= self.valid_to


@dataclass(frozen=True)
class ContractFacts:
    """What of a registered contract decides the same."""

    contract_id: int
    contract_no: str
    project_name: str
    seller_uscc: str
    buyer_uscc: str
    signed_on: date
    registered_on: date
    deal_id: int | None
    achievement_id: int | None


@dataclass(frozen=True)
class Recognised:
    """An introduction found behind a contract."""

    introduction_id: int
    ground: RecognitionGround
    state: RecognitionState


def recognise(
    contract: ContractFacts, introductions: Sequence[IntroductionFacts]
) -> list[Recognised]:
    """Find the introductions behind a contract by its parties, its day and its subject.

    What names no subject while the deal goes on, fits more than one introduction, or rests on one
    that nobody has confirmed is left for a person to check.
    """
    found = [
        (each, ground) for each in introductions if (ground := _ground(contract, each)) is not None
    ]
    certain = contract.achievement_id is None and len(found) == 1
    return [Recognised(each.id, ground, _state(each, ground, certain)) for each, ground in found]


def _state(each: IntroductionFacts, ground: RecognitionGround, certain: bool) -> RecognitionState:
    if ground is RecognitionGround.SAME_DEAL:
        return RecognitionState.RECOGNISED
    if ground is RecognitionGround.SIGNED_EARLIER:
        return RecognitionState.TO_CHECK
    if each.acknowledged and (
        ground is RecognitionGround.SAME_SUBJECT or (certain and not each.deal_open)
    ):
        return RecognitionState.RECOGNISED
    return RecognitionState.TO_CHECK


def _ground(contract: ContractFacts, each: IntroductionFacts) -> RecognitionGround | None:
    if {contract.seller_uscc, contract.buyer_uscc} != {each.seller_uscc, each.buyer_uscc}:
        return None
    if contract.deal_id is not None and contract.deal_id == each.deal_id:
        return RecognitionGround.SAME_DEAL
    ground = _subject_ground(contract, each)
    if ground is None or each.holds_on(contract.signed_on):
        return ground
    # A day of signing is what the parties write: one shortly before the introduction is looked at.
    lately = each.introduced_on - each.lookback <= contract.signed_on < each.introduced_on
    if lately and each.holds_on(contract.registered_on):
        return RecognitionGround.SIGNED_EARLIER
    return None


def _subject_ground(contract: ContractFacts, each: IntroductionFacts) -> RecognitionGround | None:
    if contract.achievement_id is None:
        return RecognitionGround.SAME_PARTIES
    if each.subject == f"achievement:{contract.achievement_id}":
        return RecognitionGround.SAME_SUBJECT
    # A need says what is wanted, not which achievement: a contract about one may still answer it.
    return RecognitionGround.SAME_PARTIES if each.subject.startswith("need:") else None


class DisputeGround(Word):
    """What a dispute about an introduction is about."""

    BYPASSED = "bypassed", "绕开经理人签约"
    UNPAID = "unpaid", "佣金应付未付"
    NOT_INTRODUCED = "not_introduced", "介绍不属实"
    NOT_THIS_CONTRACT = "not_this_contract", "合同与这次介绍无关"
    AMOUNT = "amount", "佣金数额有误"


BROKER_GROUNDS = (DisputeGround.BYPASSED, DisputeGround.UNPAID, DisputeGround.AMOUNT)
PARTY_GROUNDS = (
    DisputeGround.NOT_INTRODUCED,
    DisputeGround.NOT_THIS_CONTRACT,
    DisputeGround.AMOUNT,
)


class DisputeState(Word):
    """Where a dispute stands."""

    OPEN = "open", "争议处理中", "warn"
    UPHELD = "upheld", "佣金成立", "ok"
    REJECTED = "rejected", "佣金不成立", "neutral"
    WITHDRAWN = "withdrawn", "争议已撤回", "neutral"


def dispute_subject(dispute_id: int) -> str:
    """Name a dispute for its papers."""
    return f"dispute:{dispute_id}"


def check_dispute(ground: DisputeGround, words: str, *, by_broker: bool) -> str:
    """Return the trimmed statement; refuse a ground that is the other side's, and empty words."""
    if ground not in (BROKER_GROUNDS if by_broker else PARTY_GROUNDS):
        raise RuleBroken("dispute.ground", "请选择与您这一方相符的事由", "ground")
    text = words.strip()
    if len(text) < 10:
        raise RuleBroken(
            "dispute.words", "请用至少 10 个字写明事实和请求，对方和交易中心都会看到", "words"
        )
    return text


def check_open(state: DisputeState) -> None:
    """Refuse to decide or withdraw a dispute that is over."""
    if state is not DisputeState.OPEN:
        raise Conflict("dispute.over", f"争议已经结束：{state.label}；请刷新页面看处理结果")


def check_decision(words: str) -> str:
    """Return the trimmed reasons of a decision."""
    text = words.strip()
    if len(text) < 10:
        raise RuleBroken("dispute.decision", "请用至少 10 个字写明认定的事实和理由", "words")
    return text
