"""What the registrar does to a registered contract: change its terms, cancel it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from marketplace.contracts import rules
from marketplace.contracts.amendment_rules import NewTerms, check_new_terms
from marketplace.contracts.content_rules import content_problems
from marketplace.contracts.drafting_service import write_items
from marketplace.contracts.events import ContractCancelled, ContractChanged
from marketplace.contracts.models import Contract, ContractChange
from marketplace.contracts.receipt_queries import received_fen
from marketplace.contracts.record_queries import content_of, subject
from marketplace.contracts.review_service import load_reviewed
from marketplace.contracts.rules import ContractStatus, Item
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import raise_if_any
from marketplace.foundation.money import Fen


def change(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    contract_id: int,
    amount_fen: Fen,
    technology_amount_fen: Fen,
    items: Sequence[Item],
    reason: str,
    ends_on: date | None = None,
) -> None:
    """Record that the parties changed the price or the end of a registered contract.

    Without ``ends_on`` the end stands. A payment schedule that no longer sums up is dropped with
    the old price; the supplementary agreement says the new one.
    """
    row = load_reviewed(session, actor, contract_id)
    words = rules.check_reason(reason, "变更")
    terms = NewTerms(amount_fen, technology_amount_fen, tuple(items), ends_on or row.ends_on)
    put_new_terms(session, row, actor=actor, now=now, terms=terms, reason=words)


def check_change(session: Session, row: Contract, terms: NewTerms, *, today: date) -> None:
    """Refuse new terms that contradict themselves, change nothing or undercut what was paid."""
    content = content_of(row)
    changed = replace(
        content,
        amount_fen=terms.amount_fen,
        technology_amount_fen=terms.technology_amount_fen,
        items=terms.items,
        ends_on=terms.ends_on,
        schedule=(),
        tax_exempt_amount_fen=None,
    )
    raise_if_any(content_problems(changed, today=today))
    check_new_terms(content, terms, received_fen=received_fen(session, row.id))


def put_new_terms(
    session: Session,
    row: Contract,
    *,
    actor: Actor,
    now: datetime,
    terms: NewTerms,
    reason: str,
) -> None:
    """Put checked new terms in place of the registered ones and announce them."""
    status = rules.move(row.status, ContractStatus.CHANGED)
    today = local_date(now)
    check_change(session, row, terms, today=today)
    assert row.amount_fen is not None
    assert row.technology_amount_fen is not None
    assert row.contract_no is not None
    assert row.buyer_organisation_id is not None
    session.add(
        ContractChange(
            contract_id=row.id,
            changed_on=today,
            reason=reason,
            amount_before_fen=row.amount_fen,
            amount_after_fen=terms.amount_fen,
            technology_before_fen=row.technology_amount_fen,
            technology_after_fen=terms.technology_amount_fen,
            ends_before_on=row.ends_on,
            ends_after_on=terms.ends_on,
            recorded_by=actor.name,
        )
    )
    before = {
        "amount_fen": row.amount_fen,
        "technology": row.technology_amount_fen,
        "ends_on": row.ends_on,
    }
    row.status = status
    if row.amount_fen != terms.amount_fen:
        row.schedule = []
    row.amount_fen, row.technology_amount_fen = terms.amount_fen, terms.technology_amount_fen
    if row.tax_exempt_amount_fen is not None:
        # Only what pays for technology can be free of tax.
        row.tax_exempt_amount_fen = min(row.tax_exempt_amount_fen, terms.technology_amount_fen)
    row.ends_on = terms.ends_on
    write_items(row, terms.items)
    row.touched_at = now
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action="contracts.change",
        subject=subject(row.id),
        now=now,
        before=before,
        after={
            "amount_fen": row.amount_fen,
            "technology": row.technology_amount_fen,
            "ends_on": row.ends_on,
            "reason": reason,
        },
    )
    outbox.publish(
        session,
        ContractChanged(
            contract_id=row.id,
            contract_no=row.contract_no,
            project_name=row.project_name,
            seller_organisation_id=row.seller_organisation_id,
            buyer_organisation_id=row.buyer_organisation_id,
            amount_fen=row.amount_fen,
            technology_amount_fen=row.technology_amount_fen,
            tax_exempt_amount_fen=row.tax_exempt_amount_fen,
            changed_on=today,
            reason=reason,
        ),
        now=now,
    )


def cancel(session: Session, *, actor: Actor, now: datetime, contract_id: int, reason: str) -> None:
    """Cancel a registration with the reason; what was paid on it is for the claims to settle."""
    row = load_reviewed(session, actor, contract_id)
    words = rules.check_reason(reason, "撤销登记")
    if row.status is ContractStatus.CANCELLED:
        return
    put_cancelled(session, row, actor=actor, now=now, reason=words)


def put_cancelled(
    session: Session, row: Contract, *, actor: Actor, now: datetime, reason: str
) -> None:
    """Mark a registration as cancelled and announce it."""
    row.status = rules.move(row.status, ContractStatus.CANCELLED)
    today = local_date(now)
    row.cancelled_on, row.decision_words = today, reason
    row.touched_at = now
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action="contracts.cancel",
        subject=subject(row.id),
        now=now,
        after={"reason": reason},
    )
    assert row.contract_no is not None
    assert row.buyer_organisation_id is not None
    assert row.registrar_organisation_id is not None
    outbox.publish(
        session,
        ContractCancelled(
            contract_id=row.id,
            contract_no=row.contract_no,
            project_name=row.project_name,
            seller_organisation_id=row.seller_organisation_id,
            buyer_organisation_id=row.buyer_organisation_id,
            agency_organisation_id=row.agency_organisation_id,
            registrar_organisation_id=row.registrar_organisation_id,
            cancelled_on=today,
            reason=reason,
        ),
        now=now,
    )
