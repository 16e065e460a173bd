"""Payments received under a registered contract: the seller declares, the registrar confirms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.contracts import rules
from marketplace.contracts.after_models import ContractReceipt
from marketplace.contracts.events import ReceiptConfirmed
from marketplace.contracts.models import Contract
from marketplace.contracts.payment_rules import (
    ReceiptState,
    Received,
    check_receipt,
    technology_part,
)
from marketplace.contracts.receipt_queries import (
    confirmed_sum,
    counted,
    price_of,
    receipt_subject,
)
from marketplace.contracts.record_queries import content_of, subject
from marketplace.contracts.review_service import load_reviewed
from marketplace.foundation import attachments, audit, outbox
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.attachments import AttachmentStore, FileVisibility, Upload
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken
from marketplace.foundation.money import Fen


def declare_receipt(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    contract_id: int,
    received_on: date,
    amount_fen: Fen,
    reference: str,
    technology_amount_fen: Fen | None = None,
    uploads: Sequence[Upload] = (),
    store: AttachmentStore | None = None,
) -> int:
    """Declare a payment that came in under a registered contract; return its id.

    Without ``technology_amount_fen`` the contract's share is taken. A bank slip counts once.
    """
    require(actor, rules.DRAW_UP)
    row = lock(session, Contract, contract_id)
    require_own(actor, row.seller_organisation_id)
    if row.status not in rules.IN_REGISTER:
        raise Conflict(
            "contracts.receipt_status",
            f"这份合同现在是“{row.status.label}”，登记在册的合同才能登记到账",
        )
    slip = reference.strip()
    if len(slip) < 4:
        raise RuleBroken(
            "contracts.reference",
            "请填写银行回单号或进账单号，至少 4 位，供登记机构核对",
            "reference",
        )
    price, before = price_of(content_of(row)), counted(session, row.id)
    technology = (
        technology_part(price, before, amount_fen)
        if technology_amount_fen is None and amount_fen > 0
        else technology_amount_fen or Fen(0)
    )
    check_receipt(
        price, before, Received(received_on, amount_fen, technology), today=local_date(now)
    )
    receipt = ContractReceipt(
        contract_id=row.id,
        received_on=received_on,
        amount_fen=amount_fen,
        technology_amount_fen=technology,
        reference=slip,
        state=ReceiptState.DECLARED,
        declared_at=now,
        declared_by=actor.name,
    )
    session.add(receipt)
    try:
        session.flush()
    except IntegrityError as twice:
        raise RuleBroken(
            "contracts.reference_twice",
            f"回单号 {slip} 已经登记过一笔到账；同一张回单只登记一次，请核对号码",
            "reference",
        ) from twice
    audit.record(
        session,
        actor=actor,
        action="contracts.declare_receipt",
        subject=subject(row.id),
        now=now,
        after={
            "receipt": receipt.id,
            "amount_fen": amount_fen,
            "technology": technology,
            "reference": slip,
        },
    )
    if store is not None:
        for upload in uploads:
            attachments.store(
                session,
                actor=actor,
                now=now,
                subject=receipt_subject(receipt.id),
                upload=upload,
                visibility=FileVisibility.OWNER,
                store=store,
            )
    return receipt.id


def confirm_receipt(
    session: Session, *, actor: Actor, now: datetime, contract_id: int, receipt_id: int
) -> None:
    """Confirm a declared payment as technology income; without a proof it cannot be."""
    row = load_reviewed(session, actor, contract_id)
    receipt = _receipt(session, row.id, receipt_id)
    if receipt.state is ReceiptState.CONFIRMED:
        return
    _check_declared(receipt)
    if not attachments.of(session, receipt_subject(receipt.id)):
        raise RuleBroken(
            "contracts.receipt_unproved",
            "这一笔没有附银行回单，不能核定；请卖方撤回后连同回单重新登记",
        )
    receipt.state = ReceiptState.CONFIRMED
    receipt.confirmed_on, receipt.confirmed_by = local_date(now), actor.name
    audit.record(
        session,
        actor=actor,
        action="contracts.confirm_receipt",
        subject=subject(row.id),
        now=now,
        after={"receipt": receipt.id, "technology": receipt.technology_amount_fen},
    )
    session.flush()
    outbox.publish(
        session,
        ReceiptConfirmed(
            contract_id=row.id,
            contract_no=row.contract_no or "",
            receipt_id=receipt.id,
            received_fen=confirmed_sum(session, row.id),
            price_fen=row.amount_fen or 0,
        ),
        now=now,
    )


def withdraw_receipt(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    contract_id: int,
    receipt_id: int,
    reason: str,
) -> None:
    """Take a declared payment back with the reason; it stays in the list and counts no more."""
    require(actor, rules.DRAW_UP)
    row = lock(session, Contract, contract_id)
    require_own(actor, row.seller_organisation_id)
    words = rules.check_reason(reason, "撤回到账登记")
    receipt = _receipt(session, row.id, receipt_id)
    if receipt.state is ReceiptState.WITHDRAWN:
        return
    _check_declared(receipt)
    receipt.state, receipt.withdrawn_reason = ReceiptState.WITHDRAWN, words
    audit.record(
        session,
        actor=actor,
        action="contracts.withdraw_receipt",
        subject=subject(row.id),
        now=now,
        after={"receipt": receipt.id, "reason": words},
    )


def _receipt(session: Session, contract_id: int, receipt_id: int) -> ContractReceipt:
    found = session.scalar(
        select(ContractReceipt).where(
            ContractReceipt.id == receipt_id, ContractReceipt.contract_id == contract_id
        )
    )
    if found is None:
        raise NotFound()
    return found


def _check_declared(receipt: ContractReceipt) -> None:
    if receipt.state is not ReceiptState.DECLARED:
        raise Conflict(
            "contracts.receipt_state",
            f"这一笔到账{receipt.state.label}，不能再改；请刷新页面看最新状态",
        )
