"""Payment lists and what stands on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen
from marketplace.subsidies.claim_view_queries import (
    ClaimRow,
    ClawBackView,
    PaymentView,
    claim_rows,
    claw_back_view,
    payment_view,
)
from marketplace.subsidies.models import Claim, ClawBack, Payment, PaymentList
from marketplace.subsidies.rules import ClaimStatus, PaymentStatus


@dataclass(frozen=True)
class PaymentRow:
    """A payment as a line of its list."""

    payment: PaymentView
    claim: ClaimRow
    uscc: str
    bank_name: str
    bank_account: str


@dataclass(frozen=True)
class PaymentListView:
    """A list of payments that the bureau handed to the finance bureau."""

    id: int
    number: str
    prepared_at: datetime
    prepared_by: str
    due_on: date | None
    rows: tuple[PaymentRow, ...]

    @property
    def total_fen(self) -> Fen:
        """Return the sum of the list."""
        return Fen(sum(row.payment.amount_fen for row in self.rows))

    @property
    def waiting_count(self) -> int:
        """Count the payments not confirmed yet."""
        return sum(row.payment.status is PaymentStatus.LISTED for row in self.rows)


def approved_unlisted(session: Session) -> list[ClaimRow]:
    """List the claims that stood their publicity and are on no payment list."""
    return claim_rows(
        session,
        session.scalars(
            select(Claim)
            .where(
                Claim.status == ClaimStatus.APPROVED,
                Claim.id.not_in(select(Payment.claim_id)),
            )
            .order_by(Claim.number)
        ),
    )


def payment_lists(session: Session) -> list[PaymentListView]:
    """List all payment lists, the newest first."""
    rows = session.scalars(select(PaymentList).order_by(PaymentList.id.desc()))
    return _list_views(session, list(rows))


def get_payment_list(session: Session, list_id: int) -> PaymentListView:
    """Return one payment list or raise ``NotFound``."""
    row = session.get(PaymentList, list_id)
    if row is None:
        raise NotFound()
    return _list_views(session, [row])[0]


def reclaims(session: Session) -> list[tuple[ClaimRow, ClawBackView]]:
    """List all claw-backs with their claims, what has not come first, by deadline."""
    found = list(
        session.execute(
            select(Claim, ClawBack)
            .join(ClawBack, ClawBack.claim_id == Claim.id)
            .order_by(ClawBack.received_at.is_not(None), ClawBack.due_on, ClawBack.id)
        )
    )
    rows = {row.id: row for row in claim_rows(session, (claim for claim, _ in found))}
    return [(rows[claim.id], claw_back_view(taken)) for claim, taken in found]


def _list_views(session: Session, lists: Sequence[PaymentList]) -> list[PaymentListView]:
    payments = list(
        session.scalars(
            select(Payment)
            .where(Payment.list_id.in_([made.id for made in lists]))
            .order_by(Payment.id)
        )
    )
    claims = {
        claim.id: claim
        for claim in session.scalars(
            select(Claim).where(Claim.id.in_([payment.claim_id for payment in payments]))
        )
    }
    rows = {row.id: row for row in claim_rows(session, claims.values())}
    organisations = accounts.get_organisations(
        session, (claim.organisation_id for claim in claims.values())
    )
    people = accounts.get_users(
        session, (made.prepared_by_id for made in lists if made.prepared_by_id)
    )

    def line(payment: Payment) -> PaymentRow:
        claim = claims[payment.claim_id]
        return PaymentRow(
            payment_view(payment),
            rows[claim.id],
            organisations[claim.organisation_id].uscc,
            claim.bank_name,
            claim.bank_account,
        )

    return [
        PaymentListView(
            made.id,
            made.number,
            made.prepared_at,
            people[made.prepared_by_id].name if made.prepared_by_id else "",
            made.due_on,
            tuple(line(payment) for payment in payments if payment.list_id == made.id),
        )
        for made in lists
    ]
