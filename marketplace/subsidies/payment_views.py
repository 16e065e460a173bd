"""Payment: the bureau lists, the finance bureau confirms, a table for both."""

from __future__ import annotations

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import web
from marketplace.foundation.access import permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.money import format_yuan
from marketplace.foundation.personal import masked
from marketplace.subsidies import payment_file_rules, queries, rules, service
from marketplace.subsidies.forms import PaymentForm, ReceiptForm
from marketplace.subsidies.payment_file_rules import PaymentOrder
from marketplace.subsidies.views import blueprint


@blueprint.route("/subsidies/payments")
@web.permits(rules.SEE_PAYMENTS)
def payments() -> ResponseReturnValue:
    """List what can be paid and the payment lists made so far."""
    session, actor = web.session(), web.actor()
    return render_template(
        "subsidies/payments.html",
        unlisted=queries.approved_unlisted(session),
        lists=queries.payment_lists(session),
        may_list=permits(actor, rules.LIST_PAYMENTS),
    )


@blueprint.route("/subsidies/payments", methods=["POST"])
@web.permits(rules.LIST_PAYMENTS)
def list_payments() -> ResponseReturnValue:
    """Make a payment list of the chosen claims."""
    chosen = [int(value) for value in request.form.getlist("claim") if value.isdigit()]

    def act(session: Session) -> str:
        list_id = service.list_payments(session, actor=web.actor(), now=web.now(), claim_ids=chosen)
        return url_for("subsidies.payment_list", list_id=list_id)

    return web.act(act, back=url_for("subsidies.payments"))


@blueprint.route("/subsidies/payments/<int:list_id>")
@web.permits(rules.SEE_PAYMENTS)
def payment_list(list_id: int) -> ResponseReturnValue:
    """Show one payment list."""
    return _page(list_id, PaymentForm.load(), 0)


@blueprint.route("/subsidies/payments/<int:list_id>/accounts", methods=["POST"])
@web.permits(rules.UNMASK_PAYMENTS)
def payment_accounts(list_id: int) -> ResponseReturnValue:
    """Show a payment list with its whole account numbers; that is noted."""
    queries.get_payment_list(web.session(), list_id)
    form = web.UnmaskForm.load()
    whole = web.unmasked(form, permission=rules.UNMASK_PAYMENTS, subject=f"payment-list:{list_id}")
    return _page(list_id, PaymentForm.fresh(), 0, unmask=form, whole=whole)


@blueprint.route("/subsidies/payments/<int:list_id>/<int:payment_id>", methods=["POST"])
@web.permits(rules.CONFIRM_PAYMENT)
@web.sensitive
def confirm_payment(list_id: int, payment_id: int) -> ResponseReturnValue:
    """Take the treasurer's confirmation of one payment."""
    form = PaymentForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.confirm_payment(
                session,
                actor=web.actor(),
                now=web.now(),
                payment_id=payment_id,
                reference=form.reference.data,
            )
            return url_for("subsidies.payment_list", list_id=list_id)

        done = web.submit(form, act)
        if done is not None:
            flash("支付已确认，申报单位会收到通知。", "success")
            return done
    return _page(list_id, form, payment_id)


@blueprint.route("/subsidies/payments/<int:list_id>.xlsx")
@web.permits(rules.SEE_PAYMENTS)
def payment_table(list_id: int) -> ResponseReturnValue:
    """Send a payment list as an Excel file; amounts are text, exact to the fen.

    The accounts are masked: who pays takes the bank's file, which carries them whole.
    """
    made = queries.get_payment_list(web.session(), list_id)
    rows = [
        (
            row.claim.number,
            row.claim.organisation_name,
            row.uscc,
            f"{row.claim.year} 年度{row.claim.item.label}",
            format_yuan(row.payment.amount_fen).replace(",", ""),
            row.bank_name,
            masked(row.bank_account),
            row.payment.status.label,
            row.payment.reference,
        )
        for row in made.rows
    ]
    header = (
        "申报编号",
        "单位",
        "统一社会信用代码",
        "项目",
        "金额（元）",
        "开户银行",
        "银行账号",
        "状态",
        "支付凭证号",
    )
    return web.send_table(
        f"支付清单 {made.number}", header, rows, widths=(16, 34, 22, 22, 16, 30, 24, 10, 20)
    )


@blueprint.route("/subsidies/payments/<int:list_id>.txt")
@web.permits(rules.SEE_PAYMENTS)
def payment_file(list_id: int) -> ResponseReturnValue:
    """Send a payment list as the file that a bank reads; docs/payment-file.md says its format."""
    made = queries.get_payment_list(web.session(), list_id)
    orders = [
        PaymentOrder(
            claim_no=row.claim.number,
            payee=row.claim.organisation_name,
            uscc=row.uscc,
            bank_name=row.bank_name,
            bank_account=row.bank_account,
            amount_fen=row.payment.amount_fen,
            purpose=f"{row.claim.year}年度{row.claim.item.label}",
        )
        for row in made.rows
    ]
    text = payment_file_rules.write(made.number, local_date(made.prepared_at), orders)
    return web.send_text(f"支付清单 {made.number}", text)


@blueprint.route("/subsidies/reclaims")
@web.permits(rules.SEE_PAYMENTS)
def reclaims() -> ResponseReturnValue:
    """List what is clawed back, until when, and what has arrived."""
    return _reclaims(ReceiptForm.load(), 0)


@blueprint.route("/subsidies/reclaims/<int:claim_id>", methods=["POST"])
@web.permits(rules.CONFIRM_RECEIPT)
@web.sensitive
def confirm_receipt(claim_id: int) -> ResponseReturnValue:
    """Take the treasurer's confirmation that a clawed-back amount arrived."""
    form = ReceiptForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.confirm_receipt(
                session,
                actor=web.actor(),
                now=web.now(),
                claim_id=claim_id,
                amount_fen=form.amount.data,
                reference=form.reference.data,
            )
            return url_for("subsidies.reclaims")

        done = web.submit(form, act)
        if done is not None:
            flash("退款到账已确认。", "success")
            return done
    return _reclaims(form, claim_id)


def _reclaims(form: ReceiptForm, claim_id: int) -> ResponseReturnValue:
    page = render_template(
        "subsidies/reclaims.html",
        reclaims=queries.reclaims(web.session()),
        form=form,
        chosen=claim_id,
        may_confirm=permits(web.actor(), rules.CONFIRM_RECEIPT),
    )
    return page, form.status()


def _page(
    list_id: int,
    form: PaymentForm,
    payment_id: int,
    *,
    unmask: web.UnmaskForm | None = None,
    whole: bool = False,
) -> ResponseReturnValue:
    unmask = unmask or web.UnmaskForm.fresh()
    page = render_template(
        "subsidies/payment_list.html",
        made=queries.get_payment_list(web.session(), list_id),
        form=form,
        payment_id=payment_id,
        may_confirm=permits(web.actor(), rules.CONFIRM_PAYMENT),
        unmask=unmask,
        whole=whole,
    )
    return page, max(form.status(), unmask.status())
