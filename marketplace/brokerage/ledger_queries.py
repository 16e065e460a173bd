"""Reads of the commission ledger: what is due, invoiced and received, for each side of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.brokerage.commission_models import CommissionEntry, Expense
from marketplace.brokerage.commission_rules import EntryCause, ExpenseStatus
from marketplace.brokerage.deal_queries import visible_to
from marketplace.brokerage.models import Commission, Deal
from marketplace.brokerage.seen_queries import seen_family
from marketplace.brokerage.terms_rules import CONFIRM_COMMISSION, CommissionPayer
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen
from marketplace.foundation.words import Word


class EntryState(Word):
    """How far the payment of an amount that fell due has come."""

    DUE = "due", "应付", "warn"
    INVOICED = "invoiced", "已开票", "run"
    RECEIVED = "received", "已到账", "ok"


@dataclass(frozen=True)
class EntryView:
    """One line of the ledger."""

    id: int
    commission_id: int
    deal_id: int
    deal_title: str
    deal_visible: bool
    contract_no: str
    payer_name: str
    broker_name: str
    agency_name: str
    cause: EntryCause
    amount_fen: Fen
    due_on: date
    invoice_no: str
    invoiced_on: date | None
    received_on: date | None
    may_receive: bool

    @property
    def state(self) -> EntryState:
        """Return how far its payment has come."""
        if self.received_on is not None:
            return EntryState.RECEIVED
        return EntryState.INVOICED if self.invoiced_on is not None else EntryState.DUE


@dataclass(frozen=True)
class LedgerTotals:
    """The sums of the actor's ledger by state."""

    due_fen: Fen
    invoiced_fen: Fen
    received_fen: Fen


def _received_by(actor: Actor) -> ColumnElement[bool]:
    """Return the condition for the entries that are paid to the actor or to his agency."""
    own = actor.organisation_id
    ways: list[ColumnElement[bool]] = []
    if actor.has(Role.BROKER):
        here = or_(
            CommissionEntry.organisation_id == own, CommissionEntry.organisation_id.is_(None)
        )
        ways.append(and_(CommissionEntry.broker_user_id == actor.user_id, here))
    if actor.has(Role.AGENCY_HEAD) and own is not None:
        ways.append(CommissionEntry.organisation_id == own)
    return or_(*ways) if ways else false()


def _visible(actor: Actor) -> ColumnElement[bool]:
    """Return the condition for the entries that the actor receives or owes."""
    if actor.user_id is None or actor.organisation_id is None:
        return false()
    if actor.has(Role.OPERATOR):
        return CommissionEntry.id.is_not(None)
    ways = [_received_by(actor)]
    if actor.has(*(CONFIRM_COMMISSION.roles or ())):
        ways.append(
            CommissionEntry.commission_id.in_(
                select(Commission.id).where(
                    Commission.payer_organisation_id == actor.organisation_id
                )
            )
        )
    return or_(*ways)


def _in_state(state: EntryState | None) -> list[ColumnElement[bool]]:
    if state is None:
        return []
    if state is EntryState.RECEIVED:
        return [CommissionEntry.received_on.is_not(None)]
    invoiced = CommissionEntry.invoiced_on
    return [
        CommissionEntry.received_on.is_(None),
        invoiced.is_not(None) if state is EntryState.INVOICED else invoiced.is_(None),
    ]


def ledger(
    session: Session,
    actor: Actor,
    *,
    state: EntryState | None = None,
    after: str | None = None,
    size: int = 30,
) -> Page[EntryView]:
    """Read one page of what the actor receives or owes, the newest first."""
    page = paginate(
        session,
        select(CommissionEntry).where(_visible(actor), *_in_state(state)),
        keys=[CommissionEntry.due_on.desc(), CommissionEntry.id.desc()],
        after=after,
        size=size,
    )
    return Page(_views(session, actor, page.items), page.next_token)


def get_own_entry(session: Session, actor: Actor, entry_id: int) -> EntryView:
    """Return a line that is paid to the actor or to his agency; raise ``NotFound``."""
    row = session.scalar(
        select(CommissionEntry).where(CommissionEntry.id == entry_id, _received_by(actor))
    )
    if row is None:
        raise NotFound()
    return _views(session, actor, [row])[0]


def entries_of_deal(session: Session, actor: Actor, deal_id: int) -> list[EntryView]:
    """List what has fallen due on a deal, for who takes part in it; oldest first."""
    rows = session.scalars(
        select(CommissionEntry)
        .join(Commission, Commission.id == CommissionEntry.commission_id)
        .where(Commission.deal_id.in_(seen_family(session, actor, deal_id)))
        .order_by(CommissionEntry.id)
    ).all()
    return _views(session, actor, list(rows))


def _views(session: Session, actor: Actor, rows: list[CommissionEntry]) -> list[EntryView]:
    found = session.execute(
        select(Commission, Deal)
        .join(Deal, Deal.id == Commission.deal_id)
        .where(Commission.id.in_({row.commission_id for row in rows}))
    ).all()
    around = {commission.id: (commission, deal) for commission, deal in found}
    seen = set(
        session.scalars(
            select(Deal.id).where(
                Deal.id.in_({deal.id for _commission, deal in around.values()}),
                visible_to(session, actor),
            )
        )
    )
    mine = set(
        session.scalars(
            select(CommissionEntry.id).where(
                CommissionEntry.id.in_([row.id for row in rows]), _received_by(actor)
            )
        )
    )
    organisations = accounts.get_organisations(
        session,
        {commission.payer_organisation_id for commission, _deal in around.values()}
        | {row.organisation_id for row in rows if row.organisation_id is not None},
    )
    people = accounts.get_users(session, {row.broker_user_id for row in rows})

    def view(row: CommissionEntry) -> EntryView:
        commission, deal = around[row.commission_id]
        agency = organisations.get(row.organisation_id or 0)
        return EntryView(
            row.id,
            commission.id,
            deal.id,
            deal.title,
            deal.id in seen,
            commission.contract_no,
            organisations[commission.payer_organisation_id].name,
            people[row.broker_user_id].name,
            agency.short_name if agency else "",
            row.cause,
            row.amount_fen,
            row.due_on,
            row.invoice_no,
            row.invoiced_on,
            row.received_on,
            row.id in mine,
        )

    return [view(row) for row in rows]


def ledger_totals(session: Session, actor: Actor) -> LedgerTotals:
    """Sum what the actor receives or owes by state."""

    def total(state: EntryState) -> Fen:
        found = session.scalar(
            select(func.coalesce(func.sum(CommissionEntry.amount_fen), 0)).where(
                _visible(actor), *_in_state(state)
            )
        )
        return Fen(int(found or 0))

    return LedgerTotals(
        total(EntryState.DUE), total(EntryState.INVOICED), total(EntryState.RECEIVED)
    )


@dataclass(frozen=True)
class ExpenseView:
    """A claim for necessary expenses."""

    id: int
    payer: CommissionPayer
    payer_organisation_id: int
    amount_fen: Fen
    words: str
    status: ExpenseStatus
    answer: str
    answered_by_name: str


def expenses_of_deal(session: Session, deal_id: int) -> list[ExpenseView]:
    """List the necessary expenses that a broker asked for."""
    rows = session.scalars(select(Expense).where(Expense.deal_id == deal_id).order_by(Expense.id))
    return [
        ExpenseView(
            row.id,
            row.payer,
            row.payer_organisation_id,
            row.amount_fen,
            row.words,
            row.status,
            row.answer,
            row.answered_by_name,
        )
        for row in rows
    ]
