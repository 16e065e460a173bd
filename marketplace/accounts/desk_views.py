"""The operator's pages: organisations that wait to be verified."""

from __future__ import annotations

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import queries, rules, service, standing_queries, suspension_service
from marketplace.accounts.forms import DecisionForm
from marketplace.accounts.organisation_views import papers_of, send_paper
from marketplace.accounts.sign_in_forms import ReasonForm
from marketplace.accounts.views import blueprint
from marketplace.foundation import audit, web


@blueprint.route("/desk/verification")
@web.permits(rules.VERIFY)
def verification_queue() -> ResponseReturnValue:
    """List organisations that wait, the longest wait first."""
    return render_template(
        "accounts/verification_queue.html",
        waiting=queries.awaiting_verification(web.session()),
        suspended=standing_queries.suspended(web.session()),
    )


@blueprint.route("/desk/verification/<int:organisation_id>", methods=["GET", "POST"])
@web.permits(rules.VERIFY)
def verification(organisation_id: int) -> ResponseReturnValue:
    """Show one organisation's papers; a POST refuses it with a reason."""
    form = DecisionForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.reject(
                session,
                actor=web.actor(),
                now=web.now(),
                organisation_id=organisation_id,
                reason=str(form.reason.data),
            )
            return url_for("accounts.verification_queue")

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return _organisation(organisation_id, form)


def _organisation(
    organisation_id: int, form: DecisionForm, suspension: ReasonForm | None = None
) -> ResponseReturnValue:
    view = queries.get_organisation(web.session(), organisation_id)
    wrong = suspension if suspension is not None and suspension.errors else form
    page = render_template(
        "accounts/verification.html",
        view=view,
        form=form,
        suspension=suspension or ReasonForm.fresh(),
        people=queries.members(web.session(), organisation_id),
        papers=papers_of(organisation_id),
        history=audit.history(web.session(), f"organisation:{organisation_id}"),
    )
    return page, wrong.status()


@blueprint.route("/desk/verification/<int:organisation_id>/suspend", methods=["POST"])
@web.permits(rules.VERIFY)
@web.sensitive
def suspend(organisation_id: int) -> ResponseReturnValue:
    """Suspend an organisation with a reason; its open objects end or wait."""
    form = ReasonForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            suspension_service.suspend(
                session,
                actor=web.actor(),
                now=web.now(),
                organisation_id=organisation_id,
                reason=form.reason.data,
            )
            return url_for("accounts.verification", organisation_id=organisation_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return _organisation(organisation_id, DecisionForm.fresh(), form)


@blueprint.route("/desk/verification/<int:organisation_id>/resume", methods=["POST"])
@web.permits(rules.VERIFY)
@web.sensitive
def resume(organisation_id: int) -> ResponseReturnValue:
    """Let a suspended organisation act again."""
    back = url_for("accounts.verification", organisation_id=organisation_id)

    def use_case(session: Session) -> str:
        suspension_service.resume(
            session, actor=web.actor(), now=web.now(), organisation_id=organisation_id
        )
        return back

    return web.act(use_case, back=back)


@blueprint.route("/desk/verification/<int:organisation_id>/verify", methods=["POST"])
@web.permits(rules.VERIFY)
def verify(organisation_id: int) -> ResponseReturnValue:
    """Confirm that an organisation is who it says it is."""

    def use_case(session: Session) -> str:
        service.verify(session, actor=web.actor(), now=web.now(), organisation_id=organisation_id)
        return url_for("accounts.verification_queue")

    back = url_for("accounts.verification", organisation_id=organisation_id)
    return web.act(use_case, back=back)


@blueprint.route("/desk/verification/<int:organisation_id>/papers/<int:attachment_id>")
@web.permits(rules.VERIFY)
def verification_paper(organisation_id: int, attachment_id: int) -> ResponseReturnValue:
    """Download a paper that an organisation is verified by."""
    return send_paper(organisation_id, attachment_id)
