"""Pages of pipelines: what each is for and asks for, and a deal that changes to another."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.brokerage import pipeline_queries, queries, rules, service
from marketplace.brokerage.forms import PipelineForm
from marketplace.brokerage.pipeline_parameters import pipelines
from marketplace.brokerage.pipeline_rules import END
from marketplace.brokerage.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.errors import NotFound


@blueprint.route("/deals/pipelines")
@web.permits(rules.READ)
def show_pipelines() -> ResponseReturnValue:
    """Show every pipeline: what it is for, its steps, and what each step asks for."""
    return render_template(
        "brokerage/pipelines.html",
        ends=END,
        uses=pipeline_queries.pipelines_with_use(web.session(), web.actor(), now=web.now()),
    )


@blueprint.route("/deals/<int:deal_id>/pipeline", methods=["GET", "POST"])
@web.permits(rules.LEAD)
def change_pipeline(deal_id: int) -> ResponseReturnValue:
    """Carry a deal on in another pipeline, after telling where it would stand there."""
    deal = queries.get_deal(web.session(), web.actor(), deal_id)
    if not deal.leads:
        raise NotFound()
    form = PipelineForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.change_pipeline(
                session,
                actor=web.actor(),
                now=web.now(),
                deal_id=deal_id,
                to=form.pipeline.data,
            )
            return url_for("brokerage.show", deal_id=deal_id)

        done = web.submit(form, use_case)
        if done is not None:
            flash(f"改按“{pipelines().get(form.pipeline.data).name}”推进。", "success")
            return done
    # Not before: a second click names the pipeline in which the deal is by then.
    form.leave_out(deal.pipeline.code)
    page = render_template(
        "brokerage/change_pipeline.html",
        deal=deal,
        form=form,
        ways=pipeline_queries.ways_of(web.session(), deal, now=web.now()),
    )
    return page, form.status()
