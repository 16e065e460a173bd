"""All registered facts of a year at once, as the calculation takes them.

The reads are few and wide: a year of 50,000 contracts is loaded in a second.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.brokerage import queries as brokerage
from marketplace.integrity import queries as integrity
from marketplace.subsidies.calculation_rules import Calculation, prepare
from marketplace.subsidies.facts_queries import party_kind
from marketplace.subsidies.models import ContractFact
from marketplace.subsidies.parameters import Policy
from marketplace.subsidies.trace_rules import Dishonesty, Party, Period, RegisteredContract

_AT_ONCE = 10_000

_COLUMNS = (
    ContractFact.contract_no,
    ContractFact.contract_type,
    ContractFact.registered_on,
    ContractFact.amount_fen,
    ContractFact.technology_amount_fen,
    ContractFact.tax_exempt_amount_fen,
    ContractFact.seller_organisation_id,
    ContractFact.buyer_organisation_id,
    ContractFact.agency_organisation_id,
    ContractFact.registrar_organisation_id,
    ContractFact.project_id,
    ContractFact.activity_id,
    ContractFact.fiscal_funds,
)


@dataclass(frozen=True)
class Year:
    """What a year's results rest on: parties by organisation id, as text, and contracts.

    The contracts include earlier ones that Readings D and E look back on.
    """

    year: int
    parties: dict[str, Party]
    contracts: list[RegisteredContract]

    @property
    def contract_count(self) -> int:
        """Count the year's own contracts."""
        return sum(contract.registered_on.year == self.year for contract in self.contracts)

    def calculation(self, chosen: Iterable[Policy]) -> Calculation:
        """Prepare the calculation of everybody under the chosen documents."""
        return prepare(self.year, parties=self.parties, contracts=self.contracts, policies=chosen)

    def fingerprint(self, chosen: Iterable[Policy]) -> str:
        """Return a digest of all that goes into the year's results under the documents."""
        digest = hashlib.sha256(str(self.year).encode())
        for policy in chosen:
            # Sets are written in order: a process must not differ from the next.
            plain = json.dumps(policy.model_dump(), default=_plain, sort_keys=True)
            digest.update(plain.encode())
        for key in sorted(self.parties):
            digest.update(repr(self.parties[key]).encode())
        for contract in self.contracts:
            digest.update(repr(contract).encode())
        return digest.hexdigest()


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else str(value)


def load_year(session: Session, year: int) -> Year:
    """Load a year's facts and those it looks back on; a cancelled registration is none."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    rows = session.execute(
        select(*_COLUMNS)
        .where(
            ContractFact.cancelled_on.is_(None),
            ContractFact.registered_on <= last,
            or_(
                ContractFact.registered_on >= first,
                ContractFact.project_id != "",
                ContractFact.activity_id != "",
            ),
        )
        .order_by(ContractFact.id)
    )
    contracts: list[RegisteredContract] = []
    ids: set[int] = set()
    for row in rows:
        seller, buyer, agency, registrar = row[6:10]
        ids.update((seller, buyer, registrar))
        if agency is not None:
            ids.add(agency)
        contracts.append(
            RegisteredContract(
                *row[:6],
                str(seller),
                str(buyer),
                None if agency is None else str(agency),
                str(registrar),
                *row[10:],
            )
        )
    return Year(year, _parties(session, ids, last), contracts)


def _parties(session: Session, ids: set[int], year_end: date) -> dict[str, Party]:
    terms = brokerage.approved_terms(session)
    dishonest: dict[int, Dishonesty] = {}
    # Of several records that count the longest is named, as for a single organisation.
    for record in sorted(integrity.current(session, year_end), key=lambda r: (r.ends_on, -r.id)):
        period = Period(record.starts_on, record.ends_on)
        dishonest[record.organisation_id] = Dishonesty(period, record.reason)
    parties = {}
    for some in _portions(sorted(ids)):
        for organisation in accounts.get_organisations(session, some).values():
            barred = dishonest.get(organisation.id)
            parties[str(organisation.id)] = Party(
                key=str(organisation.id),
                name=organisation.name,
                kind=party_kind(organisation),
                in_city=organisation.in_jinan,
                sme=organisation.sme,
                filings=tuple(Period(*term) for term in terms.get(organisation.id, ())),
                dishonesty=() if barred is None else (barred,),
            )
    return parties


def _portions(ids: list[int]) -> Iterator[list[int]]:
    """Cut a list so that no statement holds more values than a database takes."""
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]
