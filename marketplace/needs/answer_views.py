"""我能解决: the answering side's form and list, and the owner's decision."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.achievements import queries as achievements
from marketplace.foundation import web
from marketplace.needs import queries, service
from marketplace.needs.forms import AnswerForm, ReasonForm
from marketplace.needs.rules import ANSWER, EDIT
from marketplace.needs.views import blueprint

_OFFERED = 200


@blueprint.route("/needs/<int:need_id>/answer", methods=["GET", "POST"])
@web.permits(ANSWER)
def answer(need_id: int) -> ResponseReturnValue:
    """Tell a need's owner that one's organisation can solve it."""
    session, actor = web.session(), web.actor()
    view = queries.get_for(session, actor, need_id)
    form = AnswerForm.load(achievement_id=web.argument("achievement", longest=12))
    offer_own(form)
    if form.validate_on_post():

        def act(writing: Session) -> str:
            chosen = form.achievement_id.data
            service.answer(
                writing,
                actor=actor,
                now=web.now(),
                need_id=need_id,
                text=form.text.data or "",
                achievement_id=int(chosen) if chosen else None,
            )
            flash("答复已送达，对方回复后您会收到消息。", "success")
            return url_for("needs.my_answers")

        done = web.submit(form, act)
        if done is not None:
            return done
    return render_template("needs/answer.html", form=form, view=view), form.status()


def offer_own(form: AnswerForm) -> None:
    """Offer the published achievements of the acting organisation in an answer's list."""
    own = achievements.published_by(web.session(), web.actor().organisation_id or 0, size=_OFFERED)
    form.offer([(row.id, row.title) for row in own.items])


@blueprint.route("/my/answers")
@web.permits(ANSWER)
def my_answers() -> ResponseReturnValue:
    """List the answers that one's organisation gave, and what became of them."""
    session, actor = web.session(), web.actor()
    after = web.argument("after") or None
    page = queries.my_answers(session, actor, after=after)
    return render_template(
        "needs/my_answers.html",
        page=page,
        after=after,
        needs=queries.rows_of(session, [answer.need_id for answer in page.items]),
    )


@blueprint.route("/my/needs/<int:need_id>/answers/<int:answer_id>/accept", methods=["POST"])
@web.permits(EDIT)
def accept_answer(need_id: int, answer_id: int) -> ResponseReturnValue:
    """Agree to talk with who answered."""
    back = url_for("needs.show", need_id=need_id)

    def act(session: Session) -> str:
        service.decide_answer(
            session, actor=web.actor(), now=web.now(), answer_id=answer_id, accepted=True
        )
        flash("已回复愿意洽谈，对方现在能看到您的单位名称和保密内容。", "success")
        return back

    return web.act(act, back=back)


@blueprint.route("/my/needs/<int:need_id>/answers/<int:answer_id>/decline", methods=["GET", "POST"])
@web.permits(EDIT)
def decline_answer(need_id: int, answer_id: int) -> ResponseReturnValue:
    """Decline an answer with the reason that its author learns."""
    view = queries.get_own(web.session(), web.actor(), need_id)
    form = ReasonForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.decide_answer(
                session,
                actor=web.actor(),
                now=web.now(),
                answer_id=answer_id,
                accepted=False,
                reason=form.reason.data or "",
            )
            flash("已回复，原因会告诉对方。", "success")
            return url_for("needs.show", need_id=need_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    page = render_template(
        "needs/reason.html",
        form=form,
        view=view,
        heading="暂不采纳这个答复",
        lead="对方会看到您写的原因，据此改进他们的成果。",
        label="回复暂不采纳",
        action=url_for("needs.decline_answer", need_id=need_id, answer_id=answer_id),
        back=url_for("needs.show", need_id=need_id),
    )
    return page, form.status()
