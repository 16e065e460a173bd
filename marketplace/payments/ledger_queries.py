"""Reads of the ledger and of the bank's statement, and the proof that both agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen
from marketplace.payments.ledger_models import LedgerEntry, LedgerPosting, StatementLine
from marketplace.payments.ledger_rules import LIES_IN, LedgerAccount, PostingKind
from marketplace.payments.models import Payment
from marketplace.payments.statement_rules import LineState


@dataclass(frozen=True)
class LineView:
    """A line of the statement with what it was found to be for, and who handled it."""

    id: int
    reference: str
    booked_on: date
    amount_fen: Fen
    account_name: str
    remark: str
    state: LineState
    payment_id: int | None
    payment_number: str
    finding: str
    recorded_at: datetime
    recorded_by_id: int | None
    recorded_by: str
    settled_by: str
    return_reference: str


@dataclass(frozen=True)
class PostingView:
    """One posting as the ledger's page shows it."""

    id: int
    kind: PostingKind
    posted_at: datetime
    payment_id: int | None
    payment_number: str
    debited: LedgerAccount
    credited: LedgerAccount
    amount_fen: Fen


def balances(session: Session) -> dict[LedgerAccount, Fen]:
    """Return the balance of every account; they sum to zero."""
    rows = session.execute(
        select(LedgerEntry.account, func.sum(LedgerEntry.amount_fen)).group_by(LedgerEntry.account)
    )
    found = dict.fromkeys(LedgerAccount, Fen(0))
    found.update({account: Fen(int(total)) for account, total in rows})
    return found


def ledger_problems(session: Session) -> list[str]:
    """Name what disagrees: a posting, the whole, or an account with the payments it holds."""
    problems = []
    lame = session.scalars(
        select(LedgerEntry.posting_id)
        .group_by(LedgerEntry.posting_id)
        .having(func.sum(LedgerEntry.amount_fen) != 0)
    ).all()
    problems += [f"ledger: posting {posting_id} does not sum to zero" for posting_id in lame]
    held = balances(session)
    if sum(held.values()):
        problems.append(f"ledger: the sum is {sum(held.values())} fen, not zero")
    rows = session.execute(
        select(Payment.state, func.sum(Payment.amount_fen))
        .where(Payment.state.in_(list(LIES_IN)))
        .group_by(Payment.state)
    )
    sums = {state: int(total) for state, total in rows}
    for state, account in LIES_IN.items():
        if sums.get(state, 0) != -held[account]:
            problems.append(
                f"ledger: {account.value} holds {-held[account]} fen, "
                f"payments in {state.value} are {sums.get(state, 0)} fen"
            )
    unclaimed = session.scalar(
        select(func.sum(StatementLine.amount_fen)).where(
            StatementLine.state.in_((LineState.OPEN, LineState.MATCHED))
        )
    )
    if int(unclaimed or 0) != -held[LedgerAccount.SUSPENSE]:
        problems.append("ledger: the unclaimed lines of the statement disagree with its account")
    return problems


def lines(
    session: Session, *, states: tuple[LineState, ...], after: str | None = None, size: int = 30
) -> Page[LineView]:
    """Read one page of the statement's lines in some states, the newest first."""
    statement: Select[StatementLine] = select(StatementLine).where(StatementLine.state.in_(states))
    page = paginate(session, statement, keys=[StatementLine.id.desc()], after=after, size=size)
    views = {view.id: view for view in _line_views(session, page.items)}
    return page.map(lambda row: views[row.id])


def get_line(session: Session, line_id: int) -> LineView:
    """Return one line, or raise ``NotFound``."""
    row = session.get(StatementLine, line_id)
    if row is None:
        raise NotFound()
    return _line_views(session, [row])[0]


def lines_for(session: Session, payment_id: int) -> list[LineView]:
    """List the lines that seem to be for one payment and wait for a second person."""
    rows = session.scalars(
        select(StatementLine)
        .where(StatementLine.state == LineState.MATCHED, StatementLine.payment_id == payment_id)
        .order_by(StatementLine.id)
    )
    return _line_views(session, list(rows))


def line_counts(session: Session) -> dict[LineState, int]:
    """Count the statement's lines by state."""
    counted = func.count().label("counted")
    rows = session.execute(select(StatementLine.state, counted).group_by(StatementLine.state))
    return {row.state: row.counted for row in rows}


def postings(session: Session, *, after: str | None = None, size: int = 50) -> Page[PostingView]:
    """Read one page of the ledger, the newest first."""
    page = paginate(
        session, select(LedgerPosting), keys=[LedgerPosting.id.desc()], after=after, size=size
    )
    ids = [row.id for row in page.items]
    entries: dict[int, list[LedgerEntry]] = {}
    for entry in session.scalars(select(LedgerEntry).where(LedgerEntry.posting_id.in_(ids))):
        entries.setdefault(entry.posting_id, []).append(entry)
    numbers = _numbers(session, {row.payment_id for row in page.items if row.payment_id})

    def view(row: LedgerPosting) -> PostingView:
        debited, credited = sorted(entries[row.id], key=lambda entry: -entry.amount_fen)
        return PostingView(
            id=row.id,
            kind=row.kind,
            posted_at=row.posted_at,
            payment_id=row.payment_id,
            payment_number=numbers.get(row.payment_id or 0, ""),
            debited=debited.account,
            credited=credited.account,
            amount_fen=debited.amount_fen,
        )

    return page.map(view)


def _line_views(session: Session, rows: list[StatementLine]) -> list[LineView]:
    numbers = _numbers(session, {row.payment_id for row in rows if row.payment_id})
    handled = {
        person for row in rows for person in (row.recorded_by_id, row.settled_by_id) if person
    }
    people = accounts.get_users(session, handled)
    return [
        LineView(
            id=row.id,
            reference=row.reference,
            booked_on=row.booked_on,
            amount_fen=row.amount_fen,
            account_name=row.account_name,
            remark=row.remark,
            state=row.state,
            payment_id=row.payment_id,
            payment_number=numbers.get(row.payment_id or 0, ""),
            finding=row.finding,
            recorded_at=row.recorded_at,
            recorded_by_id=row.recorded_by_id,
            recorded_by=people[row.recorded_by_id].name if row.recorded_by_id else "平台",
            settled_by=people[row.settled_by_id].name if row.settled_by_id else "",
            return_reference=row.return_reference,
        )
        for row in rows
    ]


def _numbers(session: Session, payment_ids: set[int]) -> dict[int, str]:
    rows = session.execute(select(Payment.id, Payment.number).where(Payment.id.in_(payment_ids)))
    return {row.id: row.number for row in rows}
