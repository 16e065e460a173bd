"""What follows a registration, for programs: payments received, applications for amendment."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from sqlalchemy.orm import Session

from marketplace.contracts import after_views, certificate_views, queries, rules, service
from marketplace.contracts.after_forms import (
    AmendForm,
    CancellationForm,
    ReceiptForm,
    WithdrawReceiptForm,
)
from marketplace.contracts.amendment_rules import AmendmentKind, AmendmentState
from marketplace.contracts.api import routes
from marketplace.contracts.forms import items_of
from marketplace.contracts.payment_rules import ReceiptState
from marketplace.foundation import api, web
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.clock import local_date


class ReceiptLine(api.Answer):
    """A payment that came in under a contract."""

    id: int
    received_on: api.Days
    amount: api.Yuan = Field(validation_alias="amount_fen")
    technology_amount: api.Yuan = Field(validation_alias="technology_amount_fen")
    reference: str
    state: ReceiptState
    confirmed_on: api.Days | None
    withdrawn_reason: str
    proof: api.FileLine | None


class ReceiptList(api.Answer):
    """The payments of one contract with their sums."""

    received: api.Yuan = Field(validation_alias="received_fen")
    technology: api.Yuan = Field(validation_alias="technology_fen")
    confirmed: api.Yuan = Field(validation_alias="confirmed_fen")
    items: list[ReceiptLine] = Field(validation_alias="receipts")


class AmendmentLine(api.Answer):
    """An application to change or cancel a registration, with its papers."""

    id: int
    kind: AmendmentKind
    state: AmendmentState
    reason: str
    applied_at: api.Moment
    due_on: api.Days
    decided_at: api.Moment | None
    decision_words: str
    files: list[api.FileLine]


class AmendmentList(api.Answer):
    """The applications of one contract, the newest first."""

    items: list[AmendmentLine]


@routes.reads(
    "/contracts/<int:contract_id>/receipts",
    permission=rules.READ,
    summary="列出合同的到账",
    answer=ReceiptList,
)
def list_receipts(_asked: api.AnyQuery, contract_id: int) -> Any:
    """List the payments received under a contract."""
    session = web.session()
    view = queries.get_contract(session, web.actor(), contract_id)
    return queries.income(session, contract_id, view.content, today=local_date(web.now()))


@routes.writes(
    "/contracts/<int:contract_id>/receipts",
    permission=rules.DRAW_UP,
    scope=api.Scope.WRITE_CONTRACTS,
    summary="登记一笔到账，附银行回单",
    form=ReceiptForm,
    status=201,
)
def declare_contract_receipt(session: Session, form: ReceiptForm, contract_id: int) -> Any:
    """Declare a payment that came in."""
    receipt_id = service.declare_receipt(
        session,
        actor=web.actor(),
        now=web.now(),
        contract_id=contract_id,
        received_on=form.received_on.data,
        amount_fen=form.amount_fen.data,
        technology_amount_fen=form.technology_amount_fen.data,
        reference=form.reference.data,
        uploads=web.read_uploads(form.attachments.uploads()),
        store=web.resource(AttachmentStore),
    )
    return api.Made(id=receipt_id)


@routes.writes(
    "/contracts/<int:contract_id>/receipts/<int:receipt_id>/withdrawal",
    permission=rules.DRAW_UP,
    scope=api.Scope.WRITE_CONTRACTS,
    summary="说明原因，撤回一笔到账",
    form=WithdrawReceiptForm,
)
def withdraw_contract_receipt(
    session: Session, form: WithdrawReceiptForm, contract_id: int, receipt_id: int
) -> Any:
    """Take a declared payment back with the reason."""
    service.withdraw_receipt(
        session,
        actor=web.actor(),
        now=web.now(),
        contract_id=contract_id,
        receipt_id=receipt_id,
        reason=form.reason.data,
    )
    return api.Made(id=receipt_id)


@routes.sends(
    "/contracts/<int:contract_id>/receipts/<int:receipt_id>/proof",
    permission=rules.READ,
    summary="下载银行回单",
)
def get_receipt_proof(contract_id: int, receipt_id: int) -> Any:
    """Send the proof of a payment to who takes part in the contract."""
    return after_views.receipt_proof(contract_id, receipt_id)


@routes.reads(
    "/contracts/<int:contract_id>/amendments",
    permission=rules.READ,
    summary="列出变更与撤销申请",
    answer=AmendmentList,
)
def list_amendments(_asked: api.AnyQuery, contract_id: int) -> Any:
    """List the applications to change or cancel a registration."""
    queries.get_contract(web.session(), web.actor(), contract_id)
    return {"items": queries.amendments(web.session(), contract_id)}


@routes.writes(
    "/contracts/<int:contract_id>/amendments",
    permission=rules.DRAW_UP,
    scope=api.Scope.WRITE_CONTRACTS,
    summary="申请变更登记，附补充协议",
    form=AmendForm,
    status=201,
)
def apply_for_change(session: Session, form: AmendForm, contract_id: int) -> Any:
    """Apply for the change of a registered contract."""
    amendment_id = service.apply_change(
        session,
        actor=web.actor(),
        now=web.now(),
        contract_id=contract_id,
        amount_fen=form.amount_fen.data,
        technology_amount_fen=form.technology_amount_fen.data,
        items=items_of(form.items),
        ends_on=form.ends_on.data,
        reason=form.reason.data,
        uploads=web.read_uploads(form.attachments.uploads()),
        store=web.resource(AttachmentStore),
    )
    return api.Made(id=amendment_id)


@routes.writes(
    "/contracts/<int:contract_id>/cancellation",
    permission=rules.DRAW_UP,
    scope=api.Scope.WRITE_CONTRACTS,
    summary="申请撤销登记，附解除协议",
    form=CancellationForm,
    status=201,
)
def apply_for_cancellation(session: Session, form: CancellationForm, contract_id: int) -> Any:
    """Apply for the cancellation of a registration."""
    amendment_id = service.apply_cancellation(
        session,
        actor=web.actor(),
        now=web.now(),
        contract_id=contract_id,
        reason=form.reason.data,
        uploads=web.read_uploads(form.attachments.uploads()),
        store=web.resource(AttachmentStore),
    )
    return api.Made(id=amendment_id)


@routes.writes(
    "/contracts/<int:contract_id>/amendments/<int:amendment_id>/withdrawal",
    permission=rules.DRAW_UP,
    scope=api.Scope.WRITE_CONTRACTS,
    summary="撤回变更或撤销申请",
)
def withdraw_contract_amendment(
    session: Session, _form: None, contract_id: int, amendment_id: int
) -> Any:
    """Take an application back before it is answered."""
    service.withdraw_amendment(
        session,
        actor=web.actor(),
        now=web.now(),
        contract_id=contract_id,
        amendment_id=amendment_id,
    )
    return api.Made(id=amendment_id)


@routes.sends(
    "/contracts/<int:contract_id>/amendments/<int:amendment_id>/files/<int:attachment_id>",
    permission=rules.READ,
    summary="下载变更与撤销申请的材料",
)
def get_amendment_file(contract_id: int, amendment_id: int, attachment_id: int) -> Any:
    """Send a paper of an application to who takes part in the contract."""
    return after_views.amendment_file(contract_id, amendment_id, attachment_id)


@routes.sends(
    "/contracts/<int:contract_id>/certificate",
    permission=rules.READ,
    summary="下载登记证明（PDF）",
)
def get_registration_certificate(contract_id: int) -> Any:
    """Send the certificate of registration to who takes part in the contract."""
    return certificate_views.certificate(contract_id)
