"""What happened to technology contracts.

``ContractRegistered`` freezes everything that subsidies, statistics and certificates need, so
that nobody reads the contract again. Enumerations travel by value, dates as dates.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.foundation.outbox import Event


@dataclass(frozen=True, kw_only=True)
class ContractSubmitted(Event):
    """The seller sent a contract to a registrar, for the first time or after a correction."""

    contract_id: int
    project_name: str
    seller_organisation_id: int
    buyer_organisation_id: int
    registrar_organisation_id: int
    resubmitted: bool
    due_on: date


@dataclass(frozen=True, kw_only=True)
class ContractReturned(Event):
    """The registrar asked for a correction."""

    contract_id: int
    project_name: str
    seller_organisation_id: int
    registrar_organisation_id: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class ContractRegistered(Event):
    """The registrar registered a contract; the facts are fixed from here on.

    ``contract_type`` is a ``ContractType``, ``technology_field`` a ``TechnologyField`` by value.
    ``project_id`` and ``activity_id`` are the declared identifiers of the project and of the
    activity that the contract pays for.
    """

    contract_id: int
    contract_no: str
    contract_type: str
    project_name: str
    registered_on: date
    amount_fen: int
    technology_amount_fen: int
    tax_exempt_amount_fen: int | None
    seller_organisation_id: int
    buyer_organisation_id: int
    agency_organisation_id: int | None
    registrar_organisation_id: int
    project_id: str
    activity_id: str
    fiscal_funds: bool
    deal_id: int | None
    listing_id: int | None
    achievement_id: int | None
    technology_field: str | None = None


@dataclass(frozen=True, kw_only=True)
class ContractRefused(Event):
    """The registrar refused a contract; ``reason_code`` is a ``RefusalReason`` by value."""

    contract_id: int
    project_name: str
    seller_organisation_id: int
    buyer_organisation_id: int
    registrar_organisation_id: int
    reason_code: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ContractChanged(Event):
    """The registrar recorded a change of a registered contract's terms.

    ``tax_exempt_amount_fen`` is None where no part is free of tax, or where nothing was said.
    """

    contract_id: int
    contract_no: str
    project_name: str
    seller_organisation_id: int
    buyer_organisation_id: int
    amount_fen: int
    technology_amount_fen: int
    changed_on: date
    reason: str
    tax_exempt_amount_fen: int | None = None


@dataclass(frozen=True, kw_only=True)
class ContractCancelled(Event):
    """The registrar cancelled a registration."""

    contract_id: int
    contract_no: str
    project_name: str
    seller_organisation_id: int
    buyer_organisation_id: int
    agency_organisation_id: int | None
    registrar_organisation_id: int
    cancelled_on: date
    reason: str


@dataclass(frozen=True, kw_only=True)
class ReceiptConfirmed(Event):
    """The registrar confirmed a payment under a registered contract.

    ``received_fen`` is the sum of all confirmed payments so far, this one included.
    """

    contract_id: int
    contract_no: str
    receipt_id: int
    received_fen: int
    price_fen: int
