"""The bank's statement: record lines, match them, confirm or return them by a second person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation import audit
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotAllowed, RuleBroken, raise_if_any
from marketplace.payments import rules, statement_rules
from marketplace.payments.ledger_models import StatementLine
from marketplace.payments.ledger_rules import PostingKind
from marketplace.payments.ledger_service import post
from marketplace.payments.models import Payment
from marketplace.payments.statement_reader import read_table
from marketplace.payments.statement_rules import Awaited, Line, LineState


@dataclass(frozen=True)
class ImportReport:
    """What became of a statement's rows; ``refused`` holds row number and reason."""

    recorded_count: int
    matched_count: int
    known_count: int
    refused: tuple[tuple[int, str], ...]


def import_statement(
    session: Session, *, actor: Actor, now: datetime, name: str, content: bytes
) -> ImportReport:
    """Record the lines of a bank's file and match them; a line that is known is passed over."""
    require(actor, rules.RECONCILE)
    head, rows = read_table(name, content)
    raise_if_any(statement_rules.missing_columns(head))
    refused: list[tuple[int, str]] = []
    recorded = matched = known = 0
    for number, row in rows:
        try:
            line = statement_rules.read_row(row)
            statement_rules.check_line(line, local_date(now))
        except RuleBroken as wrong:
            refused.append((number, wrong.message))
            continue
        if _find(session, line.reference) is not None:
            known += 1
            continue
        stored = _record(session, line, actor=actor, now=now)
        recorded += 1
        matched += stored.state is LineState.MATCHED
    audit.record(
        session,
        actor=actor,
        action="payments.import_statement",
        subject="statement:1",
        now=now,
        after={"recorded": recorded, "matched": matched, "known": known, "refused": len(refused)},
    )
    return ImportReport(recorded, matched, known, tuple(refused))


def record_line(session: Session, *, actor: Actor, now: datetime, line: Line) -> int:
    """Record one line of the statement by hand and return its id; another person confirms it."""
    require(actor, rules.RECONCILE)
    statement_rules.check_line(line, local_date(now))
    if _find(session, line.reference) is not None:
        raise Conflict(
            "payments.reference_used",
            f"流水号 {line.reference} 已经登记过，一笔到账不能登记两次；请核对流水号",
            "reference",
        )
    return _record(session, line, actor=actor, now=now).id


def return_line(
    session: Session, *, actor: Actor, now: datetime, line_id: int, reference: str
) -> None:
    """Note, as a second person, that money that belongs to no payment was sent back."""
    require(actor, rules.RECONCILE)
    line = lock(session, StatementLine, line_id)
    check_second(line, actor)
    if line.state not in (LineState.OPEN, LineState.MATCHED):
        raise RuleBroken("statement.settled", f"这笔来款{line.state.label}，不能再退回")
    if len(reference.strip()) < 4:
        raise RuleBroken("payments.refund_reference", "请填写退回的流水号", "reference")
    settle(line, LineState.RETURNED, actor=actor, now=now)
    line.payment_id = None
    line.return_reference = reference.strip()
    post(session, PostingKind.RETURNED, line.amount_fen, now=now, line_id=line.id)
    _audit(session, line, "return_line", actor, now)


def line_for(session: Session, reference: str) -> StatementLine:
    """Lock the line with a reference; refuse one that nobody recorded or that is settled."""
    found = session.scalar(
        select(StatementLine).where(StatementLine.reference == reference.strip()).with_for_update()
    )
    if found is None:
        raise RuleBroken(
            "payments.no_line",
            "银行流水里没有这个流水号；请先由一人导入或登记流水，再由另一人确认",
            "reference",
        )
    if found.state not in (LineState.OPEN, LineState.MATCHED):
        raise Conflict(
            "payments.reference_used",
            f"流水号 {found.reference} {found.state.label}，一笔到账不能确认两次；请核对流水号",
            "reference",
        )
    return found


def check_second(line: StatementLine, actor: Actor) -> None:
    """Refuse to settle a line by who recorded it."""
    if actor.user_id is None or actor.user_id == line.recorded_by_id:
        raise NotAllowed(
            "payments.second_person",
            "到账确认须两人办理：这笔流水是您登记的，请由另一位业务员确认",
        )


def settle(line: StatementLine, to: LineState, *, actor: Actor, now: datetime) -> None:
    """Close a locked line."""
    line.state = to
    line.settled_at = now
    line.settled_by_id = actor.user_id


def _find(session: Session, reference: str) -> StatementLine | None:
    return session.scalar(select(StatementLine).where(StatementLine.reference == reference.strip()))


def _record(session: Session, line: Line, *, actor: Actor, now: datetime) -> StatementLine:
    found = statement_rules.match(line, _awaited(session))
    stored = StatementLine(
        reference=line.reference.strip(),
        booked_on=line.booked_on,
        amount_fen=line.amount_fen,
        account_name=line.account_name.strip(),
        remark=line.remark[:200],
        state=LineState.OPEN if found.payment_id is None else LineState.MATCHED,
        payment_id=found.payment_id,
        finding=found.finding,
        recorded_at=now,
        recorded_by_id=actor.user_id,
        settled_at=None,
        settled_by_id=None,
    )
    session.add(stored)
    session.flush()
    post(session, PostingKind.RECORDED, line.amount_fen, now=now, line_id=stored.id)
    _audit(session, stored, "record_line", actor, now)
    return stored


def _awaited(session: Session) -> list[Awaited]:
    """List the unpaid payments that no line is matched to yet."""
    taken = select(StatementLine.payment_id).where(
        StatementLine.state == LineState.MATCHED, StatementLine.payment_id.is_not(None)
    )
    rows = session.scalars(
        select(Payment)
        .where(Payment.state.in_(rules.UNPAID), Payment.id.not_in(taken))
        .order_by(Payment.id)
    ).all()
    names = accounts.get_organisations(session, {row.payer_organisation_id for row in rows})
    return [
        Awaited(row.id, row.number, row.amount_fen, names[row.payer_organisation_id].name)
        for row in rows
    ]


def _audit(session: Session, line: StatementLine, action: str, actor: Actor, now: datetime) -> None:
    audit.record(
        session,
        actor=actor,
        action=f"payments.{action}",
        subject=f"statement_line:{line.id}",
        now=now,
        after={"state": line.state, "amount_fen": line.amount_fen, "payment": line.payment_id},
    )
