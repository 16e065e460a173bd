"""Registered contracts by number or agency, for slices upstream and for the yearly review."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, lazyload

from marketplace.brokerage.register_rules import BrokeredContract
from marketplace.contracts.models import Contract
from marketplace.contracts.rules import IN_REGISTER, ContractStatus


def find_registered(session: Session, numbers: Collection[str]) -> dict[str, BrokeredContract]:
    """Return the contracts that stand in the register, by their numbers."""
    if not numbers:
        return {}
    rows = _rows(session, Contract.contract_no.in_(numbers), Contract.status.in_(IN_REGISTER))
    return {row.contract_no: row for row in rows}


def of_agency(session: Session, agency_id: int, year: int) -> list[BrokeredContract]:
    """List the contracts that an agency brokered and that were registered in a year."""
    return _rows(
        session,
        Contract.agency_organisation_id == agency_id,
        Contract.status.in_(IN_REGISTER),
        Contract.registered_on.between(date(year, 1, 1), date(year, 12, 31)),
    )


def cancelled_of_agency(session: Session, agency_id: int, year: int) -> list[BrokeredContract]:
    """List the contracts of an agency whose registration was cancelled in a year."""
    return _rows(
        session,
        Contract.agency_organisation_id == agency_id,
        Contract.status == ContractStatus.CANCELLED,
        Contract.cancelled_on.between(date(year, 1, 1), date(year, 12, 31)),
    )


def _rows(session: Session, *where: ColumnElement[bool]) -> list[BrokeredContract]:
    rows = session.scalars(
        select(Contract)
        .options(lazyload("*"))
        .where(*where)
        .order_by(Contract.registered_on, Contract.id)
    )
    return [
        BrokeredContract(
            row.id,
            row.contract_no,
            row.project_name,
            row.seller_organisation_id,
            row.buyer_organisation_id,
            row.agency_organisation_id,
            row.registered_on,
            row.amount_fen,
        )
        for row in rows
        if row.contract_no is not None
        if row.registered_on is not None
        if row.amount_fen is not None
        if row.buyer_organisation_id is not None
    ]
