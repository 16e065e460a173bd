"""Keep the projections: note a fact once, follow a contract from registration to its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.rules import District
from marketplace.achievements import queries as achievements
from marketplace.contracts.events import ContractCancelled, ContractChanged, ContractRegistered
from marketplace.contracts.rules import ContractType
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import ensure_row, ensure_rows
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TechnologyField
from marketplace.statistics.models import ContractFact, Fact
from marketplace.statistics.rules import Measure


def note(
    session: Session,
    *,
    now: datetime,
    measure: Measure,
    subject: str,
    organisation_id: int | None = None,
    field: TechnologyField | None = None,
    amount_fen: int | None = None,
) -> None:
    """Note that something happened; what was noted for the same thing before stays."""
    ensure_row(
        session,
        Fact,
        measure=measure,
        subject=subject,
        happened_on=local_date(now),
        field=field,
        district=_district(session, organisation_id),
        amount_fen=amount_fen,
    )


def note_achievements(
    session: Session,
    *,
    now: datetime,
    measure: Measure,
    achievement_ids: Iterable[int],
    organisation_id: int,
) -> None:
    """Note the same of several achievements of one owner."""
    wanted = list(achievement_ids)
    fields = {row.id: row.field for row in achievements.rows_of(session, wanted).values()}
    note_many(
        session,
        now=now,
        measure=measure,
        fields={f"achievement:{number}": fields.get(number) for number in wanted},
        organisation_id=organisation_id,
    )


def note_many(
    session: Session,
    *,
    now: datetime,
    measure: Measure,
    fields: Mapping[str, TechnologyField | None],
    organisation_id: int,
) -> None:
    """Note that the same happened to several subjects of one owner, each with its field."""
    district = _district(session, organisation_id)
    ensure_rows(
        session,
        Fact,
        [
            {
                "measure": measure,
                "subject": subject,
                "happened_on": local_date(now),
                "field": field,
                "district": district,
                "amount_fen": None,
            }
            for subject, field in fields.items()
        ],
    )


def register_contract(session: Session, event: ContractRegistered) -> None:
    """Keep a registered contract; only what registration fixed is taken, nothing is read again."""
    sides = accounts.get_organisations(
        session, (event.seller_organisation_id, event.buyer_organisation_id)
    )
    seller = sides[event.seller_organisation_id]
    buyer = sides[event.buyer_organisation_id]
    ensure_row(
        session,
        ContractFact,
        contract_id=event.contract_id,
        contract_no=event.contract_no,
        contract_type=ContractType(event.contract_type),
        registered_on=event.registered_on,
        amount_fen=event.amount_fen,
        technology_amount_fen=event.technology_amount_fen,
        field=TechnologyField(event.technology_field) if event.technology_field else None,
        seller_kind=seller.kind,
        seller_district=seller.district,
        buyer_district=buyer.district,
        brokered=event.agency_organisation_id is not None,
    )


def change_contract(session: Session, event: ContractChanged) -> None:
    """Follow a change of a contract's amounts; it stays in the year of its registration."""
    row = session.get(ContractFact, event.contract_id, with_for_update=True)
    if row is not None:
        row.amount_fen = Fen(event.amount_fen)
        row.technology_amount_fen = Fen(event.technology_amount_fen)


def cancel_contract(session: Session, event: ContractCancelled) -> None:
    """Take a cancelled registration out of the figures."""
    row = session.get(ContractFact, event.contract_id, with_for_update=True)
    if row is not None:
        row.cancelled_on = event.cancelled_on


def _district(session: Session, organisation_id: int | None) -> District | None:
    if organisation_id is None:
        return None
    return accounts.get_organisation(session, organisation_id).district
