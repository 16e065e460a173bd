"""Deals: their stages, how they end, who may do what.

Pure. The steps of pipelines stand in ``pipeline_rules``, introductions, commission and
confidentiality in ``terms_rules``, the filing of agencies and the brokers' register in
``register_rules``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from marketplace.foundation.access import SYSTEM, Actor, Permission, Role
from marketplace.foundation.errors import Conflict, Problem, RuleBroken, raise_if_any
from marketplace.foundation.money import Fen
from marketplace.foundation.words import Word


class DealStage(Word):
    """Where a deal stands on its way from a lead to payment."""

    LEAD = "lead", "线索", "neutral"
    CONTACTED = "contacted", "已接触", "run"
    CONFIDENTIALITY = "confidentiality", "保密协议", "run"
    TECHNICAL_TALK = "technical_talk", "技术洽谈", "run"
    PRICE_TALK = "price_talk", "价格洽谈", "run"
    CONTRACT_DRAFT = "contract_draft", "合同草拟", "run"
    SIGNED = "signed", "已签约", "run"
    REGISTERED = "registered", "已登记", "ok"
    PAID = "paid", "已付款", "ok"
    LOST = "lost", "未成", "neutral"
    MERGED = "merged", "已并入", "neutral"


_D = DealStage

LEFT = frozenset({_D.LOST, _D.MERGED})
"""Where a deal that has left its pipeline stands; it keeps the step that it had reached."""

ORDER: tuple[DealStage, ...] = tuple(stage for stage in DealStage if stage not in LEFT)
CLOSED = LEFT | {_D.PAID}
AFTER_SIGNING = (_D.SIGNED, _D.REGISTERED, _D.PAID)
OPEN_STAGES = tuple(stage for stage in ORDER if stage is not _D.PAID)
TALKING = (
    _D.LEAD,
    _D.CONTACTED,
    _D.CONFIDENTIALITY,
    _D.TECHNICAL_TALK,
    _D.PRICE_TALK,
    _D.CONTRACT_DRAFT,
)
"""Stages in which a deal is talked over; the steps of a pipeline stand in these."""


class LostReason(Word):
    """Why a deal came to nothing; what the university's team is told."""

    TOO_EARLY = "too_early", "成熟度不够，时候太早"
    BENEFIT_UNCLEAR = "benefit_unclear", "效益说不清"
    ROUTE_UNCLEAR = "route_unclear", "走向市场的路径不清"
    VAGUE = "vague", "成果描述含糊"
    PRICE = "price", "价格谈不拢"
    TIMING = "timing", "企业时机不合"
    CHOSE_ANOTHER = "chose_another", "企业选了别家"
    OTHER = "other", "其他"


ADVICE: dict[LostReason, str] = {
    LostReason.TOO_EARLY: (
        "补中试或用户试用的数据，写明到下一级成熟度还要多久、多少钱；可向概念验证和园区落地求助。"
    ),
    LostReason.BENEFIT_UNCLEAR: (
        "在对比表里写出企业能省多少、多赚多少，与最好的替代方案同一口径比较。"
    ),
    LostReason.ROUTE_UNCLEAR: (
        "写明第一个客户是谁、要改哪台设备、要过哪些许可，可请技术经理人一起写一页商业路径。"
    ),
    LostReason.VAGUE: "把“先进”“领先”换成数字和单位，补检测报告或用户证明。",
    LostReason.PRICE: "做一次评估定价，或改用入门费加提成、先使用后付费。",
    LostReason.TIMING: "约定半年后回访；把企业写进意向名单，有新数据时通知它。",
    LostReason.CHOSE_ANOTHER: "问清对手赢在哪项指标，补进对比表。",
    LostReason.OTHER: "看经理人写的说明，必要时直接联系他。",
}
"""What a team can do about each reason, shown beside it."""


class DealSource(Word):
    """How a deal came about."""

    BROKER = "broker", "经理人撮合"
    REQUEST = "request", "企业请经理人联系"
    INTEREST = "interest", "企业表达意向"
    ANSWER = "answer", "需求应答被采纳"
    INTENT = "intent", "挂牌意向"
    AWARD = "award", "挂牌成交"
    SELLER = "seller", "成果方自行对接"


class NoteKind(Word):
    """What a note is about; the first four are contacts with a party."""

    CALL = "call", "电话"
    VISIT = "visit", "拜访"
    MEETING = "meeting", "会议"
    MESSAGE = "message", "函件与消息"
    REMARK = "remark", "备注"


CONTACTS = frozenset({NoteKind.CALL, NoteKind.VISIT, NoteKind.MEETING, NoteKind.MESSAGE})


class NoteVisibility(Word):
    """Who reads a note."""

    PRIVATE = "private", "仅自己"
    SHARED = "shared", "双方与经理人"


_SELLER_SIDE = frozenset({Role.OFFICER, Role.ORG_ADMIN, Role.LEADER})
PARTY_ROLES = _SELLER_SIDE | {Role.INVENTOR, Role.ENTERPRISE}
READ = Permission(
    "brokerage.read",
    _SELLER_SIDE | {Role.INVENTOR, Role.ENTERPRISE, Role.BROKER, Role.AGENCY_HEAD, Role.OPERATOR},
    verified=False,
)
EXPRESS_INTEREST = Permission(
    "brokerage.express_interest", frozenset({Role.ENTERPRISE, Role.ORG_ADMIN, Role.OFFICER})
)
OPEN = Permission("brokerage.open", frozenset({Role.BROKER, Role.OFFICER, Role.ORG_ADMIN}))
LEAD = Permission(
    "brokerage.lead",
    frozenset({Role.BROKER, Role.AGENCY_HEAD, Role.OFFICER, Role.ORG_ADMIN}),
)
WRITE_NOTE = Permission(
    "brokerage.write_note",
    _SELLER_SIDE | {Role.INVENTOR, Role.ENTERPRISE, Role.BROKER, Role.AGENCY_HEAD},
)
END = Permission(
    "brokerage.end",
    _SELLER_SIDE | {Role.ENTERPRISE, Role.BROKER, Role.AGENCY_HEAD},
)
LEARN = Permission("brokerage.learn", _SELLER_SIDE | {Role.INVENTOR}, verified=False)


def can_be_lost(stage: DealStage) -> bool:
    """Tell whether a deal may still be closed as lost: before its contract is registered."""
    return stage in TALKING or stage is _D.SIGNED


def check_loss(stage: DealStage, words: str) -> str:
    """Return the trimmed words of a loss; refuse them when too short, and a closed deal."""
    if not can_be_lost(stage):
        raise Conflict(
            "deal.not_losable",
            f"项目已经是“{stage.label}”，不能记为未成；合同有问题请联系登记机构撤销登记",
            "reason_code",
        )
    text = words.strip()
    if len(text) < 10:
        raise RuleBroken(
            "deal.loss_words",
            "请用至少 10 个字写明为什么没成：这些话会送到成果方的团队，帮他们改进",
            "reason",
        )
    return text


def check_waiver(reason: str) -> str:
    """Return the trimmed reason why no confidentiality agreement is needed."""
    text = reason.strip()
    if len(text) < 5:
        raise RuleBroken(
            "deal.waiver_reason", "请写明为什么不需要保密协议（至少 5 个字）", "waiver_reason"
        )
    return text


def can_take_award(stage: DealStage) -> bool:
    """Tell whether an award in the trading hall still moves a deal on to the contract draft."""
    return stage in TALKING


def can_register(stage: DealStage) -> bool:
    """Tell whether a registered contract moves a deal on; the register overrides the board."""
    return stage in TALKING or stage is _D.SIGNED


def check_pair(seller_organisation_id: int, buyer_organisation_id: int) -> None:
    """Refuse to pair an organisation with itself."""
    if seller_organisation_id == buyer_organisation_id:
        raise RuleBroken(
            "deal.same_party", "供需双方是同一个机构，不能撮合；请重新选择企业", "buyer_uscc"
        )


def check_terms(
    *, amount_fen: Fen | None, signed_on: date | None, today: date, opened_on: date
) -> None:
    """Refuse a price of zero and a signing date in the future or long before the deal."""
    problems: list[Problem] = []
    if amount_fen is not None and amount_fen <= 0:
        problems.append(Problem("deal.amount", "价格应大于 0；还没谈定就留空", "amount_fen"))
    if signed_on is not None and signed_on > today:
        problems.append(Problem("deal.signed_later", "签订日期在今天之后；签了再填", "signed_on"))
    if signed_on is not None and signed_on < opened_on - timedelta(days=365):
        problems.append(
            Problem("deal.signed_before", "签订日期比项目建立早一年以上，请检查年份", "signed_on")
        )
    raise_if_any(problems)


def check_task(what: str, due_on: date, *, today: date) -> str:
    """Return the trimmed task; refuse one without words or with a date that has passed."""
    problems: list[Problem] = []
    text = what.strip()
    if len(text) < 2:
        problems.append(Problem("deal.task_words", "请写明下一步做什么", "what"))
    if due_on < today:
        problems.append(
            Problem("deal.task_past", "日期已经过去；下一步的日期应是今天或以后", "due_on")
        )
    raise_if_any(problems)
    return text


class Side(Word):
    """What somebody is to a deal."""

    BROKER = "broker", "技术经理人"
    AGENCY = "agency", "转化机构"
    SELLER = "seller", "成果方"
    BUYER = "buyer", "需求方"
    OPERATOR = "operator", "交易中心"
    PLATFORM = "platform", "平台"


@dataclass(frozen=True)
class Parties:
    """Who stands around a deal."""

    seller_organisation_id: int
    buyer_organisation_id: int
    broker_user_id: int | None
    agency_organisation_id: int | None


def sides_of(actor: Actor, parties: Parties) -> frozenset[Side]:
    """Return what the actor is to a deal; empty for strangers.

    A broker's right ends when he no longer works for the agency that holds the deal.
    """
    if actor is SYSTEM:
        return frozenset({Side.PLATFORM})
    sides: set[Side] = set()
    if actor.user_id is None:
        return frozenset()
    own = actor.organisation_id
    if (
        actor.has(Role.BROKER)
        and actor.user_id == parties.broker_user_id
        and parties.agency_organisation_id in (None, own)
    ):
        sides.add(Side.BROKER)
    if own is not None and own == parties.agency_organisation_id and actor.has(Role.AGENCY_HEAD):
        sides.add(Side.AGENCY)
    if own is not None and own == parties.seller_organisation_id and actor.has(*PARTY_ROLES):
        sides.add(Side.SELLER)
    if own is not None and own == parties.buyer_organisation_id and actor.has(*PARTY_ROLES):
        sides.add(Side.BUYER)
    if actor.has(Role.OPERATOR):
        sides.add(Side.OPERATOR)
    return frozenset(sides)


def leads(sides: frozenset[Side], parties: Parties) -> bool:
    """Tell whether these sides carry the deal on: its broker's, else the seller's."""
    if sides & {Side.BROKER, Side.AGENCY, Side.PLATFORM}:
        return True
    return Side.SELLER in sides and parties.broker_user_id is None


def may_end(sides: frozenset[Side]) -> bool:
    """Tell whether these sides may close the deal as lost: whoever takes part in it."""
    return bool(sides - {Side.OPERATOR})
