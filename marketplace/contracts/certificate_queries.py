"""Registrations as the public may check them: by number, and whole with the check code."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.contracts.models import Contract
from marketplace.contracts.record_queries import ChangeView, changes
from marketplace.contracts.rules import ContractStatus, ContractSubtype, ContractType
from marketplace.foundation.errors import Conflict, NotFound
from marketplace.foundation.money import Fen


@dataclass(frozen=True)
class CertifiedParty:
    """A party as the certificate names it, as it was on the day of submission."""

    name: str
    uscc: str


@dataclass(frozen=True)
class Certificate:
    """What a certificate of registration states now."""

    contract_id: int
    contract_no: str
    check_code: str
    project_name: str
    contract_type: ContractType
    subtype: ContractSubtype | None
    seller: CertifiedParty
    buyer: CertifiedParty
    amount_fen: Fen
    technology_amount_fen: Fen
    signed_on: date | None
    effective_on: date | None
    ends_on: date | None
    registered_on: date
    registrar_name: str
    reviewer_name: str
    rule_version: str
    changes: list[ChangeView]


@dataclass(frozen=True)
class PublicRegistration:
    """What the public learns of a number: its state, and the whole with the right check code.

    ``code_fits`` is None where no code was given.
    """

    contract_no: str
    status: ContractStatus
    contract_type: ContractType
    registered_on: date
    registrar_name: str
    changed_on: date | None
    cancelled_on: date | None
    code_fits: bool | None
    certificate: Certificate | None

    @property
    def cancelled(self) -> bool:
        """Tell whether the registration was cancelled, so that its certificate is void."""
        return self.status is ContractStatus.CANCELLED


def get_certificate(session: Session, contract_id: int) -> Certificate:
    """Return a certificate to whoever was checked to see the contract; refuse a void one."""
    row = session.get(Contract, contract_id)
    if row is None or row.contract_no is None:
        raise NotFound()
    if row.status is ContractStatus.CANCELLED:
        assert row.cancelled_on is not None
        raise Conflict(
            "contracts.certificate_void",
            f"登记已于 {row.cancelled_on.isoformat()} 撤销，登记证明作废，不再出具；"
            "需要证明经过的，请联系登记机构",
        )
    return _certificate(session, row)


def find_registration(session: Session, number: str, code: str) -> PublicRegistration | None:
    """Look a number up for the public; the whole is shown with the right check code only."""
    row = session.scalar(select(Contract).where(Contract.contract_no == number.strip().upper()))
    if row is None:
        return None
    assert row.contract_no is not None
    assert row.contract_type is not None
    assert row.registered_on is not None
    typed = code.replace("-", "").replace(" ", "").upper()
    fits = None
    if typed:
        fits = bool(row.check_code) and secrets.compare_digest(
            typed.encode(), row.check_code.encode()
        )
    recorded = changes(session, row.id)
    return PublicRegistration(
        contract_no=row.contract_no,
        status=row.status,
        contract_type=row.contract_type,
        registered_on=row.registered_on,
        registrar_name=_registrar_name(session, row),
        changed_on=recorded[-1].changed_on if recorded else None,
        cancelled_on=row.cancelled_on,
        code_fits=fits,
        certificate=_certificate(session, row) if fits else None,
    )


def _registrar_name(session: Session, row: Contract) -> str:
    assert row.registrar_organisation_id is not None
    return accounts.get_organisation(session, row.registrar_organisation_id).name


def _certificate(session: Session, row: Contract) -> Certificate:
    assert row.contract_no is not None
    assert row.contract_type is not None
    assert row.registered_on is not None
    assert row.amount_fen is not None
    assert row.technology_amount_fen is not None
    return Certificate(
        contract_id=row.id,
        contract_no=row.contract_no,
        check_code=row.check_code,
        project_name=row.project_name,
        contract_type=row.contract_type,
        subtype=row.subtype,
        seller=CertifiedParty(row.seller_snapshot["name"], row.seller_snapshot["uscc"]),
        buyer=CertifiedParty(row.buyer_snapshot["name"], row.buyer_snapshot["uscc"]),
        amount_fen=row.amount_fen,
        technology_amount_fen=row.technology_amount_fen,
        signed_on=row.signed_on,
        effective_on=row.effective_on,
        ends_on=row.ends_on,
        registered_on=row.registered_on,
        registrar_name=_registrar_name(session, row),
        reviewer_name=row.reviewer_name,
        rule_version=row.rule_version,
        changes=changes(session, row.id),
    )
