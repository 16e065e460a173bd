"""Estimates for the pages of deals and contracts, beside the year's registered facts."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from marketplace.brokerage.queries import Prospect
from marketplace.contracts.rules import TYPE_OF_MODE, ContractContent, ContractType
from marketplace.foundation.money import Fen
from marketplace.subsidies import facts_queries
from marketplace.subsidies.estimate_rules import Estimate, estimate
from marketplace.subsidies.parameters import select_policies
from marketplace.subsidies.trace_rules import RegisteredContract


def estimate_for(
    session: Session,
    *,
    contract_type: ContractType,
    registered_on: date,
    amount_fen: Fen,
    seller_organisation_id: int,
    buyer_organisation_id: int,
    agency_organisation_id: int | None = None,
    registrar_organisation_id: int | None = None,
    technology_amount_fen: Fen | None = None,
    tax_exempt_amount_fen: Fen | None = None,
    project_id: str = "",
    activity_id: str = "",
    fiscal_funds: bool = False,
    contract_id: int | None = None,
) -> Estimate:
    """Estimate what a contract brings its parties beside their year's other contracts.

    ``contract_id`` names the contract itself where it is registered already, to leave it out of
    the others. Drafts of documents never count here.
    """
    roles = (
        seller_organisation_id,
        buyer_organisation_id,
        agency_organisation_id,
        registrar_organisation_id,
    )
    facts = facts_queries.facts_of_year(
        session,
        registered_on.year,
        organisation_ids={role for role in roles if role is not None},
        project_ids=[project_id],
        activity_ids=[activity_id],
        without_contract_id=contract_id,
    )
    contract = RegisteredContract(
        contract_no="本合同",
        contract_type=contract_type,
        registered_on=registered_on,
        amount_fen=amount_fen,
        technology_amount_fen=technology_amount_fen,
        tax_exempt_amount_fen=tax_exempt_amount_fen,
        seller=str(seller_organisation_id),
        buyer=str(buyer_organisation_id),
        agency=None if agency_organisation_id is None else str(agency_organisation_id),
        registrar=None if registrar_organisation_id is None else str(registrar_organisation_id),
        project_id=project_id,
        activity_id=activity_id,
        fiscal_funds=fiscal_funds,
    )
    return estimate(
        contract, others=facts.contracts, parties=facts.parties, policies=select_policies()
    )


def estimate_contract(
    session: Session, content: ContractContent, *, contract_id: int, registered_on: date
) -> Estimate | None:
    """Estimate a contract from its form as registered on a day; None while too little is known."""
    if (
        content.contract_type is None
        or content.amount_fen is None
        or content.seller_organisation_id is None
        or content.buyer_organisation_id is None
    ):
        return None
    return estimate_for(
        session,
        contract_type=content.contract_type,
        registered_on=registered_on,
        amount_fen=content.amount_fen,
        technology_amount_fen=content.technology_amount_fen,
        tax_exempt_amount_fen=content.tax_exempt_amount_fen,
        seller_organisation_id=content.seller_organisation_id,
        buyer_organisation_id=content.buyer_organisation_id,
        agency_organisation_id=content.agency_organisation_id,
        registrar_organisation_id=content.registrar_organisation_id,
        project_id=content.project_id,
        activity_id=content.activity_id,
        fiscal_funds=bool(content.fiscal_funds),
        contract_id=contract_id,
    )


def estimate_prospect(
    session: Session, prospect: Prospect, *, registered_on: date
) -> Estimate | None:
    """Estimate what a deal would bring as a contract registered on a day."""
    if prospect.amount_fen is None or prospect.trading_mode is None:
        return None
    return estimate_for(
        session,
        contract_type=TYPE_OF_MODE[prospect.trading_mode][0],
        registered_on=registered_on,
        amount_fen=prospect.amount_fen,
        seller_organisation_id=prospect.seller_organisation_id,
        buyer_organisation_id=prospect.buyer_organisation_id,
        agency_organisation_id=prospect.agency_organisation_id,
    )
