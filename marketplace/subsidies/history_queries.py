"""A claim's history: what was done to it, in words, from the audit record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from marketplace.foundation import audit
from marketplace.foundation.money import Fen, format_yuan
from marketplace.subsidies.rules import ClaimStatus, ReviewDecision, ReviewStep


@dataclass(frozen=True)
class TimelineEntry:
    """One line of a claim's history; ``who`` is empty for the applicant's eyes."""

    what: str
    at: datetime
    who: str
    note: str
    state: str
    url: str = ""


_ACTS = {
    "subsidies.prepare": "按登记数据生成申报",
    "subsidies.apply": "提交申报",
    "subsidies.enter": "填写申报依据",
    "subsidies.remind": "催办",
    "subsidies.publicise": "开始公示",
    "subsidies.take_publicity": "公示结束",
    "subsidies.list_payment": "列入支付清单",
    "subsidies.confirm_payment": "支付",
    "subsidies.send_back": "退回",
    "subsidies.claw_back": "决定追回",
    "subsidies.confirm_receipt": "退款到账",
    "attachments.store": "上传材料",
}


def timeline(
    session: Session, claim_id: int, *, with_names: bool, panel_open: bool = False
) -> list[TimelineEntry]:
    """List what was done to a claim, oldest first; names only for the offices.

    ``panel_open`` keeps back what the experts said, from who must not know it yet.
    """
    acts = _ACTS | {f"subsidies.review.{step}": step.label for step in ReviewStep}
    return [
        TimelineEntry(
            what=acts[entry.action],
            at=entry.happened_at,
            who=entry.actor_name if with_names and not _kept_back(entry.action, panel_open) else "",
            note="" if _kept_back(entry.action, panel_open) else _note(entry.after or {}),
            state="bad" if (entry.after or {}).get("status") in _BAD else "",
        )
        for entry in audit.history(session, f"claim:{claim_id}")
        if entry.action in acts
    ]


_BAD = (ClaimStatus.RETURNED.value, ClaimStatus.REFUSED.value, ClaimStatus.RECLAIMING.value)


def _kept_back(action: str, panel_open: bool) -> bool:
    return panel_open and action == f"subsidies.review.{ReviewStep.EXPERT}"


def _note(after: dict[str, Any]) -> str:
    if "decision" in after:
        return ReviewDecision(after["decision"]).label
    if "upheld" in after:
        return "异议成立，退回补正" if after["upheld"] else "没有成立的异议，通过"
    if "due_on" in after:
        return f"期限 {after['due_on']}" + ("，已超期" if after.get("overdue") else "")
    if "name" in after:
        return str(after["name"])
    for key in ("payable_fen", "amount_fen", "claimed_fen"):
        if key in after:
            return f"{format_yuan(Fen(after[key]))} 元"
    return ""
