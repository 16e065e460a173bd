"""Reads of applications to change or cancel a registration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.contracts.after_models import ContractAmendment
from marketplace.contracts.amendment_rules import AmendmentKind, AmendmentState, NewTerms
from marketplace.contracts.models import Contract
from marketplace.contracts.rules import Item
from marketplace.foundation import attachments
from marketplace.foundation.attachments import AttachmentView
from marketplace.foundation.money import Fen


@dataclass(frozen=True)
class AmendmentView:
    """An application with its papers and its answer; ``terms`` is None for a cancellation."""

    id: int
    kind: AmendmentKind
    state: AmendmentState
    terms: NewTerms | None
    reason: str
    applied_at: datetime
    applied_by: str
    due_on: date
    decided_at: datetime | None
    decided_by: str
    decision_words: str
    files: list[AttachmentView]

    @property
    def waits(self) -> bool:
        """Tell whether the registrar has to answer."""
        return self.state is AmendmentState.APPLIED


@dataclass(frozen=True)
class WaitingAmendment:
    """An application in a registrar's queue."""

    contract_id: int
    contract_no: str
    project_name: str
    kind: AmendmentKind
    applied_at: datetime
    due_on: date


def amendment_subject(amendment_id: int) -> str:
    """Name an application for its papers."""
    return f"contract-amendment:{amendment_id}"


def terms_of(row: ContractAmendment) -> NewTerms:
    """Read the new terms of an application for change."""
    assert row.amount_fen is not None
    assert row.technology_amount_fen is not None
    return NewTerms(
        row.amount_fen,
        row.technology_amount_fen,
        tuple(Item(str(label), Fen(int(amount))) for label, amount in row.items),
        row.ends_on,
    )


def amendments(session: Session, contract_id: int) -> list[AmendmentView]:
    """List a contract's applications, the newest first."""
    rows = session.scalars(
        select(ContractAmendment)
        .where(ContractAmendment.contract_id == contract_id)
        .order_by(ContractAmendment.id.desc())
    )
    return [
        AmendmentView(
            row.id,
            row.kind,
            row.state,
            terms_of(row) if row.kind is AmendmentKind.CHANGE else None,
            row.reason,
            row.applied_at,
            row.applied_by,
            row.due_on,
            row.decided_at,
            row.decided_by,
            row.decision_words,
            attachments.of(session, amendment_subject(row.id)),
        )
        for row in rows
    ]


def waiting_amendments(
    session: Session, registrar_organisation_id: int, *, limit: int = 50
) -> list[WaitingAmendment]:
    """List the applications that wait for a registrar, what is due first on top."""
    rows = session.execute(
        select(ContractAmendment, Contract.contract_no, Contract.project_name)
        .join(Contract, Contract.id == ContractAmendment.contract_id)
        .where(
            Contract.registrar_organisation_id == registrar_organisation_id,
            ContractAmendment.state == AmendmentState.APPLIED,
        )
        .order_by(ContractAmendment.due_on, ContractAmendment.id)
        .limit(limit)
    )
    return [
        WaitingAmendment(row.contract_id, number or "", name, row.kind, row.applied_at, row.due_on)
        for row, number, name in rows
    ]
