"""Reads of payments received under a contract: the list, the sums, how the schedule stands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.contracts.after_models import ContractReceipt
from marketplace.contracts.models import Contract
from marketplace.contracts.payment_rules import (
    InstalmentStanding,
    Price,
    ReceiptState,
    Received,
    standings,
)
from marketplace.contracts.rules import ContractContent
from marketplace.foundation import attachments
from marketplace.foundation.attachments import AttachmentView
from marketplace.foundation.money import Fen


@dataclass(frozen=True)
class ReceiptView:
    """A received payment as a page shows it."""

    id: int
    received_on: date
    amount_fen: Fen
    technology_amount_fen: Fen
    reference: str
    state: ReceiptState
    declared_at: datetime
    declared_by: str
    confirmed_on: date | None
    confirmed_by: str
    withdrawn_reason: str
    proof: AttachmentView | None


@dataclass(frozen=True)
class Income:
    """What a contract has brought: all payments, and how its schedule stands.

    ``technology_fen`` sums what was declared, ``confirmed_fen`` what the registrar has confirmed.
    """

    receipts: list[ReceiptView]
    received_fen: Fen
    technology_fen: Fen
    confirmed_fen: Fen
    schedule: list[InstalmentStanding]


def receipt_subject(receipt_id: int) -> str:
    """Name a received payment for its proof."""
    return f"contract-receipt:{receipt_id}"


def price_of(content: ContractContent) -> Price:
    """Return what bounds the payments of a contract whose amounts are known."""
    assert content.amount_fen is not None
    assert content.technology_amount_fen is not None
    return Price(
        content.amount_fen,
        content.technology_amount_fen,
        content.payment_mode,
        content.signed_on,
    )


def confirmed_sum(session: Session, contract_id: int) -> Fen:
    """Sum the payments of a contract that the registrar has confirmed."""
    found = session.scalar(
        select(func.coalesce(func.sum(ContractReceipt.amount_fen), 0)).where(
            ContractReceipt.contract_id == contract_id,
            ContractReceipt.state == ReceiptState.CONFIRMED,
        )
    )
    return Fen(int(found or 0))


def counted(session: Session, contract_id: int) -> list[Received]:
    """List the payments of a contract that were not withdrawn, oldest first."""
    rows = session.scalars(
        select(ContractReceipt)
        .where(
            ContractReceipt.contract_id == contract_id,
            ContractReceipt.state != ReceiptState.WITHDRAWN,
        )
        .order_by(ContractReceipt.received_on, ContractReceipt.id)
    )
    return [Received(row.received_on, row.amount_fen, row.technology_amount_fen) for row in rows]


def received_fen(session: Session, contract_id: int) -> Fen:
    """Sum what was received under a contract."""
    return Fen(sum(each.amount_fen for each in counted(session, contract_id)))


def income(session: Session, contract_id: int, content: ContractContent, *, today: date) -> Income:
    """Read what a contract has brought so far."""
    rows = list(
        session.scalars(
            select(ContractReceipt)
            .where(ContractReceipt.contract_id == contract_id)
            .order_by(ContractReceipt.received_on, ContractReceipt.id)
        )
    )
    live = [row for row in rows if row.state is not ReceiptState.WITHDRAWN]
    received = Fen(sum(row.amount_fen for row in live))
    return Income(
        receipts=[_view(session, row) for row in rows],
        received_fen=received,
        technology_fen=Fen(sum(row.technology_amount_fen for row in live)),
        confirmed_fen=Fen(
            sum(r.technology_amount_fen for r in live if r.state is ReceiptState.CONFIRMED)
        ),
        schedule=standings(content.schedule, received, today=today),
    )


def _view(session: Session, row: ContractReceipt) -> ReceiptView:
    files = attachments.of(session, receipt_subject(row.id))
    return ReceiptView(
        row.id,
        row.received_on,
        row.amount_fen,
        row.technology_amount_fen,
        row.reference,
        row.state,
        row.declared_at,
        row.declared_by,
        row.confirmed_on,
        row.confirmed_by,
        row.withdrawn_reason,
        files[0] if files else None,
    )


def with_receipts(session: Session, contract_ids: Collection[int]) -> set[int]:
    """Return which of the contracts have at least one payment that was not withdrawn."""
    return set(
        session.scalars(
            select(ContractReceipt.contract_id)
            .where(
                ContractReceipt.contract_id.in_(contract_ids),
                ContractReceipt.state != ReceiptState.WITHDRAWN,
            )
            .distinct()
        )
    )


def declared_count(session: Session, registrar_organisation_id: int) -> int:
    """Count the payments that wait for a registrar's confirmation."""
    return (
        session.scalar(
            select(func.count())
            .select_from(ContractReceipt)
            .join(Contract, Contract.id == ContractReceipt.contract_id)
            .where(
                Contract.registrar_organisation_id == registrar_organisation_id,
                ContractReceipt.state == ReceiptState.DECLARED,
            )
        )
        or 0
    )
