"""The registrar's side: take up, return, register, refuse, change, cancel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.contracts import parameters, rules
from marketplace.contracts.drafting_service import write_items
from marketplace.contracts.events import (
    ContractCancelled,
    ContractChanged,
    ContractRefused,
    ContractRegistered,
    ContractReturned,
)
from marketplace.contracts.models import Contract, ContractChange
from marketplace.contracts.record_queries import content_of, subject
from marketplace.contracts.rules import ContractStatus, Item, RefusalReason
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, RuleBroken, raise_if_any
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.numbering import next_number
from marketplace.foundation.workdays import add_workdays


def _load(session: Session, actor: Actor, contract_id: int) -> Contract:
    require(actor, rules.REVIEW)
    row = lock(session, Contract, contract_id)
    require_own(actor, row.registrar_organisation_id)
    rules.check_reviewer(
        actor.organisation_id, (row.seller_organisation_id, row.buyer_organisation_id)
    )
    return row


def take_up(session: Session, *, actor: Actor, now: datetime, contract_id: int) -> None:
    """Note which registrar works on a contract; taken up already, change the name only."""
    row = _load(session, actor, contract_id)
    if row.status is not ContractStatus.REVIEW:
        row.status = rules.move(row.status, ContractStatus.REVIEW)
    elif row.reviewer_name == actor.name:
        return
    row.reviewer_name = actor.name
    row.touched_at = now
    row.version += 1
    audit.record(session, actor=actor, action="contracts.take_up", subject=subject(row.id), now=now)


def dispute(
    session: Session, *, actor: Actor, now: datetime, contract_id: int, reason: str
) -> None:
    """Declare a contract disputed, which gives the registrar the long term from submission on."""
    row = _load(session, actor, contract_id)
    words = rules.check_reason(reason, "列为有争议")
    if row.status not in rules.WITH_REGISTRAR or row.submitted_at is None:
        raise Conflict("contracts.not_in_review", "只有待审核的合同可以列为有争议")
    if row.disputed_reason:
        return
    submitted_on = local_date(row.submitted_at)
    terms = parameters.review_terms_on(submitted_on)
    row.disputed_reason = words
    row.due_on = add_workdays(submitted_on, terms.large)
    row.touched_at = now
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action="contracts.dispute",
        subject=subject(row.id),
        now=now,
        after={"reason": words, "due_on": row.due_on},
    )


def return_(
    session: Session, *, actor: Actor, now: datetime, contract_id: int, reason: str
) -> None:
    """Send a contract back for correction with the reason; the term stops until it comes again."""
    row = _load(session, actor, contract_id)
    words = rules.check_reason(reason, "退回补正")
    row.status = rules.move(row.status, ContractStatus.CORRECTION)
    row.returned_reason, row.reviewer_name = words, actor.name
    row.due_on = None
    row.touched_at = now
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action="contracts.return",
        subject=subject(row.id),
        now=now,
        after={"reason": words, "round": row.round},
    )
    assert row.registrar_organisation_id is not None
    outbox.publish(
        session,
        ContractReturned(
            contract_id=row.id,
            project_name=row.project_name,
            seller_organisation_id=row.seller_organisation_id,
            registrar_organisation_id=row.registrar_organisation_id,
            reason=words,
        ),
        now=now,
    )


def register(session: Session, *, actor: Actor, now: datetime, contract_id: int) -> str:
    """Register a contract and return its number; the facts are fixed from here on.

    Registered already: return the number it has, so that parallel clicks register once.
    """
    row = _load(session, actor, contract_id)
    if row.status is ContractStatus.REGISTERED and row.contract_no is not None:
        return row.contract_no
    status = rules.move(row.status, ContractStatus.REGISTERED)
    today = local_date(now)
    assert row.amount_fen is not None
    assert row.technology_amount_fen is not None
    assert row.contract_type is not None
    assert row.buyer_organisation_id is not None
    assert row.registrar_organisation_id is not None
    # Drawing the number flushes: it must be there before the row says that it is registered.
    number = next_number(session, "JN", today.year)
    row.status, row.contract_no, row.registered_on = status, number, today
    row.decided_at = row.touched_at = now
    row.reviewer_name = actor.name
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action="contracts.register",
        subject=subject(row.id),
        now=now,
        after={
            "contract_no": row.contract_no,
            "amount_fen": row.amount_fen,
            "technology_amount_fen": row.technology_amount_fen,
        },
    )
    outbox.publish(
        session,
        ContractRegistered(
            contract_id=row.id,
            contract_no=number,
            contract_type=row.contract_type.value,
            project_name=row.project_name,
            registered_on=today,
            amount_fen=row.amount_fen,
            technology_amount_fen=row.technology_amount_fen,
            tax_exempt_amount_fen=row.tax_exempt_amount_fen,
            seller_organisation_id=row.seller_organisation_id,
            buyer_organisation_id=row.buyer_organisation_id,
            agency_organisation_id=row.agency_organisation_id,
            registrar_organisation_id=row.registrar_organisation_id,
            project_id=row.project_id,
            activity_id=row.activity_id,
            fiscal_funds=bool(row.fiscal_funds),
            deal_id=row.deal_id,
            listing_id=row.listing_id,
            achievement_id=row.achievement_id,
            technology_field=row.technology_field.value if row.technology_field else None,
        ),
        now=now,
    )
    return number


def refuse(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    contract_id: int,
    reason_code: RefusalReason,
    reason: str,
) -> None:
    """Refuse to register a contract, by code and in words."""
    row = _load(session, actor, contract_id)
    words = rules.check_reason(reason, "不予登记")
    row.status = rules.move(row.status, ContractStatus.REFUSED)
    row.refusal_reason, row.decision_words = reason_code, words
    row.decided_at = row.touched_at = now
    row.reviewer_name = actor.name
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action="contracts.refuse",
        subject=subject(row.id),
        now=now,
        after={"code": reason_code, "reason": words},
    )
    assert row.buyer_organisation_id is not None
    assert row.registrar_organisation_id is not None
    outbox.publish(
        session,
        ContractRefused(
            contract_id=row.id,
            project_name=row.project_name,
            seller_organisation_id=row.seller_organisation_id,
            buyer_organisation_id=row.buyer_organisation_id,
            registrar_organisation_id=row.registrar_organisation_id,
            reason_code=reason_code.value,
            reason=words,
        ),
        now=now,
    )


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
) -> None:
    """Record that the parties changed the price of a registered contract."""
    row = _load(session, actor, contract_id)
    words = rules.check_reason(reason, "变更")
    status = rules.move(row.status, ContractStatus.CHANGED)
    content = replace(
        content_of(row),
        amount_fen=amount_fen,
        technology_amount_fen=technology_amount_fen,
        items=tuple(items),
    )
    today = local_date(now)
    raise_if_any(rules.content_problems(content, today=today))
    rest = amount_fen - technology_amount_fen - sum(item.amount_fen for item in items)
    if rest:
        raise RuleBroken(
            "contracts.items_missing",
            f"变更后还有 {format_yuan(Fen(rest))} 元没有说明，请逐项列出非技术性费用",
            "items",
        )
    assert row.amount_fen is not None
    assert row.technology_amount_fen is not None
    assert row.contract_no is not None
    assert row.buyer_organisation_id is not None
    if (row.amount_fen, row.technology_amount_fen) == (amount_fen, technology_amount_fen):
        raise RuleBroken("contracts.unchanged", "金额与登记的相同，没有可变更的内容", "amount_fen")
    session.add(
        ContractChange(
            contract_id=row.id,
            changed_on=today,
            reason=words,
            amount_before_fen=row.amount_fen,
            amount_after_fen=amount_fen,
            technology_before_fen=row.technology_amount_fen,
            technology_after_fen=technology_amount_fen,
            recorded_by=actor.name,
        )
    )
    before = {"amount_fen": row.amount_fen, "technology": row.technology_amount_fen}
    row.status = status
    row.amount_fen, row.technology_amount_fen = amount_fen, technology_amount_fen
    write_items(row, items)
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
            "amount_fen": amount_fen,
            "technology": technology_amount_fen,
            "reason": words,
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
            amount_fen=amount_fen,
            technology_amount_fen=technology_amount_fen,
            changed_on=today,
            reason=words,
        ),
        now=now,
    )


def cancel(session: Session, *, actor: Actor, now: datetime, contract_id: int, reason: str) -> None:
    """Cancel a registration with the reason; what was paid on it is for the claims to settle."""
    row = _load(session, actor, contract_id)
    words = rules.check_reason(reason, "撤销登记")
    if row.status is ContractStatus.CANCELLED:
        return
    row.status = rules.move(row.status, ContractStatus.CANCELLED)
    today = local_date(now)
    row.cancelled_on, row.decision_words = today, words
    row.touched_at = now
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action="contracts.cancel",
        subject=subject(row.id),
        now=now,
        after={"reason": words},
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
            reason=words,
        ),
        now=now,
    )
