"""Pages of a panel: the house calls it, each expert declares and scores on pages of their own."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.assessments import (
    agreement_rules,
    choice_queries,
    panel_queries,
    queries,
    rules,
    service,
)
from marketplace.assessments.panel_forms import (
    DeclareForm,
    ExplainForm,
    LeaveForm,
    PanelForm,
    SheetForm,
    sheet_form,
)
from marketplace.assessments.panel_queries import SeatView
from marketplace.assessments.panel_rules import SeatState, least_of_field
from marketplace.assessments.parameters import panel_terms_on
from marketplace.assessments.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.clock import local_date


@blueprint.route("/<int:assessment_id>/panel", methods=["GET", "POST"])
@web.permits(rules.WORK)
def panel(assessment_id: int) -> ResponseReturnValue:
    """Choose the experts of a panel, or fill its free seats."""
    session = web.session()
    view = queries.get_to_work(session, web.actor(), assessment_id)
    today = local_date(web.now())
    choices = choice_queries.experts_of_order(session, assessment_id, on=today)
    called = panel_queries.panel_of(session, assessment_id)
    seated = choice_queries.seated(session, assessment_id)
    form = PanelForm.load(
        achievement_type=called.achievement_type if called else None,
        experts=[str(one.expert.user_id) for one in choices if one.advised] if not called else [],
    )
    form.offer([(one.expert.user_id, one.expert.name) for one in choices])
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.call_panel(
                session,
                actor=web.actor(),
                now=web.now(),
                assessment_id=assessment_id,
                achievement_type=form.achievement_type.data,
                expert_ids=form.expert_ids(),
            )
            return url_for("assessments.show", assessment_id=assessment_id)

        done = web.submit(form, act)
        if done is not None:
            flash("已邀请专家；每位专家先声明无利益关系，再独立评分。", "success")
            return done
    terms = panel_terms_on(today)
    body = render_template(
        "assessments/panel.html",
        assessment=view,
        choices=[one for one in choices if one.expert.user_id not in seated],
        chosen=set(form.experts.data or ()),
        called=called,
        form=form,
        terms=terms,
        least=[(size, least_of_field(size, terms)) for size in terms.sizes],
    )
    return body, form.status()


@blueprint.route("/<int:assessment_id>/explain", methods=["POST"])
@web.permits(rules.WORK)
def explain(assessment_id: int) -> ResponseReturnValue:
    """Write why the experts differ."""
    form = ExplainForm.load()
    back = url_for("assessments.scores", assessment_id=assessment_id)
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.explain(
                session,
                actor=web.actor(),
                now=web.now(),
                assessment_id=assessment_id,
                text=form.note.data,
            )
            return back

        done = web.submit(form, act)
        if done is not None:
            flash("分歧说明已保存，会印在报告上。", "success")
            return done
    return _scores_page(assessment_id, form)


@blueprint.route("/<int:assessment_id>/scores")
@web.permits(rules.VIEW)
def scores(assessment_id: int) -> ResponseReturnValue:
    """Show what the panel scored, by seat, with the agreement and who stands apart."""
    return _scores_page(assessment_id, None)


def _scores_page(assessment_id: int, form: ExplainForm | None) -> ResponseReturnValue:
    session = web.session()
    view = queries.get_scored(session, web.actor(), assessment_id)
    may_explain = view.is_assessor and view.state in rules.WORKING_STATES
    form = form or ExplainForm.load(note=view.disagreement_note)
    body = render_template(
        "assessments/scores.html",
        assessment=view,
        panel=panel_queries.panel_of(session, assessment_id),
        form=form,
        may_explain=may_explain,
        score_text=rules.score_text,
        decimals=agreement_rules.decimals,
    )
    return body, form.status()


@blueprint.route("/seats")
@web.permits(rules.SIT)
def seats() -> ResponseReturnValue:
    """List the acting expert's own seats."""
    return render_template(
        "assessments/seats.html", seats=panel_queries.my_seats(web.session(), web.actor())
    )


@blueprint.route("/seats/<int:seat_id>", methods=["GET", "POST"])
@web.permits(rules.SIT)
def seat(seat_id: int) -> ResponseReturnValue:
    """Show a seat: the declaration, then the matter without names and the sheet; take the sheet."""
    view = panel_queries.seat_for(web.session(), web.actor(), seat_id)
    form = _sheet(view)
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.hand_in(
                session,
                actor=web.actor(),
                now=web.now(),
                seat_id=seat_id,
                answers=form.answers(view.sheet),
            )
            return url_for("assessments.seat", seat_id=seat_id)

        done = web.submit(form, act)
        if done is not None:
            flash("评分已提交，不能再修改；其他专家看不到您的评分。", "success")
            return done
    return _seat_page(view, form=form)


@blueprint.route("/seats/<int:seat_id>/declare", methods=["POST"])
@web.permits(rules.SIT)
def declare(seat_id: int) -> ResponseReturnValue:
    """Declare that nothing ties the expert to the matter."""
    view = panel_queries.seat_for(web.session(), web.actor(), seat_id)
    form = DeclareForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.declare(
                session,
                actor=web.actor(),
                now=web.now(),
                seat_id=seat_id,
                declared=form.declared.data,
                statement=form.statement.data,
            )
            return url_for("assessments.seat", seat_id=seat_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    return _seat_page(view, declare_form=form)


@blueprint.route("/seats/<int:seat_id>/leave", methods=["POST"])
@web.permits(rules.SIT)
def leave(seat_id: int) -> ResponseReturnValue:
    """Give the seat back."""
    view = panel_queries.seat_for(web.session(), web.actor(), seat_id)
    form = LeaveForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.leave(
                session,
                actor=web.actor(),
                now=web.now(),
                seat_id=seat_id,
                reason=form.reason.data,
            )
            return url_for("assessments.seats")

        done = web.submit(form, act)
        if done is not None:
            flash("已告知评估机构，由其换人；您不必再办理。", "success")
            return done
    return _seat_page(view, leave_form=form)


def _sheet(view: SeatView) -> SheetForm:
    stored = {f"mark_{code}": str(mark) for code, mark in view.marks.items()}
    reasons = {f"reason_{key.value}": text for key, text in view.reasons.items()}
    return sheet_form(view.sheet, view.terms).load(
        trl_evidence=view.trl_evidence, **stored, **reasons
    )


def _seat_page(
    view: SeatView,
    *,
    form: SheetForm | None = None,
    declare_form: DeclareForm | None = None,
    leave_form: LeaveForm | None = None,
) -> ResponseReturnValue:
    sent = next((one for one in (form, declare_form, leave_form) if one and one.errors), None)
    body = render_template(
        "assessments/seat.html",
        seat=view,
        form=form if form is not None else sheet_form(view.sheet, view.terms).fresh(),
        declare_form=declare_form or DeclareForm.fresh(),
        leave_form=leave_form or LeaveForm.fresh(),
        sent=sent,
        meanings=rules.INDICATOR_MEANING,
        scoring=view.state is SeatState.DECLARED and not view.over,
    )
    return body, 422 if sent else 200
