"""The service hall, a page per line of service, ordering."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.achievements import queries as achievements
from marketplace.foundation import web
from marketplace.foundation.access import permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound
from marketplace.techservices import queries, rules, service
from marketplace.techservices.forms import FORMS, OrderForm
from marketplace.techservices.line_rules import LINES
from marketplace.techservices.parameters import voucher_policy
from marketplace.techservices.park_rules import SUITABLE, stage_of
from marketplace.techservices.rules import ServiceKind, ServiceLine, VoucherKind

blueprint = Blueprint("techservices", __name__, template_folder="templates")


@blueprint.route("/services")
@web.permits(rules.SEE_HALL)
def hall() -> ResponseReturnValue:
    """Show the six services and how far each is in use; ``kind`` opens one line."""
    asked = web.argument("kind")
    line = next((each for each in ServiceLine if each.value == asked), None)
    if line is not None:
        return _line_page(line)
    return render_template(
        "techservices/hall.html",
        lines=LINES,
        counts=queries.line_counts(web.session()),
        policy=voucher_policy(),
    )


@blueprint.route("/services/ip/fees")
@web.permits(rules.ORDER)
def fees() -> ResponseReturnValue:
    """List the own patents whose annual fee comes due, each with the way to order it."""
    organisation_id = web.actor().organisation_id
    assert organisation_id is not None
    today = local_date(web.now())
    return render_template(
        "techservices/fees.html",
        fees=queries.fees_due(web.session(), organisation_id, today=today),
        kind=ServiceKind.ANNUAL_FEE,
    )


@blueprint.route("/services/<line>")
@web.permits(rules.SEE_HALL)
def line(line: str) -> ResponseReturnValue:
    """Show one line of service with its providers."""
    return _line_page(_line(line))


@blueprint.route("/services/<line>/order", methods=["GET", "POST"])
@web.permits(rules.ORDER)
def place(line: str) -> ResponseReturnValue:
    """Place an order."""
    chosen = _line(line)
    session, actor = web.session(), web.actor()
    form = _order_form(chosen)
    if form.validate_on_post():

        def act(session: Session) -> str:
            made = service.request(
                session, actor=web.actor(), now=web.now(), content=form.content()
            )
            return url_for("techservices.order", order_id=made)

        done = web.submit(form, act)
        if done is not None:
            return done
    used = None
    if LINES[chosen].voucher is not None and actor.organisation_id is not None:
        year = local_date(web.now()).year
        used = queries.voucher_used(session, VoucherKind.INSTRUMENT, actor.organisation_id, year)
    body = render_template(
        "techservices/place.html", form=form, spec=LINES[chosen], used_fen=used, suitable=SUITABLE
    )
    return body, form.status()


def _order_form(line: ServiceLine) -> OrderForm:
    session, actor = web.session(), web.actor()
    own = achievements.owned_by(session, actor, size=100).items
    achievement_id = web.argument("achievement")
    related = next((row for row in own if str(row.id) == achievement_id), None)
    stage = stage_of(related.trl) if related else None
    stored = {
        "provider": web.argument("provider"),
        "kind": _asked_kind(line),
        "achievement": achievement_id,
        "title": (web.argument("title") or (related.title if related else ""))[:100],
        "right_title": web.argument("right") or (related.title if related else ""),
        "right_number": web.argument("number"),
        "right_kind": web.argument("right_kind"),
        "deadline_on": _asked_day("deadline"),
        "stage": stage,
        "carrier": SUITABLE[stage][0] if stage else None,
    }
    form = FORMS[line].load(**stored)
    form.offer(
        line,
        [
            (view.id, view.name)
            for view in queries.providers(session, line)
            if view.id != actor.organisation_id
        ],
        [(row.id, row.title) for row in own],
    )
    return form


def _asked_kind(line: ServiceLine) -> ServiceKind | None:
    kinds = LINES[line].kinds
    asked = next((kind for kind in kinds if kind.value == web.argument("kind")), None)
    return kinds[0] if len(kinds) == 1 else asked


def _asked_day(name: str) -> date | None:
    try:
        return date.fromisoformat(web.argument(name))
    except ValueError:
        return None


def _line(name: str) -> ServiceLine:
    found = next((each for each in ServiceLine if each.value == name), None)
    if found is None:
        raise NotFound()
    return found


def _line_page(line: ServiceLine) -> ResponseReturnValue:
    session = web.session()
    return render_template(
        "techservices/line.html",
        spec=LINES[line],
        providers=queries.providers(session, line),
        counts=queries.provider_counts(session),
        may_order=permits(web.actor(), rules.ORDER),
        policy=voucher_policy(),
        suitable=SUITABLE,
    )
