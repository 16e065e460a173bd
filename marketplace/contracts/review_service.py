"""The registrar's side of an application: take up, return, register, refuse."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.accounts.standing_queries import check_acting
from marketplace.contracts import parameters, rules
from marketplace.contracts.events import ContractRefused, ContractRegistered, ContractReturned
from marketplace.contracts.models import Contract
from marketplace.contracts.record_queries import subject
from marketplace.contracts.rules import (
    ContractStatus,
    ContractSubtype,
    ContractType,
    RefusalReason,
)
from marketplace.contracts.text_queries import proposal_of
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict
from marketplace.foundation.numbering import next_number
from marketplace.foundation.workdays import add_workdays


def load_reviewed(session: Session, actor: Actor, contract_id: int) -> Contract:
    """Lock a contract of the actor's registrar; refuse others and the registrar's own."""
    require(actor, rules.REVIEW)
    row = lock(session, Contract, contract_id)
    require_own(actor, row.registrar_organisation_id)
    rules.check_reviewer(
        actor.organisation_id, (row.seller_organisation_id, row.buyer_organisation_id)
    )
    return row


def take_up(session: Session, *, actor: Actor, now: datetime, contract_id: int) -> None:
    """Note which registrar works on a contract; taken up already, change the name only."""
    row = load_reviewed(session, actor, contract_id)
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
    row = load_reviewed(session, actor, contract_id)
    words = rules.check_reason(reason, "列为有争议")
    if row.status not in rules.WITH_REGISTRAR or row.submitted_at is None:
        raise Conflict("contracts.not_in_review", "只有待审核的合同可以列为有争议")
    if row.disputed_reason:
        return
    submitted_on = local_date(row.submitted_at)
    terms = parameters.review_terms_on(row.applied_on or submitted_on)
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
    row = load_reviewed(session, actor, contract_id)
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


def register(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    contract_id: int,
    contract_type: ContractType | None = None,
    subtype: ContractSubtype | None = None,
    type_reason: str = "",
) -> str:
    """Register a contract under the type that the registrar decides on, and return its number.

    Without a type the applicant's stands; another one needs its reason. Amounts come from the
    contract alone. The facts are fixed from here on. Registered already: return the number it
    has, so that parallel clicks register once.
    """
    row = load_reviewed(session, actor, contract_id)
    if row.status is ContractStatus.REGISTERED and row.contract_no is not None:
        return row.contract_no
    check_acting(session, (row.seller_organisation_id, row.buyer_organisation_id))
    status = rules.move(row.status, ContractStatus.REGISTERED)
    today = local_date(now)
    assert row.amount_fen is not None
    assert row.technology_amount_fen is not None
    assert row.contract_type is not None
    assert row.subtype is not None
    assert row.buyer_organisation_id is not None
    assert row.registrar_organisation_id is not None
    applied = (row.contract_type, row.subtype)
    decided = rules.decide_type(applied, contract_type, subtype, ip_kind=row.ip_kind)
    words = "" if decided == applied else rules.check_reason(type_reason, "改变合同类型")
    proposal = proposal_of(session, row.id, row.project_name)
    # Drawing the number flushes: it must be there before the row says that it is registered.
    number = next_number(session, "JN", today.year)
    row.applied_type, row.applied_subtype = applied
    row.contract_type, row.subtype = decided
    if proposal is not None:
        row.proposed_type, row.proposed_certainty = proposal.contract_type, proposal.certainty
    row.status, row.contract_no, row.registered_on = status, number, today
    row.check_code = secrets.token_hex(4).upper()
    row.decided_at = row.touched_at = now
    row.decision_words = words
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
            "type": row.contract_type,
            "applied_type": row.applied_type,
            "proposed_type": row.proposed_type,
        },
    )
    outbox.publish(
        session,
        ContractRegistered(
            contract_id=row.id,
            contract_no=number,
            contract_type=decided[0].value,
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
    row = load_reviewed(session, actor, contract_id)
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
