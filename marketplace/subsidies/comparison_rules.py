"""The documents side by side: which one pays, and why the others do not. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.subsidies.trace_rules import ItemResult, PolicyResult
from marketplace.subsidies.word_rules import Obstacle, Reason
from marketplace.subsidies.wording_rules import in_force_text


@dataclass(frozen=True)
class ComparedDocument:
    """One document in the comparison, and why it pays or does not."""

    policy_id: str
    document_no: str
    article: str
    draft: bool
    pays: bool
    counted_count: int
    base_fen: int
    amount_fen: int
    verdict: str


def compare(result: ItemResult, compared: PolicyResult) -> ComparedDocument:
    """Set one document beside the one that pays, with the reason why it pays or does not."""
    pays = result.paying is not None and compared.policy.id == result.paying.policy.id
    return ComparedDocument(
        policy_id=compared.policy.id,
        document_no=compared.policy.document_no,
        article=compared.terms.article,
        draft=compared.policy.draft,
        pays=pays,
        counted_count=sum(part.counted for part in compared.parts),
        base_fen=compared.counted_base_fen,
        amount_fen=compared.amount_fen,
        verdict=_verdict(result, compared, pays=pays),
    )


def _verdict(result: ItemResult, compared: PolicyResult, *, pays: bool) -> str:
    if pays:
        if sum(c.amount_fen > 0 for c in result.compared) == 1:
            return "支付"
        tied = sum(c.amount_fen == compared.amount_fen for c in result.compared) > 1
        return "支付；同额中发文最晚" if tied else "支付；金额最高"
    if compared.amount_fen == 0:
        return _why_nothing(compared)
    if compared.amount_fen == result.amount_fen:
        return "同额，发文较早"
    left_out = [part for part in compared.parts if part.reasons]
    if left_out and left_out[0].reason:
        return f"较低；{len(left_out)} 份不计：{left_out[0].reason.label}"
    return "金额较低"


def _why_nothing(compared: PolicyResult) -> str:
    barred = [o.label for o in compared.obstacles if o is not Obstacle.BELOW_THRESHOLD]
    if barred:
        return "不支付：" + "、".join(barred)
    reasons = list(
        dict.fromkeys(
            Reason.POLICY_NOT_IN_FORCE if Reason.POLICY_NOT_IN_FORCE in part.reasons else reason
            for part in compared.parts
            if (reason := part.reason)
        )
    )
    if not any(part.counted for part in compared.parts) and reasons:
        if reasons == [Reason.POLICY_NOT_IN_FORCE]:
            return "不支付：" + in_force_text(
                compared.policy, compared.parts[0].contract.registered_on
            )
        return "不支付：" + "、".join(reason.label for reason in reasons)
    if compared.obstacles:
        return "不支付：" + compared.obstacles[0].label
    return "不支付：基数为零"
