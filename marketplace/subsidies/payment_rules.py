"""Payment: two persons, once, never above what stood before the public. Pure."""

from __future__ import annotations

from collections.abc import Collection

from marketplace.foundation.access import Actor
from marketplace.foundation.errors import Conflict, NotAllowed, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.subsidies.rules import ClaimStatus, PaymentStatus


def check_listing(*, number: str, status: ClaimStatus, cancelled: Collection[str]) -> None:
    """Refuse to list what did not stand its publicity, or rests on a registration that is gone.

    ``cancelled`` are the numbers of the claim's contracts whose registration was cancelled since.
    """
    if status is not ClaimStatus.APPROVED:
        raise Conflict("payments.claim", f"{number} 现在是“{status.label}”，不能列入支付清单")
    if cancelled:
        raise RuleBroken(
            "payments.cancelled_contract",
            f"{number} 所含合同 {'、'.join(cancelled)} 的登记已撤销，不能支付；"
            "请打开这件申报退回，由单位按现在的登记数据重新提交",
        )


def check_two_persons(*, prepared_by_id: int | None, actor: Actor) -> None:
    """Refuse the same person to list a payment and to confirm it."""
    if actor.user_id is None or actor.user_id == prepared_by_id:
        raise NotAllowed(
            "payments.same_person", "编制支付清单的人不能确认支付，请由财政局的另一名经办人办理"
        )


def check_payment(
    *, status: PaymentStatus, claim: ClaimStatus, amount_fen: Fen, payable_fen: Fen, reference: str
) -> None:
    """Refuse a second payment, one above the approved amount, or one without a bank reference."""
    if status is PaymentStatus.PAID:
        raise Conflict("payments.paid", "这一笔已经确认支付，不能重复支付")
    if claim is not ClaimStatus.APPROVED:
        raise Conflict("payments.claim", f"这份申报现在是“{claim.label}”，不能支付")
    if amount_fen > payable_fen:
        raise RuleBroken("payments.above", "支付金额超过公示通过的金额，不能支付")
    if len(reference.strip()) < 4:
        raise RuleBroken("payments.reference", "请填写国库支付凭证号，与银行回单一致", "reference")
