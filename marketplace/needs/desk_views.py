"""The operator's review desk: the queue, one need, the decision."""

from __future__ import annotations

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation import web
from marketplace.foundation.errors import NotFound
from marketplace.needs import queries, service
from marketplace.needs.forms import ReasonForm
from marketplace.needs.rules import OPERATE
from marketplace.needs.views import blueprint


@blueprint.route("/needs/desk")
@web.permits(OPERATE)
def desk() -> ResponseReturnValue:
    """List the needs that wait for review, or the imported ones not yet read."""
    session = web.session()
    imported = web.argument("imported") == "1"
    after = web.argument("after") or None
    page = queries.awaiting_review(session, after=after, imported=imported)
    return render_template(
        "needs/desk.html",
        page=page,
        imported=imported,
        after=after,
        unread=queries.count_unread_imports(session),
        owners=accounts.get_organisations(session, [row.organisation_id for row in page.items]),
    )


@blueprint.route("/needs/<int:need_id>/review")
@web.permits(OPERATE)
def review(need_id: int) -> ResponseReturnValue:
    """Show one need to the operator with the decision."""
    session = web.session()
    view = queries.get_for(session, web.actor(), need_id)
    if view.organisation_id is None:
        raise NotFound()
    return render_template(
        "needs/review.html",
        view=view,
        organisation=accounts.get_organisation(session, view.organisation_id),
    )


@blueprint.route("/needs/<int:need_id>/accept", methods=["POST"])
@web.permits(OPERATE)
def accept(need_id: int) -> ResponseReturnValue:
    """Open a reviewed need."""

    def act(session: Session) -> str:
        service.accept(session, actor=web.actor(), now=web.now(), need_id=need_id)
        flash("审核通过，需求已公开征集。", "success")
        return url_for("needs.desk")

    return web.act(act, back=url_for("needs.review", need_id=need_id))


@blueprint.route("/needs/read", methods=["POST"])
@web.permits(OPERATE)
def read() -> ResponseReturnValue:
    """Note that imported needs were read and may stay open."""
    ids = [int(value) for value in request.form.getlist("chosen") if value.isdigit()]
    back = url_for("needs.desk", imported=1)

    def act(session: Session) -> str:
        count = service.accept_imported(session, actor=web.actor(), now=web.now(), need_ids=ids)
        flash(f"已复核 {count} 条。", "success")
        return back

    return web.act(act, back=back)


@blueprint.route("/needs/<int:need_id>/return", methods=["GET", "POST"])
@web.permits(OPERATE)
def return_(need_id: int) -> ResponseReturnValue:
    """Send a need back with the reason."""
    view = queries.get_for(web.session(), web.actor(), need_id)
    form = ReasonForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.return_(
                session,
                actor=web.actor(),
                now=web.now(),
                need_id=need_id,
                reason=form.reason.data or "",
            )
            flash("已退回，原因会告诉提交人。", "success")
            return url_for("needs.desk")

        done = web.submit(form, act)
        if done is not None:
            return done
    page = render_template(
        "needs/reason.html",
        form=form,
        view=view,
        heading="退回需求",
        lead="需求回到草稿，提交人按您写的原因修改后再提交。",
        label="退回",
        action=url_for("needs.return_", need_id=need_id),
        back=url_for("needs.review", need_id=need_id),
    )
    return page, form.status()
