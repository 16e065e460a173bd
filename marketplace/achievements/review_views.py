"""Pages of the internal review: what waits, the decision, the chain's settings; taking off."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.achievements import queries, service
from marketplace.achievements.forms import ChainForm, ReasonForm, stored_chain
from marketplace.achievements.rules import EDIT, MANAGE, REVIEW, STEP_LABELS
from marketplace.achievements.views import blueprint
from marketplace.foundation import web


@blueprint.route("/reviews")
@web.permits(REVIEW)
def reviews() -> ResponseReturnValue:
    """List what waits for the actor's decision."""
    return render_template(
        "achievements/reviews.html", rows=queries.awaiting_review(web.session(), web.actor())
    )


@blueprint.route("/<int:achievement_id>/submit", methods=["POST"])
@web.permits(EDIT)
def submit(achievement_id: int) -> ResponseReturnValue:
    """Submit a stored draft as it is."""

    def act(session: Session) -> str:
        service.submit_for_review(
            session, actor=web.actor(), now=web.now(), achievement_id=achievement_id
        )
        flash("已提交单位审批。", "success")
        return url_for("achievements.show", achievement_id=achievement_id)

    return web.act(act, back=url_for("achievements.edit", achievement_id=achievement_id, check=1))


@blueprint.route("/<int:achievement_id>/approve", methods=["POST"])
@web.permits(REVIEW)
def approve(achievement_id: int) -> ResponseReturnValue:
    """Approve the step that waits."""
    back = url_for("achievements.show", achievement_id=achievement_id)

    def act(session: Session) -> str:
        service.approve_review(
            session, actor=web.actor(), now=web.now(), achievement_id=achievement_id
        )
        step = queries.current_step(session, achievement_id)
        flash(
            f"已同意，转到下一环节：{step.label}。" if step else "已同意，成果已发布。", "success"
        )
        return back

    return web.act(act, back=back)


@blueprint.route("/<int:achievement_id>/return", methods=["GET", "POST"])
@web.permits(REVIEW)
def return_(achievement_id: int) -> ResponseReturnValue:
    """Send a submission back with the reason."""
    view = queries.get_own(web.session(), web.actor(), achievement_id)
    form = ReasonForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.return_review(
                session,
                actor=web.actor(),
                now=web.now(),
                achievement_id=achievement_id,
                reason=form.reason.data or "",
            )
            flash("已退回，原因会告诉提交人。", "success")
            return url_for("achievements.show", achievement_id=achievement_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    page = render_template(
        "achievements/reason.html",
        form=form,
        view=view,
        heading="退回修改",
        lead="成果回到草稿，提交人按您写的原因修改后再提交。",
        label="退回",
        action=url_for("achievements.return_", achievement_id=achievement_id),
    )
    return page, form.status()


@blueprint.route("/<int:achievement_id>/withdraw", methods=["GET", "POST"])
@web.permits(MANAGE)
def withdraw(achievement_id: int) -> ResponseReturnValue:
    """Take a record off the market with the reason."""
    view = queries.get_own(web.session(), web.actor(), achievement_id)
    form = ReasonForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.withdraw(
                session,
                actor=web.actor(),
                now=web.now(),
                achievement_id=achievement_id,
                reason=form.reason.data or "",
            )
            flash("已撤下，公开页面不再显示。", "success")
            return url_for("achievements.show", achievement_id=achievement_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    page = render_template(
        "achievements/reason.html",
        form=form,
        view=view,
        heading="撤下成果",
        lead="撤下后别人检索不到它；以后可以恢复为草稿，重新审批发布。",
        label="撤下",
        action=url_for("achievements.withdraw", achievement_id=achievement_id),
    )
    return page, form.status()


@blueprint.route("/<int:achievement_id>/reopen", methods=["POST"])
@web.permits(MANAGE)
def reopen(achievement_id: int) -> ResponseReturnValue:
    """Take a withdrawn or expired record up again."""

    def act(session: Session) -> str:
        service.reopen(session, actor=web.actor(), now=web.now(), achievement_id=achievement_id)
        flash("已恢复为草稿，修改后重新提交审批。", "success")
        return url_for("achievements.edit", achievement_id=achievement_id)

    return web.act(act, back=url_for("achievements.show", achievement_id=achievement_id))


@blueprint.route("/review-chain", methods=["GET", "POST"])
@web.permits(MANAGE)
def chain() -> ResponseReturnValue:
    """Show and set the organisation's review chain."""
    present = queries.chain_of(web.session(), web.actor().organisation_id or 0)
    form = ChainForm.load(**stored_chain(present))
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.set_chain(session, actor=web.actor(), now=web.now(), steps=form.to_steps())
            flash("审批链已保存，从下一次提交起生效。", "success")
            return url_for("achievements.chain")

        done = web.submit(form, act)
        if done is not None:
            return done
    page = render_template(
        "achievements/chain.html", form=form, present=present, labels=STEP_LABELS
    )
    return page, form.status()
