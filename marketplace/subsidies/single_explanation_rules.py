"""What is paid for one occasion, in plain Chinese: formula, sentences, documents beside. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from marketplace.foundation.money import Fen, format_yuan
from marketplace.subsidies.comparison_rules import ComparedDocument
from marketplace.subsidies.explanation_rules import ExplainedPart, Explanation, UsedReading
from marketplace.subsidies.parameters import FeePayment, SinglePayment, Voucher
from marketplace.subsidies.single_rules import SingleOffer, SingleResult, WeighedGround
from marketplace.subsidies.word_rules import ClaimItem
from marketplace.subsidies.wording_rules import rate_text, short_yuan

WANTED = {
    ClaimItem.NATIONAL_INSTITUTION: "填写认定文件的文号和日期后计算。",
    ClaimItem.PROVINCIAL_INSTITUTION: "填写认定文件的文号、日期和省级评价结果后计算。",
    ClaimItem.ASSESSMENT_FEE: "本年度没有已备案、已付评估费、并且成果已挂牌公告的评估。",
    ClaimItem.TRAINING_FEE: "填写参训人员的证书号、培训结束日和培训费后计算。",
    ClaimItem.INSTRUMENT_VOUCHER: "本年度没有客户用共享券付过、并已确认办结的委托。",
    ClaimItem.EVENT_VOUCHER: "本年度没有主办过有人凭活动券签到的活动。",
}


def explain(result: SingleResult) -> Explanation:
    """Explain an item by the document that pays, else by the latest that names it."""
    leading = result.paying or _nearest(result)
    if leading is None or not any(offer.parts for offer in result.offers):
        return Explanation(
            year=result.year,
            item=result.item.value,
            party_name=result.party.name,
            amount_fen=0,
            policy_id=leading.policy.id if leading else "",
            document_no=leading.policy.document_no if leading else "",
            article=leading.terms.article if leading else "",
            formulas=(),
            sentences=(_opening(result),),
            missing=WANTED.get(result.item, "") if leading else "没有文件支付这一项。",
            parts=(),
            documents=(),
            readings=(),
        )
    return Explanation(
        year=result.year,
        item=result.item.value,
        party_name=result.party.name,
        amount_fen=result.amount_fen,
        policy_id=leading.policy.id,
        document_no=leading.policy.document_no,
        article=leading.terms.article,
        formulas=tuple(_formulas(leading)),
        sentences=(_opening(result), *_sentences(result, leading)),
        missing="；".join(leading.obstacles),
        parts=tuple(_part(part) for part in leading.parts),
        documents=tuple(_compared(offer, result) for offer in reversed(result.offers)),
        readings=tuple(_readings(leading)),
    )


def _nearest(result: SingleResult) -> SingleOffer | None:
    """Return the latest document that was in force on the day of a ground, else the latest."""
    in_force = [
        offer
        for offer in result.offers
        if any(offer.policy.in_force.covers(part.ground.happened_on) for part in offer.parts)
    ]
    candidates = in_force or list(result.offers)
    return candidates[-1] if candidates else None


def _opening(result: SingleResult) -> str:
    return (
        f"{result.party.name} {result.year} 年度{result.item.label}"
        f"{format_yuan(result.amount_fen)} 元。"
    )


def _formulas(offer: SingleOffer) -> Iterator[str]:
    counted = [part for part in offer.parts if part.counted_fen]
    terms = offer.terms
    if not counted:
        return
    if isinstance(terms, SinglePayment):
        yield f"{terms.label}：{short_yuan(terms.amount)}"
    elif isinstance(terms, FeePayment):
        paid = Fen(sum(part.ground.paid_fen for part in counted))
        yield f"{format_yuan(paid)} × {rate_text(terms.share)} = {format_yuan(offer.amount_fen)}"
    elif isinstance(terms, Voucher):
        sums = " + ".join(format_yuan(part.counted_fen) for part in counted)
        yield f"{sums} = {format_yuan(offer.amount_fen)}" if len(counted) > 1 else sums
    else:
        assert_never(terms)


def _sentences(result: SingleResult, offer: SingleOffer) -> Iterator[str]:
    terms = offer.terms
    if isinstance(terms, SinglePayment):
        often = "每年一次" if terms.frequency == "yearly" else "一个单位只奖励一次"
        condition = f"，条件是{terms.condition}" if terms.condition else ""
        yield f"{terms.label}奖励 {short_yuan(terms.amount)}，{often}{condition}。"
    elif isinstance(terms, FeePayment):
        yield f"{terms.clause}。"
    elif terms.share is not None:
        yield f"{terms.label}不超过服务费的 {rate_text(terms.share)}，按客户实际用券的金额兑付。"
    else:
        yield (
            f"{terms.label}每张 {short_yuan(terms.each or terms.caps[0].cap)}，"
            f"每场至多 {terms.at_most_per_event} 张，按签到用券的人数兑付。"
        )
    left_out = sum(not part.counted_fen for part in offer.parts)
    if left_out:
        yield f"{len(offer.parts)} 项依据中 {left_out} 项不计，理由见下表。"
    if sum(other.amount_fen > 0 for other in result.offers) > 1:
        yield "几件文件都支付同一事项，只按一件支付，就高不重复，同额取发文较晚的。"


def _part(part: WeighedGround) -> ExplainedPart:
    ground = part.ground
    return ExplainedPart(
        contract_no=ground.proof,
        contract_type="",
        registered_on=ground.happened_on,
        amount_fen=ground.paid_fen or ground.used_fen or part.counted_fen,
        base_fen=part.counted_fen,
        counted=part.counted_fen > 0,
        group="",
        text=part.text,
        reason="" if part.counted_fen else part.text,
        counterparty=ground.what,
    )


def _compared(offer: SingleOffer, result: SingleResult) -> ComparedDocument:
    pays = offer is result.paying
    amount = offer.amount_fen
    if pays:
        several = sum(other.amount_fen == amount for other in result.offers) > 1
        verdict = "支付；同额中发文最晚" if several else "支付"
    elif offer.obstacles:
        verdict = "不支付：" + "、".join(offer.obstacles)
    elif amount:
        verdict = "同额，发文较早" if amount == result.amount_fen else "金额较低"
    else:
        verdict = "不支付：" + "、".join(dict.fromkeys(part.text for part in offer.parts))
    return ComparedDocument(
        policy_id=offer.policy.id,
        document_no=offer.policy.document_no,
        article=offer.terms.article,
        draft=offer.policy.draft,
        pays=pays,
        counted_count=sum(part.counted_fen > 0 for part in offer.parts),
        base_fen=offer.amount_fen,
        amount_fen=amount,
        verdict=verdict,
    )


def _readings(offer: SingleOffer) -> Iterator[UsedReading]:
    text = "" if isinstance(offer.terms, Voucher) else offer.terms.reading
    if text:
        yield UsedReading("一次性", offer.terms.label, text)
