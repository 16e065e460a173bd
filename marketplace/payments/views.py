"""Pages of payments: the payer's list and page, the operator's reconciliation."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import web
from marketplace.foundation.access import permits
from marketplace.payments import ledger_queries, queries, rules, service
from marketplace.payments.forms import (
    ConfirmForm,
    ForfeitForm,
    NoteForm,
    RefundForm,
    RefundRequestForm,
    ReportForm,
)
from marketplace.payments.gateways import Gateways
from marketplace.payments.rules import PaymentState

blueprint = Blueprint("payments", __name__, template_folder="templates", url_prefix="/payments")

_DESK = {
    "reported": (PaymentState.REPORTED,),
    "expected": (PaymentState.EXPECTED,),
    "held": (PaymentState.CONFIRMED,),
    "refunds": (PaymentState.REFUND_DUE,),
    "forfeits": (PaymentState.FORFEIT_DUE,),
    "over": (PaymentState.REFUNDED, PaymentState.FORFEITED, PaymentState.CANCELLED),
}
_DESK_LABELS = {
    "reported": "待核对",
    "expected": "待付款",
    "held": "已到账",
    "refunds": "待退款",
    "forfeits": "待扣罚",
    "over": "已了结",
}


@blueprint.route("")
@web.permits(rules.SEE)
def index() -> ResponseReturnValue:
    """List what the actor's organisation pays and is paid."""
    page = queries.own(web.session(), web.actor(), after=web.argument("after") or None)
    return render_template("payments/index.html", page=page)


@blueprint.route("/desk")
@web.permits(rules.RECONCILE)
def desk() -> ResponseReturnValue:
    """Show the operator what is to be reconciled and refunded."""
    chosen = web.argument("tab") if web.argument("tab") in _DESK else "reported"
    session = web.session()
    sums = queries.sums(session)
    tabs = [
        (
            label,
            url_for("payments.desk", tab=key),
            key == chosen,
            sum(sums.get(state, (0, 0))[0] for state in _DESK[key]),
        )
        for key, label in _DESK_LABELS.items()
    ]
    return render_template(
        "payments/desk.html",
        page=queries.reconciliation(
            session, states=_DESK[chosen], after=web.argument("after") or None
        ),
        tabs=tabs,
        chosen=chosen,
        held=sum(sums.get(state, (0, 0))[1] for state in rules.HELD),
        overdue=queries.overdue_refund_count(session, now=web.now()),
    )


@blueprint.route("/<int:payment_id>")
@web.permits(rules.SEE)
def show(payment_id: int) -> ResponseReturnValue:
    """Show one payment to its sides and to the operator."""
    return _page(payment_id)


@blueprint.route("/<int:payment_id>/report", methods=["POST"])
@web.permits(rules.PAY)
def report(payment_id: int) -> ResponseReturnValue:
    """Take the payer's word that the money was sent."""
    form = ReportForm.load()
    if form.validate_on_post():
        transferred_on = form.transferred_on.data

        def act(session: Session) -> str:
            service.report_transfer(
                session,
                actor=web.actor(),
                now=web.now(),
                payment_id=payment_id,
                reference=form.reference.data,
                transferred_on=transferred_on,
                gateway=web.resource(Gateways).default,
            )
            return _address(payment_id)

        done = web.submit(form, act)
        if done is not None:
            flash("已告知交易中心，核对到账后会通知您。", "success")
            return done
    return _page(payment_id, report=form)


@blueprint.route("/<int:payment_id>/confirm", methods=["POST"])
@web.permits(rules.RECONCILE)
@web.sensitive
def confirm(payment_id: int) -> ResponseReturnValue:
    """Confirm an arrival by a line that another person recorded."""
    form = ConfirmForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.confirm(
                session,
                actor=web.actor(),
                now=web.now(),
                payment_id=payment_id,
                reference=form.reference.data,
            )
            return _address(payment_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    return _page(payment_id, receipt=form)


@blueprint.route("/<int:payment_id>/reject", methods=["POST"])
@web.permits(rules.RECONCILE)
def reject(payment_id: int) -> ResponseReturnValue:
    """Tell the payer that the money did not arrive as reported."""
    form = NoteForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.reject_report(
                session,
                actor=web.actor(),
                now=web.now(),
                payment_id=payment_id,
                note=form.note.data,
            )
            return _address(payment_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    return _page(payment_id, note=form)


@blueprint.route("/<int:payment_id>/refund-request", methods=["POST"])
@web.permits(rules.RECONCILE)
@web.sensitive
def request_refund(payment_id: int) -> ResponseReturnValue:
    """Ask for a refund, or endorse the one the system asked for."""
    form = RefundRequestForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.request_refund(
                session,
                actor=web.actor(),
                now=web.now(),
                payment_id=payment_id,
                reason=form.reason.data,
            )
            return _address(payment_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    return _page(payment_id, refund_request=form)


@blueprint.route("/<int:payment_id>/refund", methods=["POST"])
@web.permits(rules.RECONCILE)
@web.sensitive
def refund(payment_id: int) -> ResponseReturnValue:
    """Carry a refund out as the second person."""
    form = RefundForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.refund(
                session,
                actor=web.actor(),
                now=web.now(),
                payment_id=payment_id,
                reference=form.reference.data,
                gateway=web.resource(Gateways).default,
            )
            return _address(payment_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    return _page(payment_id, refund=form)


@blueprint.route("/<int:payment_id>/forfeit", methods=["POST"])
@web.permits(rules.RECONCILE)
@web.sensitive
def forfeit(payment_id: int) -> ResponseReturnValue:
    """Pay a forfeited amount out as the second person."""
    form = ForfeitForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.forfeit(
                session,
                actor=web.actor(),
                now=web.now(),
                payment_id=payment_id,
                reference=form.reference.data,
            )
            return _address(payment_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    return _page(payment_id, forfeit=form)


def _address(payment_id: int) -> str:
    return url_for("payments.show", payment_id=payment_id)


def _page(payment_id: int, **sent: web.Form) -> ResponseReturnValue:
    actor = web.actor()
    payment = queries.get_for(web.session(), actor, payment_id)
    reconciles = permits(actor, rules.RECONCILE)
    lines = ledger_queries.lines_for(web.session(), payment_id) if reconciles else []
    forms: dict[str, Any] = {
        "report": ReportForm.fresh(),
        "receipt": ConfirmForm.fresh(reference=lines[0].reference if lines else ""),
        "note": NoteForm.fresh(),
        "refund_request": RefundRequestForm.fresh(reason=payment.refund_reason),
        "refund": RefundForm.fresh(),
        "forfeit": ForfeitForm.fresh(),
    }
    forms.update(sent)
    wrong = next((form for form in sent.values() if form.errors), None)
    page = render_template(
        "payments/show.html",
        payment=payment,
        instructions=web.resource(Gateways).default.instructions(payment.order),
        bound=forms,
        form=wrong,
        is_payer=actor.organisation_id == payment.payer_organisation_id
        and permits(actor, rules.PAY),
        reconciles=reconciles,
        lines=lines,
        user_id=actor.user_id,
        unpaid=payment.state in rules.UNPAID,
    )
    return page, 422 if wrong else 200
