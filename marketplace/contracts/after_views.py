"""The parties' pages after the registration: payments received, applications for amendment."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.contracts import queries, rules, service
from marketplace.contracts.after_forms import (
    AmendForm,
    CancellationForm,
    ReceiptForm,
    WithdrawReceiptForm,
)
from marketplace.contracts.amendment_queries import amendment_subject
from marketplace.contracts.forms import items_of
from marketplace.contracts.queries import ContractView
from marketplace.contracts.receipt_queries import ReceiptView, receipt_subject
from marketplace.contracts.views import blueprint
from marketplace.foundation import attachments, web
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound


def _followed(contract_id: int) -> ContractView:
    """Return a registered contract to its seller, who declares what follows; others find none."""
    view = queries.get_contract(web.session(), web.actor(), contract_id)
    if not view.may_follow:
        raise NotFound()
    return view


def _here(contract_id: int) -> str:
    return url_for("contracts.show", contract_id=contract_id)


@blueprint.route("/contracts/<int:contract_id>/receipts/new", methods=["GET", "POST"])
@web.permits(rules.DRAW_UP)
def declare_receipt(contract_id: int) -> ResponseReturnValue:
    """Declare a payment that came in."""
    view = _followed(contract_id)
    form = ReceiptForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.declare_receipt(
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
            return _here(contract_id)

        done = web.submit(form, use_case)
        if done is not None:
            flash("到账已登记，等登记机构核定。", "success")
            return done
    page = render_template(
        "contracts/receipt.html",
        contract=view,
        form=form,
        income=queries.income(
            web.session(), contract_id, view.content, today=local_date(web.now())
        ),
    )
    return page, form.status()


def _receipt(view: ContractView, receipt_id: int) -> ReceiptView:
    income = queries.income(web.session(), view.id, view.content, today=local_date(web.now()))
    found = next((each for each in income.receipts if each.id == receipt_id), None)
    if found is None:
        raise NotFound()
    return found


@blueprint.route(
    "/contracts/<int:contract_id>/receipts/<int:receipt_id>/withdraw", methods=["GET", "POST"]
)
@web.permits(rules.DRAW_UP)
def withdraw_receipt(contract_id: int, receipt_id: int) -> ResponseReturnValue:
    """Take a declared payment back with the reason."""
    view = _followed(contract_id)
    receipt = _receipt(view, receipt_id)
    form = WithdrawReceiptForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.withdraw_receipt(
                session,
                actor=web.actor(),
                now=web.now(),
                contract_id=contract_id,
                receipt_id=receipt_id,
                reason=form.reason.data,
            )
            return _here(contract_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    page = render_template("contracts/withdraw.html", contract=view, receipt=receipt, form=form)
    return page, form.status()


@blueprint.route("/contracts/<int:contract_id>/receipts/<int:receipt_id>/proof")
@web.permits(rules.READ)
def receipt_proof(contract_id: int, receipt_id: int) -> ResponseReturnValue:
    """Send the proof of a payment to who takes part in the contract."""
    view = queries.get_contract(web.session(), web.actor(), contract_id)
    receipt = _receipt(view, receipt_id)
    if receipt.proof is None:
        raise NotFound()
    return _file(receipt_subject(receipt_id), receipt.proof.id)


def _file(subject: str, attachment_id: int) -> ResponseReturnValue:
    found, content = attachments.content(
        web.session(),
        subject=subject,
        attachment_id=attachment_id,
        store=web.resource(AttachmentStore),
    )
    return web.send_attachment(found, content)


@blueprint.route("/contracts/<int:contract_id>/amend", methods=["GET", "POST"])
@web.permits(rules.DRAW_UP)
def amend(contract_id: int) -> ResponseReturnValue:
    """Apply for the change of a registered contract."""
    view = _followed(contract_id)
    content = view.content
    form = AmendForm.load(
        amount_fen=content.amount_fen,
        technology_amount_fen=content.technology_amount_fen,
        items=[{"label": item.label, "amount_fen": item.amount_fen} for item in content.items],
        ends_on=content.ends_on,
    )
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.apply_change(
                session,
                actor=web.actor(),
                now=web.now(),
                contract_id=contract_id,
                amount_fen=form.amount_fen.data,
                technology_amount_fen=form.technology_amount_fen.data,
                items=items_of(form.items),
                ends_on=form.ends_on.data,
                reason=str(form.reason.data),
                uploads=web.read_uploads(form.attachments.uploads()),
                store=web.resource(AttachmentStore),
            )
            return _here(contract_id)

        done = web.submit(form, use_case)
        if done is not None:
            flash("变更申请已送登记机构，答复以前登记簿不变。", "success")
            return done
    return render_template("contracts/amend.html", contract=view, form=form), form.status()


@blueprint.route("/contracts/<int:contract_id>/cancellation", methods=["GET", "POST"])
@web.permits(rules.DRAW_UP)
def ask_cancellation(contract_id: int) -> ResponseReturnValue:
    """Apply for the cancellation of a registration."""
    view = _followed(contract_id)
    form = CancellationForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.apply_cancellation(
                session,
                actor=web.actor(),
                now=web.now(),
                contract_id=contract_id,
                reason=form.reason.data,
                uploads=web.read_uploads(form.attachments.uploads()),
                store=web.resource(AttachmentStore),
            )
            return _here(contract_id)

        done = web.submit(form, use_case)
        if done is not None:
            flash("撤销申请已送登记机构。", "success")
            return done
    return render_template("contracts/cancellation.html", contract=view, form=form), form.status()


@blueprint.route(
    "/contracts/<int:contract_id>/amendments/<int:amendment_id>/withdraw", methods=["POST"]
)
@web.permits(rules.DRAW_UP)
def withdraw_amendment(contract_id: int, amendment_id: int) -> ResponseReturnValue:
    """Take an application back before it is answered."""

    def use_case(session: Session) -> str:
        service.withdraw_amendment(
            session,
            actor=web.actor(),
            now=web.now(),
            contract_id=contract_id,
            amendment_id=amendment_id,
        )
        return _here(contract_id)

    return web.act(use_case, back=_here(contract_id))


@blueprint.route(
    "/contracts/<int:contract_id>/amendments/<int:amendment_id>/files/<int:attachment_id>"
)
@web.permits(rules.READ)
def amendment_file(contract_id: int, amendment_id: int, attachment_id: int) -> ResponseReturnValue:
    """Send a paper of an application to who takes part in the contract."""
    queries.get_contract(web.session(), web.actor(), contract_id)
    known = {each.id for each in queries.amendments(web.session(), contract_id)}
    if amendment_id not in known:
        raise NotFound()
    return _file(amendment_subject(amendment_id), attachment_id)
