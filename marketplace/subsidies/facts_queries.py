"""Registered facts as the calculation takes them: parties and contracts of a year.

Parties are keyed by organisation id, as text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.queries import OrganisationView
from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.brokerage import queries as brokerage
from marketplace.brokerage.register_rules import FilingStatus
from marketplace.integrity import queries as integrity
from marketplace.subsidies.models import ContractFact
from marketplace.subsidies.trace_rules import Dishonesty, Party, Period, RegisteredContract
from marketplace.subsidies.word_rules import PartyKind

_KINDS = {
    OrganisationKind.UNIVERSITY: PartyKind.UNIVERSITY,
    OrganisationKind.RESEARCH_INSTITUTE: PartyKind.RESEARCH_INSTITUTE,
    OrganisationKind.NEW_RD_INSTITUTION: PartyKind.NEW_RD_INSTITUTION,
    OrganisationKind.INNOVATION_COMMUNITY: PartyKind.INNOVATION_COMMUNITY,
    OrganisationKind.ENTERPRISE: PartyKind.ENTERPRISE,
    OrganisationKind.REGISTRAR: PartyKind.REGISTRAR,
}


@dataclass(frozen=True)
class YearFacts:
    """What a calculation of one year rests on, with the way back to the facts' own ids."""

    year: int
    parties: dict[str, Party]
    contracts: list[RegisteredContract]
    contract_ids: dict[str, int]


def party_kind(organisation: OrganisationView) -> PartyKind | None:
    """Return what an organisation is to the subsidy rules, None where they have no word for it."""
    if organisation.kind is OrganisationKind.SERVICE_INSTITUTION:
        return PartyKind.AGENCY if organisation.offers(OrganisationSubkind.AGENCY) else None
    return _KINDS.get(organisation.kind)


def facts_of_year(
    session: Session,
    year: int,
    *,
    organisation_ids: Collection[int],
    project_ids: Iterable[str] = (),
    activity_ids: Iterable[str] = (),
    without_contract_id: int | None = None,
) -> YearFacts:
    """Load a year's facts in which one of the organisations has a role, and what they look back on.

    ``project_ids`` and ``activity_ids`` add those of a contract that is not registered yet. A
    cancelled registration is none. Filings and dishonesty are read for ``organisation_ids`` only.
    """
    own = list(session.scalars(_in_year(year, organisation_ids)))
    projects = {fact.project_id for fact in own} | set(project_ids)
    activities = {fact.activity_id for fact in own} | set(activity_ids)
    earlier = session.scalars(
        select(ContractFact).where(
            ContractFact.cancelled_on.is_(None),
            ContractFact.registered_on <= date(year, 12, 31),
            or_(
                ContractFact.project_id.in_(projects - {""}),
                ContractFact.activity_id.in_(activities - {""}),
            ),
        )
    )
    facts = {fact.id: fact for fact in [*own, *earlier]}
    listed = [fact for fact in facts.values() if fact.contract_id != without_contract_id]
    ids = {party for fact in listed for party in party_ids(fact)} | set(organisation_ids)
    return YearFacts(
        year,
        load_parties(session, ids, judged=organisation_ids, year=year),
        [_contract(fact) for fact in listed],
        {fact.contract_no: fact.contract_id for fact in listed},
    )


def load_parties(
    session: Session, ids: Iterable[int], *, judged: Collection[int], year: int
) -> dict[str, Party]:
    """Build parties; filings and the integrity record at the year's end for the judged ones."""
    parties = {}
    for organisation in accounts.get_organisations(session, ids).values():
        filings: tuple[Period, ...] = ()
        dishonesty: tuple[Dishonesty, ...] = ()
        if organisation.id in judged:
            filings = tuple(
                Period(filing.valid_from, filing.valid_to)
                for filing in brokerage.filings_of(session, organisation.id)
                if filing.status is FilingStatus.APPROVED
            )
            record = integrity.dishonesty_on(session, organisation.id, date(year, 12, 31))
            if record is not None:
                period = Period(record.starts_on, record.ends_on)
                dishonesty = (Dishonesty(period, record.reason),)
        parties[str(organisation.id)] = Party(
            key=str(organisation.id),
            name=organisation.name,
            kind=party_kind(organisation),
            in_city=organisation.in_jinan,
            sme=organisation.sme,
            filings=filings,
            dishonesty=dishonesty,
        )
    return parties


def years_with_facts(session: Session, organisation_id: int) -> list[int]:
    """List the years in which an organisation has a role in a registered contract, latest first."""
    days = session.scalars(
        select(ContractFact.registered_on).where(
            ContractFact.cancelled_on.is_(None), concerns([organisation_id])
        )
    )
    return sorted({day.year for day in days}, reverse=True)


def facts_by_number(session: Session, numbers: Iterable[str]) -> dict[str, ContractFact]:
    """Return facts by contract number."""
    rows = session.scalars(select(ContractFact).where(ContractFact.contract_no.in_(set(numbers))))
    return {row.contract_no: row for row in rows}


def _in_year(year: int, organisation_ids: Collection[int]) -> Select[ContractFact]:
    return select(ContractFact).where(
        ContractFact.cancelled_on.is_(None),
        ContractFact.registered_on.between(date(year, 1, 1), date(year, 12, 31)),
        concerns(organisation_ids),
    )


def concerns(organisation_ids: Collection[int]) -> ColumnElement[bool]:
    """Tell whether one of the organisations has a role in a contract."""
    return or_(
        ContractFact.seller_organisation_id.in_(organisation_ids),
        ContractFact.buyer_organisation_id.in_(organisation_ids),
        ContractFact.agency_organisation_id.in_(organisation_ids),
        ContractFact.registrar_organisation_id.in_(organisation_ids),
    )


def party_ids(fact: ContractFact) -> list[int]:
    """List the organisations that have a role in a contract."""
    ids = [
        fact.seller_organisation_id,
        fact.buyer_organisation_id,
        fact.registrar_organisation_id,
    ]
    return ids if fact.agency_organisation_id is None else [*ids, fact.agency_organisation_id]


def _contract(fact: ContractFact) -> RegisteredContract:
    agency = fact.agency_organisation_id
    return RegisteredContract(
        contract_no=fact.contract_no,
        contract_type=fact.contract_type,
        registered_on=fact.registered_on,
        amount_fen=fact.amount_fen,
        technology_amount_fen=fact.technology_amount_fen,
        tax_exempt_amount_fen=fact.tax_exempt_amount_fen,
        seller=str(fact.seller_organisation_id),
        buyer=str(fact.buyer_organisation_id),
        agency=None if agency is None else str(agency),
        registrar=str(fact.registrar_organisation_id),
        project_id=fact.project_id,
        activity_id=fact.activity_id,
        fiscal_funds=fact.fiscal_funds,
    )
