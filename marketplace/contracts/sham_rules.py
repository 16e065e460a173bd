"""Signs of a sham contract, shown to the registrar with their reasons; none decides by itself.

Pure. Rests on 济科发〔2020〕58号 第14条 (假技术合同); every bound is a platform rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.contracts.rules import Contact, ContractContent
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.words import Word


class SignKind(Word):
    """What makes a contract look unusual."""

    SAME_TEXT = "same_text", "合同文本相同", "danger"
    LIKE_TEXT = "like_text", "合同文本雷同", "danger"
    CIRCLE = "circle", "循环签约", "danger"
    SAME_ACTIVITY = "same_activity", "同一技术活动", "warn"
    DECLARED_RELATED = "declared_related", "已申报关联交易", "warn"
    LIKELY_RELATED = "likely_related", "疑似关联方", "warn"
    PRICE = "price", "价格偏离评估", "warn"
    UNPAID = "unpaid", "没有到账凭证", "warn"


@dataclass(frozen=True)
class Other:
    """Another contract that shares something with the one under review; ``note`` says what."""

    contract_id: int
    name: str
    note: str = ""


@dataclass(frozen=True)
class Sign:
    """One sign: what was seen, the contracts it was seen in, what to ask for, and its bound."""

    kind: SignKind
    explanation: str
    others: tuple[Other, ...] = ()
    ask: str = ""
    bound: str = ""


@dataclass(frozen=True)
class Alike:
    """A text that repeats this one: the share in per mille and where this one differs."""

    other: Other
    per_mille: int
    differing: tuple[str, ...]


@dataclass(frozen=True)
class PartyTraits:
    """What two organisations would share if they were related."""

    representative: str = ""
    address: str = ""
    contact: Contact = Contact()
    registered_representative: str = ""
    people: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ValuedRange:
    """The newest valuation of the contract's achievement, and how far a price may lie from it.

    A price below ``low_per_mille`` of the range's lower end or above ``high_per_mille`` of its
    upper end is worth a question.
    """

    low_fen: Fen
    high_fen: Fen
    base_on: date
    low_per_mille: int
    high_per_mille: int


@dataclass(frozen=True)
class Edge:
    """A contract as a step of money: the buyer pays the seller."""

    other: Other
    seller_id: int
    buyer_id: int
    amount_fen: Fen


@dataclass(frozen=True)
class Unpaid:
    """A registered contract whose payment is long due without any proof of it."""

    other: Other
    due_on: date
    own: bool = False


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Everything that was looked up about a contract, for the signs to be read out of."""

    same_text: Sequence[Other] = ()
    alike: Sequence[Alike] = ()
    same_activity: Sequence[Other] = ()
    seller: PartyTraits = PartyTraits()
    buyer: PartyTraits = PartyTraits()
    valued: ValuedRange | None = None
    circle: Sequence[Edge] = ()
    circle_days: int = 0
    names: tuple[str, ...] = ()
    unpaid: Sequence[Unpaid] = ()
    unpaid_days: int = 0
    text_per_mille: int = 0


def sham_signs(content: ContractContent, findings: Findings) -> list[Sign]:
    """List what a registrar should look at twice, the gravest first."""
    signs = [
        *_texts(findings),
        *_circle(findings),
        *_activity(content, findings),
        *_related(content, findings),
    ]
    if findings.valued is not None and content.amount_fen is not None:
        signs.extend(_price(content.amount_fen, findings.valued))
    signs.extend(_unpaid(findings))
    return signs


def _texts(found: Findings) -> list[Sign]:
    signs: list[Sign] = []
    if found.same_text:
        signs.append(
            Sign(
                SignKind.SAME_TEXT,
                f"上传的文件与{_names(found.same_text)}的文件逐字节相同",
                tuple(found.same_text),
                "核对是否把一份合同登记了两次；确属两份合同的，请申请人换上各自的文本",
            )
        )
    same = {other.contract_id for other in found.same_text}
    for alike in found.alike:
        if alike.other.contract_id in same:
            continue
        share = f"{alike.per_mille // 10}.{alike.per_mille % 10} %"
        signs.append(
            Sign(
                SignKind.LIKE_TEXT,
                f"正文有 {share} 与“{alike.other.name}”相同"
                + (
                    "，不同之处：" + "；".join(f"“{words}”" for words in alike.differing)
                    if alike.differing
                    else "，没有找到不同的条款"
                ),
                (alike.other,),
                "核对两份合同的技术内容、成果和履行证据是否确实不同",
                f"相同部分达到 {found.text_per_mille / 10:g} % 时提示",
            )
        )
    return signs


def _circle(found: Findings) -> list[Sign]:
    if not found.circle:
        return []
    way = " → ".join((*found.names, found.names[0])) if found.names else ""
    least = min(edge.amount_fen for edge in found.circle)
    return [
        Sign(
            SignKind.CIRCLE,
            f"{found.circle_days} 天内，{len(found.circle)} 份合同的价款在 "
            f"{len(found.names)} 家之间转回原处：{way}，各份中最低的一份是 {format_yuan(least)} 元",
            tuple(edge.other for edge in found.circle),
            "要求双方说明各份合同的技术内容和真实付款，并核对是否互相开票",
            f"{found.circle_days} 天内首尾相接时提示",
        )
    ]


def _activity(content: ContractContent, found: Findings) -> list[Sign]:
    if not found.same_activity:
        return []
    return [
        Sign(
            SignKind.SAME_ACTIVITY,
            f"技术活动标识“{content.activity_id}”也出现在{_names(found.same_activity)}；"
            "同一技术活动只补助一次",
            tuple(found.same_activity),
            "核对两份合同是不是同一次技术活动；不是的，请申请人改正标识",
        )
    ]


def _related(content: ContractContent, found: Findings) -> list[Sign]:
    if content.related_parties:
        return [
            Sign(
                SignKind.DECLARED_RELATED,
                f"申请人说明：{content.related_explanation}",
                ask="核对价格的依据，关联交易不影响登记，但应如实登记",
            )
        ]
    shared = _shared(found.seller, found.buyer)
    if not shared:
        return []
    return [
        Sign(
            SignKind.LIKELY_RELATED,
            f"双方的{'、'.join(shared)}相同，但申报为无关联",
            ask="要求申请人说明双方关系；有关联的，退回补正关联交易申报",
        )
    ]


def _shared(seller: PartyTraits, buyer: PartyTraits) -> list[str]:
    pairs = (
        (
            "法定代表人",
            {seller.representative, seller.registered_representative},
            {buyer.representative, buyer.registered_representative},
        ),
        ("地址", {seller.address}, {buyer.address}),
        ("联系电话", {seller.contact.phone}, {buyer.contact.phone}),
        ("联系人", {seller.contact.name}, {buyer.contact.name}),
        ("平台经办人", seller.people, buyer.people),
    )
    found = []
    for what, one, other in pairs:
        both = {text.strip() for text in one if text.strip()} & {text.strip() for text in other}
        if both:
            found.append(f"{what}（{'、'.join(sorted(both))}）")
    return found


def _price(amount: Fen, valued: ValuedRange) -> list[Sign]:
    span = f"{format_yuan(valued.low_fen)} 至 {format_yuan(valued.high_fen)} 元"
    based = f"评估基准日 {valued.base_on.isoformat()}，评估值 {span}"
    ask = "请申请人说明定价依据；低价转让公有单位成果的，核对公示和集体决策材料"
    bound = (
        f"低于评估下限的 {valued.low_per_mille / 10:g} % 或高于上限的 "
        f"{valued.high_per_mille / 10:g} % 时提示"
    )
    said = f"成交总额 {format_yuan(amount)} 元"
    if amount * 1000 < valued.low_fen * valued.low_per_mille:
        share = f"{valued.low_per_mille / 10:g} %"
        words = f"{said}，不到评估下限的 {share}（{based}）"
        return [Sign(SignKind.PRICE, words, ask=ask, bound=bound)]
    if amount * 1000 > valued.high_fen * valued.high_per_mille:
        share = f"{valued.high_per_mille / 10:g} %"
        words = f"{said}，超过评估上限的 {share}（{based}）"
        return [Sign(SignKind.PRICE, words, ask=ask, bound=bound)]
    return []


def _unpaid(found: Findings) -> list[Sign]:
    signs: list[Sign] = []
    bound = f"应付款日后 {found.unpaid_days} 天没有任何到账登记时提示"
    own = [each for each in found.unpaid if each.own]
    earlier = [each for each in found.unpaid if not each.own]
    if own:
        signs.append(
            Sign(
                SignKind.UNPAID,
                f"本合同应于 {own[0].due_on.isoformat()} 付款，至今没有登记过到账",
                ask="要求卖方登记到账并附银行回单；没有履行的，提示申请撤销登记",
                bound=bound,
            )
        )
    if earlier:
        signs.append(
            Sign(
                SignKind.UNPAID,
                f"同样双方此前登记的 {len(earlier)} 份合同过了付款日仍没有到账登记",
                tuple(each.other for each in earlier),
                "要求先补此前合同的付款凭证，再办理这一份",
                bound,
            )
        )
    return signs


def _names(others: Sequence[Other]) -> str:
    shown = "、".join(f"“{other.name}”" for other in others[:3])
    return shown + (f"等 {len(others)} 份合同" if len(others) > 3 else "")


def find_circle(start: Edge, edges: Sequence[Edge], *, most: int) -> list[Edge]:
    """Return the shortest ring of contracts that begins with ``start``, or nothing.

    In a ring each contract's buyer is the seller of the next one, and the last buyer is the first
    seller, so that the price comes back to who paid it. At most ``most`` organisations take part.
    """
    by_seller: dict[int, list[Edge]] = {}
    for edge in edges:
        if edge.other.contract_id != start.other.contract_id:
            by_seller.setdefault(edge.seller_id, []).append(edge)
    paths = [[start]]
    for _step in range(most - 1):
        longer = []
        for path in paths:
            for edge in by_seller.get(path[-1].buyer_id, ()):
                if edge.buyer_id == start.seller_id:
                    return [*path, edge]
                if edge.buyer_id not in {each.seller_id for each in path} | {path[-1].buyer_id}:
                    longer.append([*path, edge])
        paths = longer
    return []
