"""A party's application to change or cancel a registration, and the registrar's answer to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.contracts import parameters, rules
from marketplace.contracts.after_models import ContractAmendment
from marketplace.contracts.amendment_queries import amendment_subject, terms_of
from marketplace.contracts.amendment_rules import (
    AmendmentKind,
    AmendmentState,
    NewTerms,
    check_open,
)
from marketplace.contracts.models import Contract
from marketplace.contracts.record_queries import subject
from marketplace.contracts.register_service import check_change, put_cancelled, put_new_terms
from marketplace.contracts.review_service import load_reviewed
from marketplace.contracts.rules import ContractStatus, Item
from marketplace.foundation import attachments, audit
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.attachments import AttachmentStore, FileVisibility, Upload
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.workdays import add_workdays


def apply_change(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    contract_id: int,
    amount_fen: Fen,
    technology_amount_fen: Fen,
    items: Sequence[Item],
    ends_on: date | None,
    reason: str,
    uploads: Sequence[Upload] = (),
    store: AttachmentStore | None = None,
) -> int:
    """Apply for the change of a registered contract by a supplementary agreement."""
    row = _load_seller(session, actor, contract_id)
    words = rules.check_reason(reason, "变更")
    terms = NewTerms(amount_fen, technology_amount_fen, tuple(items), ends_on or row.ends_on)
    rules.move(row.status, ContractStatus.CHANGED)
    check_change(session, row, terms, today=local_date(now))
    made = _new(row, AmendmentKind.CHANGE, actor=actor, now=now, reason=words)
    made.amount_fen, made.technology_amount_fen = amount_fen, technology_amount_fen
    made.items = [[item.label, item.amount_fen] for item in items]
    made.ends_on = terms.ends_on
    return _apply(session, row, made, actor=actor, now=now, uploads=uploads, store=store)


def apply_cancellation(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    contract_id: int,
    reason: str,
    uploads: Sequence[Upload] = (),
    store: AttachmentStore | None = None,
) -> int:
    """Apply for the cancellation of a registration, such as after the contract was dissolved."""
    row = _load_seller(session, actor, contract_id)
    words = rules.check_reason(reason, "撤销登记")
    rules.move(row.status, ContractStatus.CANCELLED)
    made = _new(row, AmendmentKind.CANCEL, actor=actor, now=now, reason=words)
    return _apply(session, row, made, actor=actor, now=now, uploads=uploads, store=store)


def withdraw_amendment(
    session: Session, *, actor: Actor, now: datetime, contract_id: int, amendment_id: int
) -> None:
    """Take an application back before it is answered."""
    row = _load_seller(session, actor, contract_id)
    amendment = _amendment(session, row.id, amendment_id)
    if amendment.state is AmendmentState.WITHDRAWN:
        return
    check_open(amendment.state)
    amendment.state = AmendmentState.WITHDRAWN
    _record(session, row, amendment, "withdraw_amendment", actor=actor, now=now)


def grant_amendment(
    session: Session, *, actor: Actor, now: datetime, contract_id: int, amendment_id: int
) -> None:
    """Grant an application: the register says from here on what was applied for."""
    row = load_reviewed(session, actor, contract_id)
    amendment = _amendment(session, row.id, amendment_id)
    if amendment.state is AmendmentState.GRANTED:
        return
    check_open(amendment.state)
    amendment.state = AmendmentState.GRANTED
    amendment.decided_at, amendment.decided_by = now, actor.name
    _record(session, row, amendment, "grant_amendment", actor=actor, now=now)
    if amendment.kind is AmendmentKind.CANCEL:
        put_cancelled(session, row, actor=actor, now=now, reason=amendment.reason)
        return
    terms = terms_of(amendment)
    put_new_terms(session, row, actor=actor, now=now, terms=terms, reason=amendment.reason)


def decline_amendment(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    contract_id: int,
    amendment_id: int,
    reason: str,
) -> None:
    """Decline an application with the reason; the registration stands as it was."""
    row = load_reviewed(session, actor, contract_id)
    words = rules.check_reason(reason, "不同意")
    amendment = _amendment(session, row.id, amendment_id)
    check_open(amendment.state)
    amendment.state, amendment.decision_words = AmendmentState.DECLINED, words
    amendment.decided_at, amendment.decided_by = now, actor.name
    _record(session, row, amendment, "decline_amendment", actor=actor, now=now)


def _load_seller(session: Session, actor: Actor, contract_id: int) -> Contract:
    require(actor, rules.DRAW_UP)
    row = lock(session, Contract, contract_id)
    require_own(actor, row.seller_organisation_id)
    return row


def _new(
    row: Contract, kind: AmendmentKind, *, actor: Actor, now: datetime, reason: str
) -> ContractAmendment:
    today = local_date(now)
    return ContractAmendment(
        contract_id=row.id,
        kind=kind,
        state=AmendmentState.APPLIED,
        items=[],
        reason=reason,
        applied_at=now,
        applied_by=actor.name,
        due_on=add_workdays(today, parameters.review_terms_on(today).normal),
    )


def _apply(
    session: Session,
    row: Contract,
    amendment: ContractAmendment,
    *,
    actor: Actor,
    now: datetime,
    uploads: Sequence[Upload],
    store: AttachmentStore | None,
) -> int:
    if not uploads or store is None:
        raise RuleBroken(
            "contracts.amendment_unproved",
            "请上传双方签章的补充协议或解除协议，登记机构据此办理",
            "attachments",
        )
    session.add(amendment)
    try:
        session.flush()
    except IntegrityError as waiting:
        raise Conflict(
            "contracts.amendment_waits",
            "这份合同已有一份申请在等登记机构答复；请等答复后再申请，或先撤回那一份",
        ) from waiting
    _record(session, row, amendment, f"apply_{amendment.kind.value}", actor=actor, now=now)
    for upload in uploads:
        attachments.store(
            session,
            actor=actor,
            now=now,
            subject=amendment_subject(amendment.id),
            upload=upload,
            visibility=FileVisibility.OWNER,
            store=store,
        )
    return amendment.id


def _amendment(session: Session, contract_id: int, amendment_id: int) -> ContractAmendment:
    found = session.scalar(
        select(ContractAmendment).where(
            ContractAmendment.id == amendment_id, ContractAmendment.contract_id == contract_id
        )
    )
    if found is None:
        raise NotFound()
    return found


def _record(
    session: Session,
    row: Contract,
    amendment: ContractAmendment,
    what: str,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    row.touched_at = now
    audit.record(
        session,
        actor=actor,
        action=f"contracts.{what}",
        subject=subject(row.id),
        now=now,
        after={
            "amendment": amendment.id,
            "state": amendment.state,
            "reason": amendment.decision_words or amendment.reason,
        },
    )
