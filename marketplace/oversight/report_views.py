"""Pages of reports: the form for everybody, the answer by its code, the operator's queue."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC
from marketplace.oversight import report_queries, report_service, rules
from marketplace.oversight.forms import ReportDecisionForm, ReportForm
from marketplace.oversight.report_rules import ReportState
from marketplace.oversight.views import blueprint


@blueprint.route("/report/<kind>/<int:number>", methods=["GET", "POST"])
@web.permits(PUBLIC)
def report(kind: str, number: int) -> ResponseReturnValue:
    """Report a record that breaks the rules."""
    reported = report_queries.find_reported(web.session(), web.actor(), kind, number)
    form = ReportForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            code = report_service.report(
                session,
                actor=web.actor(),
                now=web.now(),
                reported=reported,
                content=form.content(),
                origin=request.remote_addr or "",
            )
            return url_for("oversight.report_answer", code=code)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return render_template("oversight/report.html", form=form, reported=reported), form.status()


@blueprint.route("/reports/<code>")
@web.permits(PUBLIC)
def report_answer(code: str) -> ResponseReturnValue:
    """Show a report and its answer to whoever holds its code."""
    view = report_queries.get_by_code(web.session(), code)
    return render_template("oversight/report_answer.html", report=view)


@blueprint.route("/desk/reports")
@web.permits(rules.ANSWER_REPORTS)
def reports() -> ResponseReturnValue:
    """List the reports in a state, the oldest first."""
    chosen = next(
        (state for state in ReportState if state.value == web.argument("state")), ReportState.OPEN
    )
    page = report_queries.queue(
        web.session(), web.actor(), chosen, after=web.argument("after", longest=400) or None
    )
    tabs = [
        (state.label, url_for("oversight.reports", state=state.value), state is chosen, None)
        for state in ReportState
    ]
    return render_template("oversight/reports.html", page=page, chosen=chosen, tabs=tabs)


@blueprint.route("/desk/reports/<int:report_id>", methods=["GET", "POST"])
@web.permits(rules.ANSWER_REPORTS)
def report_desk(report_id: int) -> ResponseReturnValue:
    """Show one report to the operator and take the answer."""
    form = ReportDecisionForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            report_service.decide(
                session,
                actor=web.actor(),
                now=web.now(),
                report_id=report_id,
                upheld=form.upheld.data == "yes",
                words=str(form.words.data or ""),
            )
            return url_for("oversight.reports")

        done = web.submit(form, use_case)
        if done is not None:
            return done
    view = report_queries.get_report(web.session(), web.actor(), report_id)
    return render_template("oversight/report_desk.html", report=view, form=form), form.status()
