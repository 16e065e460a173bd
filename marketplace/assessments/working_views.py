"""Pages on which the assessor works: valuation, issuing the report."""

from __future__ import annotations

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.assessments import queries, rules, service
from marketplace.assessments.forms import ValuationForm
from marketplace.assessments.parameters import valuation_terms_on
from marketplace.assessments.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.clock import local_date


@blueprint.route("/<int:assessment_id>/valuation", methods=["GET", "POST"])
@web.permits(rules.WORK)
def valuation(assessment_id: int) -> ResponseReturnValue:
    """Find the value range and conclude it."""
    view = queries.get_to_work(web.session(), web.actor(), assessment_id)
    form = ValuationForm.load(
        version=view.version,
        low=view.row.low_fen,
        high=view.row.high_fen,
        base_on=view.base_on,
        valid_until=view.valid_until,
        reasoning=view.reasoning,
        **ValuationForm.stored(view.inputs),
    )
    shown = view.results
    if form.validate_on_post():
        inputs = form.inputs()
        trial = queries.try_valuation(inputs, on=local_date(web.now()))
        shown = trial.results
        if trial.refusal is not None:
            form.take(trial.refusal)
        elif "compute" not in request.form and form.concluded():

            def act(session: Session) -> str:
                service.value(
                    session,
                    actor=web.actor(),
                    now=web.now(),
                    assessment_id=assessment_id,
                    version=form.version_number,
                    inputs=inputs,
                    conclusion=form.conclusion(),
                )
                return url_for("assessments.show", assessment_id=assessment_id)

            done = web.submit(form, act)
            if done is not None:
                flash("评估值已保存，出具报告之前可以修改。", "success")
                return done
    body = render_template(
        "assessments/valuation.html",
        assessment=view,
        form=form,
        results=shown,
        terms=valuation_terms_on(local_date(web.now())),
    )
    return body, form.status()


@blueprint.route("/<int:assessment_id>/issue", methods=["POST"])
@web.permits(rules.ISSUE)
def issue(assessment_id: int) -> ResponseReturnValue:
    """Issue the report."""

    def act(session: Session) -> str:
        service.issue(session, actor=web.actor(), now=web.now(), assessment_id=assessment_id)
        return url_for("assessments.report", assessment_id=assessment_id)

    return web.act(act, back=url_for("assessments.show", assessment_id=assessment_id))
