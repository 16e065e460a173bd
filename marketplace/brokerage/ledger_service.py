"""The commission ledger: what a contract and its payments make due, invoices and arrivals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.brokerage import commission_rules, terms_rules
from marketplace.brokerage.commission_models import CommissionEntry, CommissionShare
from marketplace.brokerage.commission_rules import EntryCause, EntryFacts, Share
from marketplace.brokerage.family_queries import belongs_to
from marketplace.brokerage.introduction_events import CommissionDue
from marketplace.brokerage.models import Commission, Deal
from marketplace.brokerage.terms_rules import CommissionStatus, CommissionTerms, DueWhen
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, Role, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen

_OWED = (CommissionStatus.AGREED, CommissionStatus.DUE, CommissionStatus.INVOICED)


def settle_on_contract(
    session: Session,
    deal: Deal,
    *,
    actor: Actor,
    now: datetime,
    contract_no: str,
    price_fen: Fen,
    revive: bool = False,
) -> None:
    """Fix what a deal's commissions come to by its registered contract; repeat without effect.

    What was only proposed is void, for nobody has agreed to it. ``revive``: the parties closed the
    deal and signed past the broker, so what they had agreed before is owed again (民法典 965).
    """
    for row in _commissions(session, deal.id):
        if row.status is CommissionStatus.PROPOSED:
            row.status = terms_rules.move_commission(row.status, CommissionStatus.VOID)
            continue
        revived = revive and row.status is CommissionStatus.VOID and row.agreed_at is not None
        if row.status is not CommissionStatus.AGREED and not revived:
            continue
        if row.total_fen is not None and row.contract_no:
            continue
        row.status = CommissionStatus.AGREED
        row.contract_no = contract_no
        row.total_fen = terms_rules.commission_on(terms_of(row), price_fen)
        audit.record(
            session,
            actor=actor,
            action="brokerage.commission_fixed",
            subject=f"deal:{deal.id}",
            now=now,
            after={"commission": row.id, "total_fen": row.total_fen, "contract": contract_no},
        )
        if row.due_when is DueWhen.REGISTRATION:
            _fall_due(session, deal, row, row.total_fen, EntryCause.REGISTRATION, 0, now=now)


def accrue(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    contract_no: str,
    receipt_id: int,
    received_fen: Fen,
    price_fen: Fen,
) -> None:
    """Make the part of a commission due that the received part of the price stands for.

    ``received_fen`` is the sum of all confirmed payments; a receipt counts once.
    """
    require(actor, terms_rules.RECEIVE_COMMISSION)
    rows = session.scalars(
        select(Commission)
        .where(
            Commission.contract_no == contract_no,
            Commission.due_when == DueWhen.PAYMENT,
            Commission.status.in_((*_OWED, CommissionStatus.RECEIVED)),
        )
        .order_by(Commission.id)
        .with_for_update()
    ).all()
    for row in rows:
        deal = session.get_one(Deal, row.deal_id)
        due = commission_rules.fallen_due(
            row.total_fen or Fen(0), received_fen=received_fen, price_fen=price_fen
        )
        _fall_due(session, deal, row, due, EntryCause.RECEIPT, receipt_id, now=now)


def settle_on_payment(session: Session, deal: Deal, *, now: datetime) -> None:
    """Make the rest of a deal's commissions due: the parties say that the price is paid."""
    for row in _commissions(session, deal.id):
        if row.status in _OWED and row.total_fen is not None:
            _fall_due(session, deal, row, row.total_fen, EntryCause.PAID, 0, now=now)


def void_unpaid(
    session: Session, commissions: Iterable[Commission], *, actor: Actor, now: datetime, reason: str
) -> None:
    """Strike what is owed and has not arrived; what has arrived is for the parties to settle."""
    for row in commissions:
        if row.status not in _OWED:
            continue
        entries = _entries(session, row.id)
        for entry in entries:
            if entry.received_on is None:
                session.delete(entry)
        kept = sum(entry.amount_fen for entry in entries if entry.received_on is not None)
        row.due_fen = row.total_fen = Fen(kept) if kept else None
        row.status = CommissionStatus.RECEIVED if kept else CommissionStatus.VOID
        audit.record(
            session,
            actor=actor,
            action="brokerage.commission_void",
            subject=f"deal:{row.deal_id}",
            now=now,
            after={"commission": row.id, "reason": reason},
        )


def strike_for_cancelled(
    session: Session, *, actor: Actor, now: datetime, contract_no: str, reason: str
) -> None:
    """Strike the unpaid commission of a contract whose registration was cancelled."""
    require(actor, terms_rules.RECEIVE_COMMISSION)
    rows = session.scalars(
        select(Commission)
        .where(Commission.contract_no == contract_no)
        .order_by(Commission.id)
        .with_for_update()
    ).all()
    void_unpaid(session, rows, actor=actor, now=now, reason=reason)


def note_invoice(
    session: Session, *, actor: Actor, now: datetime, entry_id: int, invoice_no: str
) -> None:
    """Note the number of the invoice that asks the payer for an entry."""
    require(actor, terms_rules.RECEIVE_COMMISSION)
    entry, row = _load_entry(session, actor, entry_id)
    number = commission_rules.check_invoice(invoice_no, facts_of(entry))
    entry.invoice_no, entry.invoiced_on = number, local_date(now)
    _note(session, row, entry, "brokerage.commission_invoiced", actor=actor, now=now)


def receive_entry(session: Session, *, actor: Actor, now: datetime, entry_id: int) -> int:
    """Let a broker or his agency note that an entry has arrived; return the deal's id."""
    require(actor, terms_rules.RECEIVE_COMMISSION)
    entry, row = _load_entry(session, actor, entry_id)
    if entry.received_on is None:
        entry.received_on = local_date(now)
        _note(session, row, entry, "brokerage.receive_commission", actor=actor, now=now)
    return row.deal_id


def receive_commission(session: Session, *, actor: Actor, now: datetime, commission_id: int) -> int:
    """Note that all that is due to the actor of a commission has arrived; return the deal's id.

    A broker counts what is his, an agency's head what is his brokers'.
    """
    require(actor, terms_rules.RECEIVE_COMMISSION)
    row = lock(session, Commission, commission_id)
    own = [each for each in _entries(session, row.id) if _may_receive(actor, each)]
    if not own:
        raise NotFound()
    for entry in own:
        if entry.received_on is None:
            entry.received_on = local_date(now)
            _note(session, row, entry, "brokerage.receive_commission", actor=actor, now=now)
    return row.deal_id


def terms_of(row: Commission) -> CommissionTerms:
    """Read the terms of a stored commission."""
    return CommissionTerms(
        row.basis, row.rate_per_myriad, row.fixed_fen, row.minimum_fen, row.due_when
    )


def facts_of(entry: CommissionEntry) -> EntryFacts:
    """Read what decides where an entry stands."""
    return EntryFacts(entry.amount_fen, entry.invoiced_on, entry.received_on)


def _commissions(session: Session, deal_id: int) -> Sequence[Commission]:
    return session.scalars(
        select(Commission)
        .where(belongs_to(Commission.deal_id, deal_id))
        .order_by(Commission.id)
        .with_for_update()
    ).all()


def _entries(session: Session, commission_id: int) -> Sequence[CommissionEntry]:
    return session.scalars(
        select(CommissionEntry)
        .where(CommissionEntry.commission_id == commission_id)
        .order_by(CommissionEntry.id)
    ).all()


def _shares(session: Session, row: Commission) -> list[Share]:
    stored = session.scalars(
        select(CommissionShare)
        .where(CommissionShare.commission_id == row.id)
        .order_by(CommissionShare.id)
    ).all()
    return [Share(each.broker_user_id, each.organisation_id, each.per_myriad) for each in stored]


def _fall_due(
    session: Session,
    deal: Deal,
    row: Commission,
    up_to: Fen,
    cause: EntryCause,
    cause_id: int,
    *,
    now: datetime,
) -> None:
    """Write what is due beyond what was due before, each broker's part; none twice by a cause."""
    entries = _entries(session, row.id)
    if any((entry.cause, entry.cause_id) == (cause, cause_id) for entry in entries):
        return
    amount = Fen(up_to - sum(entry.amount_fen for entry in entries))
    if amount <= 0:
        return
    shares = _shares(session, row)
    today = local_date(now)
    for share, part in zip(shares, commission_rules.split(amount, shares), strict=True):
        if part == 0:
            continue
        session.add(
            CommissionEntry(
                commission_id=row.id,
                cause=cause,
                cause_id=cause_id,
                broker_user_id=share.broker_user_id,
                organisation_id=share.organisation_id,
                amount_fen=part,
                due_on=today,
            )
        )
        outbox.publish(
            session,
            CommissionDue(
                commission_id=row.id,
                deal_id=deal.id,
                title=deal.title,
                amount_fen=part,
                payer_organisation_id=row.payer_organisation_id,
                agency_organisation_id=share.organisation_id,
                broker_user_id=share.broker_user_id,
                contract_no=row.contract_no,
            ),
            now=now,
        )
    row.due_fen = up_to
    row.due_on = row.due_on or today
    row.received_on = None
    audit.record(
        session,
        actor=SYSTEM,
        action="brokerage.commission_due",
        subject=f"deal:{deal.id}",
        now=now,
        after={"commission": row.id, "cause": cause, "amount_fen": amount, "due_fen": up_to},
    )
    session.flush()
    _refresh(session, row)


def _refresh(session: Session, row: Commission) -> None:
    entries = _entries(session, row.id)
    row.status = commission_rules.ledger_status(
        row.total_fen or Fen(0), [facts_of(entry) for entry in entries]
    )
    if row.status is CommissionStatus.RECEIVED:
        row.received_on = max(each.received_on for each in entries if each.received_on)


def _may_receive(actor: Actor, entry: CommissionEntry) -> bool:
    """Tell whether an entry is the actor's: his own within his agency, or his agency's."""
    if actor is SYSTEM:
        return True
    own = actor.organisation_id
    if actor.has(Role.BROKER) and entry.broker_user_id == actor.user_id:
        return entry.organisation_id in (None, own)
    return actor.has(Role.AGENCY_HEAD) and own is not None and entry.organisation_id == own


def _load_entry(
    session: Session, actor: Actor, entry_id: int
) -> tuple[CommissionEntry, Commission]:
    found = session.get(CommissionEntry, entry_id)
    if found is None or not _may_receive(actor, found):
        raise NotFound()
    row = lock(session, Commission, found.commission_id)
    return lock(session, CommissionEntry, entry_id), row


def _note(
    session: Session,
    row: Commission,
    entry: CommissionEntry,
    action: str,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    session.flush()
    _refresh(session, row)
    audit.record(
        session,
        actor=actor,
        action=action,
        subject=f"deal:{row.deal_id}",
        now=now,
        after={
            "commission": row.id,
            "entry": entry.id,
            "amount_fen": entry.amount_fen,
            "invoice": entry.invoice_no,
        },
    )
