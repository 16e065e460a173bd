"""When the bureau may still send a claim back after its reviews. Pure."""

from __future__ import annotations

from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.subsidies.rules import ClaimStatus

RECALLABLE = (ClaimStatus.SETTLING, ClaimStatus.APPROVED)


def check_recall(*, status: ClaimStatus, listed: bool, reason: str) -> None:
    """Refuse to send back what is under review, before the public, listed or paid."""
    if status not in RECALLABLE:
        raise Conflict("claims.not_recallable", f"现在是“{status.label}”，这时不能从这里退回")
    if listed:
        raise Conflict("claims.listed", "这份申报已在支付清单上，不能退回；支付后可以追回")
    if len(reason.strip()) < 10:
        raise RuleBroken(
            "claims.no_grounds",
            "请写明退回的理由和需要补正的内容，至少 10 个字；申报单位会看到",
            "reason",
        )
