"""Write postings; the use case whose money it is has its own audit row."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.foundation.money import Fen
from marketplace.payments import ledger_rules
from marketplace.payments.ledger_models import LedgerEntry, LedgerPosting
from marketplace.payments.ledger_rules import PostingKind


def post(
    session: Session,
    kind: PostingKind,
    amount_fen: Fen,
    *,
    now: datetime,
    payment_id: int | None = None,
    line_id: int | None = None,
) -> None:
    """Write one posting with its two entries."""
    posting = LedgerPosting(kind=kind, posted_at=now, payment_id=payment_id, line_id=line_id)
    session.add(posting)
    session.flush()
    session.add_all(
        LedgerEntry(posting_id=posting.id, account=line.account, amount_fen=line.amount_fen)
        for line in ledger_rules.lines(kind, amount_fen)
    )
