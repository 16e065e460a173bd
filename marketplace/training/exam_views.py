"""Pages of exams: a running paper, its result, the bank of questions."""

from __future__ import annotations

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.brokerage.register_rules import BrokerLevel
from marketplace.foundation import web
from marketplace.training import exam_queries, exam_service, rules
from marketplace.training.exam_queries import AttemptView
from marketplace.training.forms import QuestionForm
from marketplace.training.views import blueprint


@blueprint.route("/training/courses/<int:course_id>/exam", methods=["POST"])
@web.permits(rules.ATTEND)
def begin(course_id: int) -> ResponseReturnValue:
    """Begin an attempt, or go on with the running one."""

    def use_case(session: Session) -> str:
        made = exam_service.begin(session, actor=web.actor(), now=web.now(), course_id=course_id)
        return url_for("training.attempt", attempt_id=made)

    return web.act(use_case, back=url_for("training.course", course_id=course_id, _anchor="exam"))


@blueprint.route("/training/attempts/<int:attempt_id>", methods=["GET", "POST"])
@web.permits(rules.ATTEND)
def attempt(attempt_id: int) -> ResponseReturnValue:
    """Show a paper and take its answers; they are graded at once."""
    view = exam_queries.get_attempt(web.session(), web.actor(), attempt_id)
    form = web.Form.load()
    chosen = _chosen(view)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            course_id = exam_service.hand_in(
                session,
                actor=web.actor(),
                now=web.now(),
                attempt_id=attempt_id,
                answers=chosen,
            )
            return url_for("training.course", course_id=course_id, _anchor="exam")

        done = web.submit(form, use_case)
        if done is not None:
            flash("试卷已交，成绩在本页。", "success")
            return done
    page = render_template("training/attempt.html", attempt=view, form=form, chosen=chosen)
    return page, form.status()


def _chosen(view: AttemptView) -> dict[int, set[int]]:
    """Read the options chosen for each question; what is no option of it counts as none."""
    return {
        question.id: {
            int(place)
            for place in request.form.getlist(f"question-{question.id}")
            if place.isdecimal() and int(place) < len(question.options)
        }
        for question in view.paper
    }


@blueprint.route("/training/questions", methods=["GET", "POST"])
@web.permits(rules.CONDUCT)
def questions() -> ResponseReturnValue:
    """Show the bank of a level and take a new question."""
    asked = web.argument("level")
    level = next((each for each in BrokerLevel if each.value == asked), BrokerLevel.JUNIOR)
    form = QuestionForm.load(level=level)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            exam_service.add_question(
                session,
                actor=web.actor(),
                now=web.now(),
                level=form.level.data,
                kind=form.kind.data,
                text=str(form.text.data),
                options=form.lines(),
                right=form.places(),
            )
            return url_for("training.questions", level=form.level.data.value)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    tabs = [
        (each.label, url_for("training.questions", level=each.value), each is level, None)
        for each in BrokerLevel
    ]
    page = render_template(
        "training/questions.html",
        form=form,
        tabs=tabs,
        level=level,
        rows=exam_queries.bank(web.session(), web.actor(), level),
    )
    return page, form.status()


@blueprint.route("/training/questions/<int:question_id>/withdraw", methods=["POST"])
@web.permits(rules.CONDUCT)
def withdraw_question(question_id: int) -> ResponseReturnValue:
    """Take a question out of the bank."""
    back = url_for("training.questions")

    def use_case(session: Session) -> str:
        exam_service.withdraw_question(
            session, actor=web.actor(), now=web.now(), question_id=question_id
        )
        return back

    return web.act(use_case, back=back)
