"""Pages of chances: how far they came true, and a leader's own word on one deal."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.brokerage import (
    calibration_rules,
    chance_queries,
    figures_rules,
    queries,
    rules,
    service,
)
from marketplace.brokerage.forms import ChanceForm
from marketplace.brokerage.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.errors import NotFound


@blueprint.route("/deals/calibration")
@web.permits(figures_rules.MEASURE)
def calibration() -> ResponseReturnValue:
    """Show what was told beforehand beside what happened, as a chart with its table."""
    return render_template(
        "brokerage/calibration.html",
        found=chance_queries.calibration(web.session(), web.actor()),
        ground=calibration_rules.CHART,
        few=calibration_rules.FEW,
    )


@blueprint.route("/deals/<int:deal_id>/chance", methods=["GET", "POST"])
@web.permits(rules.LEAD)
def override_chance(deal_id: int) -> ResponseReturnValue:
    """Put one's own chance of a deal beside the measured one."""
    session, actor = web.session(), web.actor()
    deal = queries.get_deal(session, actor, deal_id)
    if not deal.leads or deal.stage not in rules.TALKING:
        raise NotFound()
    own = chance_queries.own_chances(session, actor, [deal_id]).get(deal_id)
    measured = chance_queries.measured_chances(session, actor)[deal.stage]
    form = ChanceForm.load(percent=own.percent if own else None, reason=own.reason if own else "")
    home = url_for("brokerage.show", deal_id=deal_id)
    if form.validate_on_post():

        def use_case(writing: Session) -> str:
            service.override_chance(
                writing,
                actor=actor,
                now=web.now(),
                deal_id=deal_id,
                percent=form.percent.data,
                reason=str(form.reason.data),
            )
            return home

        done = web.submit(form, use_case)
        if done is not None:
            return done
    page = render_template(
        "brokerage/chance.html", deal=deal, own=own, measured=measured, form=form
    )
    return page, form.status()


@blueprint.route("/deals/<int:deal_id>/chance/drop", methods=["POST"])
@web.permits(rules.LEAD)
def drop_chance(deal_id: int) -> ResponseReturnValue:
    """Let the measured chance count again."""
    home = url_for("brokerage.show", deal_id=deal_id)

    def use_case(session: Session) -> str:
        service.drop_override(session, actor=web.actor(), now=web.now(), deal_id=deal_id)
        flash("已恢复为测算的机会。", "success")
        return home

    return web.act(use_case, back=home)
