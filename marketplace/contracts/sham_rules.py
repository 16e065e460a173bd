"""Signs of a sham contract, shown to the registrar with their reasons; none decides by itself.

Pure. Rests on 济科发〔2020〕58号 第14条 (假技术合同); the bounds of a price are platform rules.
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
    SAME_ACTIVITY = "same_activity", "同一技术活动", "warn"
    DECLARED_RELATED = "declared_related", "已申报关联交易", "warn"
    LIKELY_RELATED = "likely_related", "疑似关联方", "warn"
    PRICE = "price", "价格偏离评估", "warn"


@dataclass(frozen=True)
class Sign:
    """One sign: what was seen, and the contracts it was seen in."""

    kind: SignKind
    explanation: str
    contract_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Other:
    """Another contract that shares something with the one under review."""

    contract_id: int
    name: str


@dataclass(frozen=True)
class PartyTraits:
    """What two organisations would share if they were related."""

    representative: str = ""
    address: str = ""
    contact: Contact = Contact()


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


def sham_signs(
    content: ContractContent,
    *,
    same_text: Sequence[Other],
    same_activity: Sequence[Other],
    seller: PartyTraits,
    buyer: PartyTraits,
    valued: ValuedRange | None,
) -> list[Sign]:
    """List what a registrar should look at twice, the gravest first."""
    signs: list[Sign] = []
    if same_text:
        signs.append(
            Sign(
                SignKind.SAME_TEXT,
                f"上传的文本与{_names(same_text)}的文本逐字节相同，请核对是否一份合同多次登记",
                tuple(other.contract_id for other in same_text),
            )
        )
    if same_activity:
        signs.append(
            Sign(
                SignKind.SAME_ACTIVITY,
                f"技术活动标识“{content.activity_id}”也出现在{_names(same_activity)}；"
                "同一技术活动只补助一次",
                tuple(other.contract_id for other in same_activity),
            )
        )
    if content.related_parties:
        signs.append(Sign(SignKind.DECLARED_RELATED, f"申请人说明：{content.related_explanation}"))
    shared = _shared(seller, buyer)
    if shared and not content.related_parties:
        signs.append(
            Sign(
                SignKind.LIKELY_RELATED,
                f"双方的{'、'.join(shared)}相同，但申报为无关联，请要求说明",
            )
        )
    if valued is not None and content.amount_fen is not None:
        signs.extend(_price(content.amount_fen, valued))
    return signs


def _names(others: Sequence[Other]) -> str:
    shown = "、".join(f"“{other.name}”" for other in others[:3])
    return shown + (f"等 {len(others)} 份合同" if len(others) > 3 else "")


def _shared(seller: PartyTraits, buyer: PartyTraits) -> list[str]:
    pairs = (
        ("法定代表人", seller.representative, buyer.representative),
        ("地址", seller.address, buyer.address),
        ("联系电话", seller.contact.phone, buyer.contact.phone),
    )
    return [what for what, one, other in pairs if one.strip() and one.strip() == other.strip()]


def _price(amount: Fen, valued: ValuedRange) -> list[Sign]:
    span = f"{format_yuan(valued.low_fen)} 至 {format_yuan(valued.high_fen)} 元"
    based = f"（基准日 {valued.base_on.isoformat()}，评估值 {span}）"
    if amount * 1000 < valued.low_fen * valued.low_per_mille:
        share = f"{valued.low_per_mille / 10:g} %"
        return [Sign(SignKind.PRICE, f"成交总额不到评估下限的 {share}{based}")]
    if amount * 1000 > valued.high_fen * valued.high_per_mille:
        share = f"{valued.high_per_mille / 10:g} %"
        return [Sign(SignKind.PRICE, f"成交总额超过评估上限的 {share}{based}")]
    return []
