"""The registrar's acts on a registered contract: change, cancel, answer, confirm."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.contracts import queries, rules, service
from marketplace.contracts.after_forms import CancelForm, ChangeForm, DeclineForm
from marketplace.contracts.forms import items_of
from marketplace.contracts.registry_views import review_page
from marketplace.contracts.rules import IN_REGISTER
from marketplace.contracts.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.errors import NotFound


@blueprint.route("/registry/<int:contract_id>/cancel", methods=["POST"])
@web.permits(rules.REVIEW)
def cancel(contract_id: int) -> ResponseReturnValue:
    """Cancel a registration."""
    form = CancelForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.cancel(
                session,
                actor=web.actor(),
                now=web.now(),
                contract_id=contract_id,
                reason=str(form.reason.data),
            )
            return url_for("contracts.review", contract_id=contract_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return review_page(contract_id, cancel_form=form)


@blueprint.route("/registry/<int:contract_id>/change", methods=["GET", "POST"])
@web.permits(rules.REVIEW)
def change(contract_id: int) -> ResponseReturnValue:
    """Record new terms of a registered contract."""
    view = queries.get_contract(web.session(), web.actor(), contract_id)
    if not view.may_review or view.status not in IN_REGISTER:
        raise NotFound()
    content = view.content
    form = ChangeForm.load(
        amount_fen=content.amount_fen,
        technology_amount_fen=content.technology_amount_fen,
        items=[{"label": item.label, "amount_fen": item.amount_fen} for item in content.items],
        ends_on=content.ends_on,
    )
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.change(
                session,
                actor=web.actor(),
                now=web.now(),
                contract_id=contract_id,
                amount_fen=form.amount_fen.data,
                technology_amount_fen=form.technology_amount_fen.data,
                items=items_of(form.items),
                ends_on=form.ends_on.data,
                reason=str(form.reason.data),
            )
            return url_for("contracts.review", contract_id=contract_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return render_template("contracts/change.html", contract=view, form=form), form.status()


@blueprint.route("/registry/<int:contract_id>/receipts/<int:receipt_id>/confirm", methods=["POST"])
@web.permits(rules.REVIEW)
def confirm_receipt(contract_id: int, receipt_id: int) -> ResponseReturnValue:
    """Confirm a received payment as technology income."""
    here = url_for("contracts.review", contract_id=contract_id)

    def use_case(session: Session) -> str:
        service.confirm_receipt(
            session,
            actor=web.actor(),
            now=web.now(),
            contract_id=contract_id,
            receipt_id=receipt_id,
        )
        return here

    return web.act(use_case, back=here)


@blueprint.route(
    "/registry/<int:contract_id>/amendments/<int:amendment_id>/grant", methods=["POST"]
)
@web.permits(rules.REVIEW)
def grant_amendment(contract_id: int, amendment_id: int) -> ResponseReturnValue:
    """Grant an application for change or cancellation."""
    here = url_for("contracts.review", contract_id=contract_id)

    def use_case(session: Session) -> str:
        service.grant_amendment(
            session,
            actor=web.actor(),
            now=web.now(),
            contract_id=contract_id,
            amendment_id=amendment_id,
        )
        flash("已同意，登记簿已经更新，相关补助申报会收到通知。", "success")
        return here

    return web.act(use_case, back=here)


@blueprint.route(
    "/registry/<int:contract_id>/amendments/<int:amendment_id>/decline", methods=["POST"]
)
@web.permits(rules.REVIEW)
def decline_amendment(contract_id: int, amendment_id: int) -> ResponseReturnValue:
    """Decline an application for change or cancellation."""
    form = DeclineForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.decline_amendment(
                session,
                actor=web.actor(),
                now=web.now(),
                contract_id=contract_id,
                amendment_id=amendment_id,
                reason=str(form.reason.data),
            )
            return url_for("contracts.review", contract_id=contract_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return review_page(contract_id, decline_form=form)
