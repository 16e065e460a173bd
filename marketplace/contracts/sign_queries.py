"""Look up what could be a sign of a sham: texts, activity, parties, rings, proofs of payment."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.assessments import queries as assessments
from marketplace.contracts import parameters
from marketplace.contracts.models import Contract, ContractInstalment
from marketplace.contracts.receipt_queries import with_receipts
from marketplace.contracts.record_queries import ContractView
from marketplace.contracts.rules import IN_REGISTER, Contact, ContractStatus
from marketplace.contracts.sham_rules import (
    Alike,
    Edge,
    Findings,
    Other,
    PartyTraits,
    Sign,
    Unpaid,
    ValuedRange,
    find_circle,
    sham_signs,
)
from marketplace.contracts.text_queries import like_texts
from marketplace.foundation.money import Fen

_MOST_OTHERS = 20
_MOST_EDGES = 500


def signs(session: Session, view: ContractView, *, today: date) -> list[Sign]:
    """Collect what a registrar should look at twice."""
    row = session.get_one(Contract, view.id)
    bounds = parameters.sham_bounds_on(today)
    ring = _ring(session, row, days=bounds.circle_days, most=bounds.circle_most_count)
    findings = Findings(
        same_text=_others(session, row, Contract.text_sha256 == row.text_sha256)
        if row.text_sha256
        else [],
        alike=_alike(session, row, bounds.text_per_mille),
        same_activity=_others(session, row, Contract.activity_id == row.activity_id)
        if row.activity_id
        else [],
        seller=_traits(session, view.seller, view.seller_snapshot, view.content.seller_contact),
        buyer=_traits(session, view.buyer, view.buyer_snapshot, view.content.buyer_contact),
        valued=_valued(session, view.achievement_id, today),
        circle=ring,
        circle_days=bounds.circle_days,
        names=_short_names(session, [edge.seller_id for edge in ring]),
        unpaid=_unpaid(session, row, today=today, days=bounds.unpaid_days),
        unpaid_days=bounds.unpaid_days,
        text_per_mille=bounds.text_per_mille,
    )
    return sham_signs(view.content, findings)


def _stands() -> ColumnElement[bool]:
    return Contract.submitted_at.is_not(None) & Contract.status.not_in(
        (ContractStatus.REFUSED, ContractStatus.CANCELLED)
    )


def _others(session: Session, row: Contract, condition: ColumnElement[bool]) -> list[Other]:
    rows = session.execute(
        select(Contract.id, Contract.contract_no, Contract.project_name)
        .where(condition, Contract.id != row.id, _stands())
        .order_by(Contract.id)
        .limit(_MOST_OTHERS)
    )
    return [Other(contract_id, number or name, name) for contract_id, number, name in rows]


def _alike(session: Session, row: Contract, per_mille: int) -> list[Alike]:
    likes = like_texts(session, row.id, per_mille=per_mille)
    ids = [like.contract_id for like in likes]
    named = {o.contract_id: o for o in _others(session, row, Contract.id.in_(ids))} if ids else {}
    return [
        Alike(named[like.contract_id], like.per_mille, tuple(like.differing))
        for like in likes
        if like.contract_id in named
    ]


def _traits(
    session: Session,
    organisation: accounts.OrganisationView | None,
    snapshot: dict[str, Any],
    contact: Contact,
) -> PartyTraits:
    people: frozenset[str] = frozenset()
    if organisation is not None:
        people = frozenset(m.name for m in accounts.members(session, organisation.id))
    return PartyTraits(
        representative=contact.representative,
        address=str(snapshot.get("address", "")),
        contact=contact,
        registered_representative=organisation.representative if organisation else "",
        people=people,
    )


def _valued(session: Session, achievement_id: int | None, today: date) -> ValuedRange | None:
    if achievement_id is None:
        return None
    valuation = assessments.latest_valuation(session, achievement_id)
    if valuation is None:
        return None
    bounds = parameters.price_bounds_on(today)
    return ValuedRange(
        valuation.low_fen,
        valuation.high_fen,
        valuation.base_on,
        bounds.low_per_mille,
        bounds.high_per_mille,
    )


def _ring(session: Session, row: Contract, *, days: int, most: int) -> list[Edge]:
    """Find a ring of contracts through this one, level by level from its buyer on."""
    if row.buyer_organisation_id is None or row.amount_fen is None or row.signed_on is None:
        return []
    start = Edge(
        Other(row.id, row.contract_no or row.project_name, row.project_name),
        row.seller_organisation_id,
        row.buyer_organisation_id,
        row.amount_fen,
    )
    span = timedelta(days=days)
    known: dict[int, Edge] = {}
    frontier: Collection[int] = {row.buyer_organisation_id}
    for _level in range(most - 1):
        found = [
            edge
            for edge in _edges(session, frontier, row.signed_on - span, row.signed_on + span)
            if edge.other.contract_id not in known
        ]
        known.update((edge.other.contract_id, edge) for edge in found)
        frontier = {edge.buyer_id for edge in found}
        if row.seller_organisation_id in frontier or not frontier:
            break
    return find_circle(start, list(known.values()), most=most)


def _edges(session: Session, sellers: Collection[int], since: date, until: date) -> Iterable[Edge]:
    rows = session.execute(
        select(
            Contract.id,
            Contract.contract_no,
            Contract.project_name,
            Contract.seller_organisation_id,
            Contract.buyer_organisation_id,
            Contract.amount_fen,
        )
        .where(
            Contract.seller_organisation_id.in_(sellers),
            Contract.buyer_organisation_id.is_not(None),
            Contract.amount_fen.is_not(None),
            Contract.signed_on.between(since, until),
            _stands(),
        )
        .order_by(Contract.id)
        .limit(_MOST_EDGES)
    )
    for contract_id, number, name, seller, buyer, amount in rows:
        if buyer is not None and amount is not None:
            yield Edge(Other(contract_id, number or name, name), seller, buyer, Fen(amount))


def _short_names(session: Session, ids: list[int]) -> tuple[str, ...]:
    found = accounts.get_organisations(session, ids)
    return tuple(found[each].short_name for each in ids)


def _unpaid(session: Session, row: Contract, *, today: date, days: int) -> list[Unpaid]:
    """List contracts of the same parties that should have been paid ``days`` ago and show nothing.

    The first instalment's day counts; without a schedule the day of registration does.
    """
    first = (
        select(func.min(ContractInstalment.due_on))
        .where(ContractInstalment.contract_id == Contract.id)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            Contract.id,
            Contract.contract_no,
            Contract.project_name,
            Contract.registered_on,
            first,
        )
        .where(
            Contract.status.in_(IN_REGISTER),
            Contract.seller_organisation_id == row.seller_organisation_id,
            or_(
                Contract.id == row.id,
                Contract.buyer_organisation_id == row.buyer_organisation_id,
            ),
        )
        .order_by(Contract.id)
    )
    due = [
        Unpaid(
            Other(contract_id, number or name, name), planned or registered, contract_id == row.id
        )
        for contract_id, number, name, registered, planned in rows
        if registered is not None and (planned or registered) + timedelta(days=days) < today
    ]
    paid = with_receipts(session, [each.other.contract_id for each in due])
    return [each for each in due if each.other.contract_id not in paid]
