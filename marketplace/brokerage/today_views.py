"""The page of the day: what to do next on deals, each done in one tap."""

from __future__ import annotations

from datetime import timedelta

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.brokerage import figures_rules, queries, rules, service
from marketplace.brokerage.forms import CallForm, NextForm
from marketplace.brokerage.today_rules import CallOutcome, Pressing
from marketplace.brokerage.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.access import Role, permits
from marketplace.foundation.clock import local_date


@blueprint.route("/deals/today")
@web.permits(rules.READ)
def today() -> ResponseReturnValue:
    """Show what the actor has to do next, by worth times urgency."""
    actor, day = web.actor(), local_date(web.now())
    as_broker = actor.has(Role.BROKER)
    found = queries.today_list(web.session(), actor, now=web.now())
    return render_template(
        "brokerage/today.html",
        day_list=found,
        kinds=list(Pressing),
        requests=queries.requests_for(web.session(), actor) if as_broker else [],
        totals=queries.commission_totals(web.session(), actor.user_id or 0, day.year)
        if as_broker
        else None,
        day=day,
        may_open=permits(actor, rules.OPEN),
        may_measure=permits(actor, figures_rules.MEASURE),
        may_write=permits(actor, rules.WRITE_NOTE),
    )


@blueprint.route("/deals/<int:deal_id>/call", methods=["GET", "POST"])
@web.permits(rules.WRITE_NOTE)
def call(deal_id: int) -> ResponseReturnValue:
    """Log a call, with one tap from the day's list or with words and a next step."""
    deal = queries.get_deal(web.session(), web.actor(), deal_id)
    form = CallForm.load(outcome=CallOutcome.REACHED)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.log_call(
                session,
                actor=web.actor(),
                now=web.now(),
                deal_id=deal_id,
                outcome=form.outcome.data,
                words=str(form.words.data or ""),
                next_what=str(form.next_what.data or ""),
                next_due_on=form.next_due_on.data,
            )
            return web.local_next(url_for("brokerage.today"))

        done = web.submit(form, use_case)
        if done is not None:
            flash(f"已记下“{deal.title}”的通话，下一步已安排。", "success")
            return done
    return render_template("brokerage/call.html", deal=deal, form=form), form.status()


@blueprint.route("/deals/<int:deal_id>/next", methods=["POST"])
@web.permits(rules.WRITE_NOTE)
def plan_next(deal_id: int) -> ResponseReturnValue:
    """Move the next step on a deal so many days on, or set one."""
    queries.get_deal(web.session(), web.actor(), deal_id)
    back = web.local_next(url_for("brokerage.today"))
    form = NextForm.load()
    if not form.validate_on_post():
        flash("请选择 1 到 365 天之间的一天。", "warning")
        return redirect(back, 303)

    def use_case(session: Session) -> str:
        due_on = local_date(web.now()) + timedelta(days=form.days.data)
        service.plan_next(session, actor=web.actor(), now=web.now(), deal_id=deal_id, due_on=due_on)
        flash(f"下一步安排在 {due_on.isoformat()}。", "success")
        return back

    return web.act(use_case, back=back)
