"""Reads of contracts: the parties' lists, the registrar's queue, sums, what waits.

One contract is in ``record_queries``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, func, or_, select
from sqlalchemy.orm import Session, lazyload

from marketplace.accounts import queries as accounts
from marketplace.brokerage.family_queries import family_ids
from marketplace.contracts.amendment_queries import amendments, waiting_amendments
from marketplace.contracts.models import Contract
from marketplace.contracts.receipt_queries import declared_count, income
from marketplace.contracts.record_queries import (
    ChangeView,
    ContractView,
    HistoryLine,
    changes,
    checks,
    get_contract,
    history,
    visible_to,
)
from marketplace.contracts.rules import (
    IN_REGISTER,
    WITH_REGISTRAR,
    ContractStatus,
    ContractType,
)
from marketplace.contracts.sign_queries import signs
from marketplace.contracts.standing_queries import Standing, standings_of
from marketplace.contracts.text_queries import agreement, proposal_of, texts_of
from marketplace.foundation.access import Actor
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.money import Fen

__all__ = [
    "ChangeView",
    "ContractFilter",
    "ContractRow",
    "ContractView",
    "HistoryLine",
    "QueueCounts",
    "Standing",
    "Turnover",
    "agreement",
    "amendments",
    "changes",
    "checks",
    "declared_count",
    "find_of_deal",
    "get_contract",
    "history",
    "income",
    "list_contracts",
    "own_ids",
    "proposal_of",
    "queue",
    "queue_counts",
    "seller_turnover",
    "signs",
    "standings_of",
    "texts_of",
    "turnover",
    "waiting_amendments",
]


@dataclass(frozen=True, kw_only=True)
class ContractRow:
    """A contract as a list shows it."""

    id: int
    project_name: str
    contract_type: ContractType | None
    status: ContractStatus
    seller_name: str
    buyer_name: str
    registrar_name: str
    amount_fen: Fen | None
    technology_amount_fen: Fen | None
    contract_no: str | None
    signed_on: date | None
    submitted_at: datetime | None
    due_on: date | None
    registered_on: date | None
    touched_at: datetime
    round: int
    disputed: bool
    reviewer_name: str


@dataclass(frozen=True, kw_only=True)
class ContractFilter:
    """What a list of contracts is narrowed to; empty means everything."""

    statuses: tuple[ContractStatus, ...] = ()
    contract_type: ContractType | None = None
    text: str = ""


def _narrowed(chosen: ContractFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if chosen.statuses:
        conditions.append(Contract.status.in_(chosen.statuses))
    if chosen.contract_type is not None:
        conditions.append(Contract.contract_type == chosen.contract_type)
    if chosen.text:
        conditions.append(
            or_(
                Contract.project_name.icontains(chosen.text, autoescape=True),
                Contract.contract_no == chosen.text.upper(),
            )
        )
    return conditions


def list_contracts(
    session: Session,
    actor: Actor,
    *,
    chosen: ContractFilter,
    after: str | None = None,
    size: int = 20,
) -> Page[ContractRow]:
    """Read one page of the contracts that the actor may see, the last touched first."""
    page = paginate(
        session,
        select(Contract)
        .options(lazyload(Contract.items))
        .where(visible_to(actor), *_narrowed(chosen)),
        keys=[Contract.touched_at.desc(), Contract.id.desc()],
        after=after,
        size=size,
    )
    return Page(_rows(session, page.items), page.next_token)


def queue(
    session: Session,
    organisation_id: int,
    *,
    chosen: ContractFilter,
    after: str | None = None,
    size: int = 20,
) -> Page[ContractRow]:
    """Read one page of a registrar's work: what is undecided by its last day, else the newest."""
    undecided = bool(chosen.statuses) and set(chosen.statuses) <= WITH_REGISTRAR
    keys: list[UnaryExpression[Any]] = (
        [Contract.due_on.asc(), Contract.id.asc()]
        if undecided
        else [Contract.touched_at.desc(), Contract.id.desc()]
    )
    page = paginate(
        session,
        select(Contract)
        .options(lazyload(Contract.items))
        .where(
            Contract.registrar_organisation_id == organisation_id,
            Contract.submitted_at.is_not(None),
            *_narrowed(chosen),
        ),
        keys=keys,
        after=after,
        size=size,
    )
    return Page(_rows(session, page.items), page.next_token)


@dataclass(frozen=True)
class QueueCounts:
    """How much lies with a registrar, and how much of it is late or due within three days."""

    by_status: dict[ContractStatus, int]
    late: int
    registered_this_year: int
    registered_fen: Fen


def queue_counts(session: Session, organisation_id: int, *, today: date) -> QueueCounts:
    """Count a registrar's work."""
    mine = Contract.registrar_organisation_id == organisation_id
    counted = session.execute(
        select(Contract.status, func.count())
        .where(mine, Contract.submitted_at.is_not(None))
        .group_by(Contract.status)
    )
    late = session.scalar(
        select(func.count()).where(
            mine, Contract.status.in_(WITH_REGISTRAR), Contract.due_on < today
        )
    )
    number, total = session.execute(
        select(func.count(), func.coalesce(func.sum(Contract.amount_fen), 0)).where(
            mine,
            Contract.status.in_(IN_REGISTER),
            Contract.registered_on.between(date(today.year, 1, 1), date(today.year, 12, 31)),
        )
    ).one()
    by_status: dict[ContractStatus, int] = {}
    for status, how_many in counted:
        by_status[status] = how_many
    return QueueCounts(by_status, late or 0, int(number), Fen(int(total or 0)))


def _rows(session: Session, contracts: Sequence[Contract]) -> list[ContractRow]:
    ids: set[int] = set()
    for row in contracts:
        ids |= {
            value
            for value in (
                row.seller_organisation_id,
                row.buyer_organisation_id,
                row.registrar_organisation_id,
            )
            if value is not None
        }
    found = accounts.get_organisations(session, ids)

    def name(organisation_id: int | None) -> str:
        view = found.get(organisation_id or 0)
        return view.short_name if view else ""

    return [
        ContractRow(
            id=row.id,
            project_name=row.project_name or "（未命名合同）",
            contract_type=row.contract_type,
            status=row.status,
            seller_name=name(row.seller_organisation_id),
            buyer_name=name(row.buyer_organisation_id),
            registrar_name=name(row.registrar_organisation_id),
            amount_fen=row.amount_fen,
            technology_amount_fen=row.technology_amount_fen,
            contract_no=row.contract_no,
            signed_on=row.signed_on,
            submitted_at=row.submitted_at,
            due_on=row.due_on,
            registered_on=row.registered_on,
            touched_at=row.touched_at,
            round=row.round,
            disputed=bool(row.disputed_reason),
            reviewer_name=row.reviewer_name,
        )
        for row in contracts
    ]


def own_ids(session: Session, actor: Actor, contract_ids: Collection[int]) -> set[int]:
    """Return which of the contracts the actor may open."""
    if not contract_ids:
        return set()
    return set(
        session.scalars(select(Contract.id).where(Contract.id.in_(contract_ids), visible_to(actor)))
    )


def find_of_deal(session: Session, actor: Actor, deal_id: int) -> ContractRow | None:
    """Return the newest contract of a deal, or of one merged into it, that the actor may see."""
    row = session.scalar(
        select(Contract)
        .options(lazyload(Contract.items))
        .where(Contract.deal_id.in_(family_ids(session, deal_id)), visible_to(actor))
        .order_by(Contract.id.desc())
        .limit(1)
    )
    return None if row is None else _rows(session, [row])[0]


@dataclass(frozen=True)
class Turnover:
    """What was registered in a period."""

    count: int
    amount_fen: Fen
    technology_amount_fen: Fen


def turnover(session: Session, since: date, until: date) -> Turnover:
    """Sum the contracts registered in a period, both ends included; cancelled ones left out."""
    count, amount, technology = session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(Contract.amount_fen), 0),
            func.coalesce(func.sum(Contract.technology_amount_fen), 0),
        ).where(Contract.status.in_(IN_REGISTER), Contract.registered_on.between(since, until))
    ).one()
    return Turnover(int(count), Fen(int(amount or 0)), Fen(int(technology or 0)))


def seller_turnover(session: Session, organisation_id: int, since: date, until: date) -> Turnover:
    """Sum what an organisation sold by contracts registered between two days."""
    count, amount, technology = session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(Contract.amount_fen), 0),
            func.coalesce(func.sum(Contract.technology_amount_fen), 0),
        ).where(
            Contract.seller_organisation_id == organisation_id,
            Contract.status.in_(IN_REGISTER),
            Contract.registered_on.between(since, until),
        )
    ).one()
    return Turnover(int(count), Fen(int(amount or 0)), Fen(int(technology or 0)))
