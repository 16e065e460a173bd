"""What waits for somebody in contracts: to review, to correct, to send, to answer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from marketplace.contracts.amendment_queries import waiting_amendments
from marketplace.contracts.models import Contract
from marketplace.contracts.queries import ContractFilter, queue
from marketplace.contracts.rules import DRAW_UP, EDITABLE, REVIEW, WITH_REGISTRAR, ContractStatus
from marketplace.foundation.access import Actor, permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import paginate
from marketplace.foundation.waiting import WaitingItem


def waiting(session: Session, actor: Actor, *, now: datetime) -> list[WaitingItem]:
    """List what waits for the actor: contracts to review, to correct, to send."""
    own = actor.organisation_id
    if own is None:
        return []
    items: list[WaitingItem] = []
    if permits(actor, REVIEW):
        found = queue(
            session, own, chosen=ContractFilter(statuses=tuple(sorted(WITH_REGISTRAR))), size=30
        )
        items += [
            WaitingItem(
                what=f"审核合同：{row.project_name}",
                why=f"{row.seller_name} → {row.buyer_name}"
                + (f"，第 {row.round} 次提交" if row.round > 1 else ""),
                endpoint="contracts.review",
                params={"contract_id": row.id},
                act="审核",
                due_on=row.due_on,
                workdays=True,
            )
            for row in found.items
        ]
        items += [
            WaitingItem(
                what=f"{each.kind.label}申请：{each.project_name}",
                why=f"{each.contract_no}，卖方申请{each.kind.label}",
                endpoint="contracts.review",
                params={"contract_id": each.contract_id},
                act="答复",
                due_on=each.due_on,
                workdays=True,
            )
            for each in waiting_amendments(session, own, limit=30)
        ]
    if permits(actor, DRAW_UP):
        today = local_date(now)
        page = paginate(
            session,
            select(Contract)
            .options(lazyload(Contract.items))
            .where(Contract.seller_organisation_id == own, Contract.status.in_(EDITABLE)),
            keys=[Contract.touched_at.desc(), Contract.id.desc()],
            after=None,
            size=20,
        )
        items += [
            WaitingItem(
                what=f"补正合同：{row.project_name}"
                if row.status is ContractStatus.CORRECTION
                else f"提交登记：{row.project_name or '（未命名合同）'}",
                why=f"登记机构退回：{row.returned_reason}"
                if row.status is ContractStatus.CORRECTION
                else "草稿还没有提交",
                endpoint="contracts.show",
                params={"contract_id": row.id},
                act="补正" if row.status is ContractStatus.CORRECTION else "继续",
                due_on=today if row.status is ContractStatus.CORRECTION else None,
            )
            for row in page.items
        ]
    return items
