"""Orders: both sides' desk, one order, and what each side does with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import audit, web
from marketplace.foundation.access import permits
from marketplace.techservices import queries, rules, service
from marketplace.techservices.forms import (
    AcceptForm,
    ConfirmForm,
    DeclineForm,
    DeliverForm,
    ReportForm,
)
from marketplace.techservices.rules import OrderState
from marketplace.techservices.views import blueprint

_ACTIONS = {
    "techservices.request": "提交委托",
    "techservices.withdraw": "撤回委托",
    "techservices.decline": "服务机构不接受",
    "techservices.accept": "服务机构接受",
    "techservices.report": "办理进展",
    "techservices.deliver": "完成，等客户确认",
    "techservices.confirm": "客户确认",
}
_FORMS: dict[str, type[web.Form]] = {
    "accept": AcceptForm,
    "decline": DeclineForm,
    "report": ReportForm,
    "deliver": DeliverForm,
    "confirm": ConfirmForm,
}


@blueprint.route("/orders")
@web.permits(rules.SEE_ORDERS)
def orders() -> ResponseReturnValue:
    """List the orders that the actor's organisation placed, or those it is to serve."""
    session, actor = web.session(), web.actor()
    serving = web.argument("side") == "serving" if web.argument("side") else _serves()
    past = web.argument("show") == "past"
    return render_template(
        "techservices/orders.html",
        page=queries.list_for(
            session,
            actor,
            serving=serving,
            open_only=not past,
            after=web.argument("after") or None,
        ),
        serving=serving,
        past=past,
        may_order=permits(actor, rules.ORDER),
    )


@blueprint.route("/orders/<int:order_id>")
@web.permits(rules.SEE_ORDERS)
def order(order_id: int) -> ResponseReturnValue:
    """Show one order with what can be done next."""
    return _page(order_id)


@blueprint.route("/orders/<int:order_id>/withdraw", methods=["POST"])
@web.permits(rules.ORDER)
def withdraw(order_id: int) -> ResponseReturnValue:
    """Take a request back."""
    back = url_for("techservices.order", order_id=order_id)

    def act(session: Session) -> str:
        service.withdraw(session, actor=web.actor(), now=web.now(), order_id=order_id)
        return back

    return web.act(act, back=back)


@blueprint.route("/orders/<int:order_id>/accept", methods=["POST"])
@web.permits(rules.SERVE)
def accept(order_id: int) -> ResponseReturnValue:
    """Take an order for a fee and a day."""
    form = AcceptForm.load()
    return _carry_out(
        order_id,
        "accept",
        form,
        service.accept,
        lambda: {"fee_fen": form.fee.data, "due_on": form.due_on.data},
    )


@blueprint.route("/orders/<int:order_id>/decline", methods=["POST"])
@web.permits(rules.SERVE)
def decline(order_id: int) -> ResponseReturnValue:
    """Decline an order with a reason."""
    form = DeclineForm.load()
    return _carry_out(
        order_id, "decline", form, service.decline, lambda: {"reason": form.reason.data}
    )


@blueprint.route("/orders/<int:order_id>/report", methods=["POST"])
@web.permits(rules.SERVE)
def report(order_id: int) -> ResponseReturnValue:
    """Tell of a step."""
    form = ReportForm.load()
    return _carry_out(order_id, "report", form, service.report, lambda: {"note": form.note.data})


@blueprint.route("/orders/<int:order_id>/deliver", methods=["POST"])
@web.permits(rules.SERVE)
def deliver(order_id: int) -> ResponseReturnValue:
    """Deliver."""
    form = DeliverForm.load()
    return _carry_out(
        order_id, "deliver", form, service.deliver, lambda: {"result": form.result.data}
    )


@blueprint.route("/orders/<int:order_id>/confirm", methods=["POST"])
@web.permits(rules.ORDER)
def confirm(order_id: int) -> ResponseReturnValue:
    """Confirm the delivery and record what was paid."""
    form = ConfirmForm.load()
    return _carry_out(
        order_id, "confirm", form, service.confirm, lambda: {"paid_fen": form.paid.data}
    )


def _carry_out(
    order_id: int,
    name: str,
    form: web.Form,
    use_case: Callable[..., None],
    values: Callable[[], dict[str, Any]],
) -> ResponseReturnValue:
    if form.validate_on_post():

        def act(session: Session) -> str:
            use_case(session, actor=web.actor(), now=web.now(), order_id=order_id, **values())
            return url_for("techservices.order", order_id=order_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    return _page(order_id, sent={name: form})


def _serves() -> bool:
    return permits(web.actor(), rules.SERVE) and not permits(web.actor(), rules.ORDER)


def _page(order_id: int, *, sent: dict[str, web.Form] | None = None) -> ResponseReturnValue:
    session, actor = web.session(), web.actor()
    view = queries.get_for(session, actor, order_id)
    forms = {name: (sent or {}).get(name) or kind.load() for name, kind in _FORMS.items()}
    if "confirm" not in (sent or {}):
        forms["confirm"] = ConfirmForm.load(paid=view.own_share_fen)
    state = view.row.state
    serves = view.is_provider and permits(actor, rules.SERVE)
    buys = view.is_customer and permits(actor, rules.ORDER)
    body = render_template(
        "techservices/order.html",
        order=view,
        forms_by_name=forms,
        answering=serves and state is OrderState.REQUESTED,
        working=serves and state in (OrderState.ACCEPTED, OrderState.IN_PROGRESS),
        confirming=buys and state is OrderState.DELIVERED,
        may_withdraw=buys and state is OrderState.REQUESTED,
        history=[
            {
                "what": _ACTIONS.get(entry.action, entry.action),
                "at": entry.happened_at,
                "who": entry.actor_name,
                "note": (entry.after or {}).get("note") or (entry.after or {}).get("reason", ""),
                "state": "bad" if entry.action.endswith("decline") else "",
            }
            for entry in reversed(audit.history(session, service.subject(order_id)))
        ],
    )
    return body, 422 if any(form.errors for form in forms.values()) else 200
