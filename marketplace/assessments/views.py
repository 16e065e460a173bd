"""Pages of assessments for the owner, the assessor and the operator."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.achievements import queries as achievements
from marketplace.assessments import (
    agreement_rules,
    choice_queries,
    library_queries,
    panel_queries,
    queries,
    rules,
    service,
)
from marketplace.assessments.forms import AcceptForm, AssignForm, ReasonForm, RequestForm
from marketplace.assessments.panel_rules import AchievementType
from marketplace.assessments.parameters import panel_terms_on, scoring_on, valuation_terms_on
from marketplace.assessments.queries import AssessmentView
from marketplace.assessments.rules import OPEN_STATES, AssessmentState
from marketplace.foundation import audit, pdf, web
from marketplace.foundation.access import PUBLIC, permits
from marketplace.foundation.clock import local_date

blueprint = Blueprint(
    "assessments", __name__, template_folder="templates", url_prefix="/assessments"
)

_TABS: dict[str, tuple[str, tuple[AssessmentState, ...]]] = {
    "open": ("办理中", OPEN_STATES),
    "filed": ("已备案", (AssessmentState.FILED,)),
    "rejected": ("已终止", (AssessmentState.REJECTED,)),
}
_ACTIONS = {
    "assessments.request": "申请评估，完成预评估",
    "assessments.assign": "选择评估机构",
    "assessments.accept": "评估机构接受委托",
    "assessments.decline": "评估机构不接受",
    "assessments.call_panel": "邀请专家",
    "assessments.declare": "一位专家声明无利益关系",
    "assessments.leave": "一位专家退出",
    "assessments.hand_in": "一位专家交评分",
    "assessments.panel_scored": "专家评分交齐",
    "assessments.explain": "写分歧说明",
    "assessments.value": "计算评估值",
    "assessments.fee_paid": "评估费到账",
    "assessments.issue": "出具报告",
    "assessments.file": "报告备案",
    "assessments.reject": "终止",
}


@blueprint.route("")
@web.permits(rules.VIEW)
def index() -> ResponseReturnValue:
    """List the assessments the actor has to do with."""
    session, actor = web.session(), web.actor()
    shown = web.argument("state") if web.argument("state") in _TABS else "open"
    counts = queries.count_states(session, actor)
    return render_template(
        "assessments/index.html",
        page=queries.list_for(
            session, actor, states=_TABS[shown][1], after=web.argument("after") or None
        ),
        shown=shown,
        tabs=[
            (
                label,
                url_for("assessments.index", state=key),
                key == shown,
                sum(counts.get(state, 0) for state in states),
            )
            for key, (label, states) in _TABS.items()
        ],
        score_text=rules.score_text,
    )


@blueprint.route("/assessors")
@web.permits(PUBLIC)
def assessors() -> ResponseReturnValue:
    """Show the library of assessors and how an assessment goes."""
    session = web.session()
    today = local_date(web.now())
    return render_template(
        "assessments/assessors.html",
        houses=library_queries.houses(session),
        panel=panel_terms_on(today),
        types=list(AchievementType),
        scoring=scoring_on(today),
        terms=valuation_terms_on(today),
        meanings=rules.INDICATOR_MEANING,
        may_request=permits(web.actor(), rules.REQUEST),
    )


@blueprint.route("/pre/<int:achievement_id>")
@web.permits(rules.VIEW)
def pre(achievement_id: int) -> ResponseReturnValue:
    """Show the pre-assessment of an own achievement as its record stands now."""
    return _pre_page(achievement_id, RequestForm.load())


@blueprint.route("/pre/<int:achievement_id>", methods=["POST"])
@web.permits(rules.REQUEST)
def request_assessment(achievement_id: int) -> ResponseReturnValue:
    """Ask for an assessment."""
    form = RequestForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            made = service.request(
                session,
                actor=web.actor(),
                now=web.now(),
                achievement_id=achievement_id,
                purpose=form.purpose.data,
            )
            return url_for("assessments.show", assessment_id=made)

        done = web.submit(form, act)
        if done is not None:
            return done
    return _pre_page(achievement_id, form)


@blueprint.route("/<int:assessment_id>")
@web.permits(rules.VIEW)
def show(assessment_id: int) -> ResponseReturnValue:
    """Show one assessment with what can be done next."""
    return _page(assessment_id)


@blueprint.route("/<int:assessment_id>/assign", methods=["POST"])
@web.permits(rules.REQUEST)
def assign(assessment_id: int) -> ResponseReturnValue:
    """Choose an assessor."""
    back = url_for("assessments.show", assessment_id=assessment_id)
    form = AssignForm.load()

    def act(session: Session) -> str:
        service.assign(
            session,
            actor=web.actor(),
            now=web.now(),
            assessment_id=assessment_id,
            assessor_organisation_id=form.assessor.data or 0,
        )
        return back

    return web.act(act, back=back)


@blueprint.route("/<int:assessment_id>/accept", methods=["POST"])
@web.permits(rules.ACCEPT)
def accept(assessment_id: int) -> ResponseReturnValue:
    """Take the order."""
    form = _accept_form(queries.get_for(web.session(), web.actor(), assessment_id))
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.accept(
                session,
                actor=web.actor(),
                now=web.now(),
                assessment_id=assessment_id,
                declared=form.declared.data,
                statement=form.statement.data,
                expert_id=int(form.expert.data),
                fee_fen=form.fee.data,
                due_on=form.due_on.data,
            )
            return url_for("assessments.show", assessment_id=assessment_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    return _page(assessment_id, accept_form=form)


@blueprint.route("/<int:assessment_id>/decline", methods=["POST"])
@web.permits(rules.ACCEPT)
def decline(assessment_id: int) -> ResponseReturnValue:
    """Decline the order with a reason."""
    form = ReasonForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.decline(
                session,
                actor=web.actor(),
                now=web.now(),
                assessment_id=assessment_id,
                reason=form.reason.data,
            )
            return url_for("assessments.index")

        done = web.submit(form, act)
        if done is not None:
            flash("已告知委托方，理由一并送达。", "success")
            return done
    return _page(assessment_id, reason_form=form)


@blueprint.route("/<int:assessment_id>/end", methods=["POST"])
@web.permits(rules.END)
def reject(assessment_id: int) -> ResponseReturnValue:
    """End an assessment without a report on file."""
    form = ReasonForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.reject(
                session,
                actor=web.actor(),
                now=web.now(),
                assessment_id=assessment_id,
                reason=form.reason.data,
            )
            return url_for("assessments.show", assessment_id=assessment_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    return _page(assessment_id, reason_form=form)


@blueprint.route("/<int:assessment_id>/file", methods=["POST"])
@web.permits(rules.FILE)
def file(assessment_id: int) -> ResponseReturnValue:
    """Put the report on file."""
    back = url_for("assessments.show", assessment_id=assessment_id)

    def act(session: Session) -> str:
        service.file(session, actor=web.actor(), now=web.now(), assessment_id=assessment_id)
        return back

    return web.act(act, back=back)


@blueprint.route("/<int:assessment_id>/report")
@web.permits(rules.VIEW)
def report(assessment_id: int) -> ResponseReturnValue:
    """Show the report, ready to print."""
    return render_template("assessments/report.html", **_report(assessment_id))


@blueprint.route("/<int:assessment_id>/report.pdf")
@web.permits(rules.VIEW)
def report_pdf(assessment_id: int) -> ResponseReturnValue:
    """Send the report as a tagged PDF."""
    values = _report(assessment_id)
    number = values["assessment"].row.report_number
    return web.send_pdf(pdf.render("assessments/report_pdf.html", values), f"评估报告 {number}")


def _report(assessment_id: int) -> dict[str, Any]:
    session = web.session()
    view = queries.get_report(session, web.actor(), assessment_id)
    return {
        "assessment": view,
        "panel": panel_queries.panel_of(session, assessment_id) if view.panelled else None,
        "achievement": achievements.get_for(session, web.actor(), view.row.achievement_id),
        "meanings": rules.INDICATOR_MEANING,
        "score_text": rules.score_text,
        "decimals": agreement_rules.decimals,
        "terms": valuation_terms_on(local_date(view.reported_at or web.now())),
    }


def _accept_form(view: AssessmentView) -> AcceptForm:
    form = AcceptForm.load()
    if view.is_assessor and view.row.assessor_organisation_id is not None:
        form.offer(choice_queries.experts_of(web.session(), view.row.assessor_organisation_id))
    return form


def _pre_page(achievement_id: int, form: RequestForm) -> ResponseReturnValue:
    session, actor = web.session(), web.actor()
    view = achievements.get_own(session, actor, achievement_id)
    body = render_template(
        "assessments/pre.html",
        achievement=view,
        result=queries.pre_assessment(view, on=local_date(web.now())),
        meanings=rules.INDICATOR_MEANING,
        score_text=rules.score_text,
        form=form,
        open_id=queries.open_assessment_of(session, achievement_id),
        valuation=queries.latest_valuation(session, achievement_id),
        may_request=permits(actor, rules.REQUEST),
        assessable=view.state in service.ASSESSABLE,
        today=local_date(web.now()),
    )
    return body, form.status()


def _page(
    assessment_id: int,
    *,
    accept_form: AcceptForm | None = None,
    reason_form: ReasonForm | None = None,
) -> ResponseReturnValue:
    session, actor = web.session(), web.actor()
    view = queries.get_for(session, actor, assessment_id)
    state = view.state
    choosing = (
        view.is_client
        and permits(actor, rules.REQUEST)
        and state in (AssessmentState.PRE_ASSESSED, AssessmentState.ASSIGNED)
    )
    answering = (
        view.is_assessor and permits(actor, rules.ACCEPT) and state is AssessmentState.ASSIGNED
    )
    working = view.is_assessor and state in rules.WORKING_STATES
    filing = permits(actor, rules.FILE) and state is AssessmentState.REPORT
    accept_form = accept_form or _accept_form(view)
    reason_form = reason_form or ReasonForm.load()
    body = render_template(
        "assessments/show.html",
        assessment=view,
        choices=choice_queries.choices_for(session, view, on=local_date(web.now()))
        if choosing
        else [],
        panel=panel_queries.panel_of(session, assessment_id)
        if view.is_assessor or view.reported or filing
        else None,
        choosing=choosing and state is AssessmentState.PRE_ASSESSED,
        answering=answering,
        working=working,
        may_value=working and permits(actor, rules.WORK),
        may_issue=working and permits(actor, rules.ISSUE),
        filing=filing,
        may_end=choosing or (working and permits(actor, rules.ISSUE)) or filing,
        accept_form=accept_form,
        reason_form=reason_form,
        meanings=rules.INDICATOR_MEANING,
        score_text=rules.score_text,
        steps=_steps(view),
        history=[
            {
                "what": _ACTIONS.get(entry.action, entry.action),
                "at": entry.happened_at,
                "who": entry.actor_name,
                "note": (entry.after or {}).get("reason", ""),
                "state": "bad" if entry.action.endswith(("decline", "reject")) else "",
            }
            for entry in reversed(audit.history(session, service.subject(assessment_id)))
        ],
    )
    return body, 422 if accept_form.errors or reason_form.errors else 200


def _steps(view: AssessmentView) -> list[tuple[str, str, str]]:
    """List the way of an assessment with what is done."""
    passed = [
        ("预评估", f"{rules.score_text(view.row.pre_score_tenths)} 分", True),
        ("选机构", view.row.assessor_name, view.row.assessor_organisation_id is not None),
        ("接受", view.expert_name, view.accepted_at is not None),
        ("专家评分与估值", "", view.scored and view.valued),
        ("报告", view.row.report_number or "", view.reported),
        ("备案", "", view.filed_at is not None),
    ]
    ended = view.state is AssessmentState.REJECTED
    steps = []
    current = True
    for label, note, done in passed:
        state = "done" if done else "now" if current and not ended else ""
        current = done
        steps.append((label, note, state))
    return steps
