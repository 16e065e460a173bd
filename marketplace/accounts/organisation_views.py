"""Pages of one's own organisation: what it says of itself, and its papers."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import papers_service, queries, rules, service
from marketplace.accounts.forms import OrganisationFields, PapersForm
from marketplace.accounts.queries import OrganisationView
from marketplace.accounts.rules import PaperKind
from marketplace.accounts.views import blueprint
from marketplace.foundation import attachments, web
from marketplace.foundation.attachments import AttachmentStore, AttachmentView
from marketplace.foundation.errors import NotFound, RuleBroken


@blueprint.route("/organisation", methods=["GET", "POST"])
@web.permits(rules.MANAGE_MEMBERS)
def organisation() -> ResponseReturnValue:
    """Show and change one's own organisation."""
    view = queries.get_organisation(web.session(), web.actor().organisation_id or 0)
    form = _stored(view, OrganisationFields.load)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.update_organisation(
                session,
                actor=web.actor(),
                now=web.now(),
                organisation_id=view.id,
                content=form.to_content(view.uscc, view.kind, view.subkinds),
                version=form.version_number,
            )
            return url_for("accounts.organisation")

        done = web.submit(form, use_case)
        if done is not None:
            flash("单位资料已保存。", "success")
            return done
    return _organisation(form), form.status()


def _organisation(form: OrganisationFields, papers: PapersForm | None = None) -> str:
    view = queries.get_organisation(web.session(), web.actor().organisation_id or 0)
    return render_template(
        "accounts/organisation.html",
        form=form,
        view=view,
        papers_form=papers or PapersForm.fresh(),
        papers=papers_of(view.id),
    )


def papers_of(organisation_id: int) -> list[tuple[PaperKind, list[AttachmentView]]]:
    """List an organisation's papers by kind."""
    return [
        (
            kind,
            attachments.of(web.session(), papers_service.paper_subject(organisation_id, kind)),
        )
        for kind in PaperKind
    ]


def send_paper(organisation_id: int, attachment_id: int) -> ResponseReturnValue:
    """Send one of an organisation's papers; the caller has checked who asks."""
    for kind, papers in papers_of(organisation_id):
        if any(paper.id == attachment_id for paper in papers):
            return web.send_attachment(
                *attachments.content(
                    web.session(),
                    subject=papers_service.paper_subject(organisation_id, kind),
                    attachment_id=attachment_id,
                    store=web.resource(AttachmentStore),
                )
            )
    raise NotFound()


@blueprint.route("/organisation/papers", methods=["POST"])
@web.permits(rules.MANAGE_MEMBERS)
def add_papers() -> ResponseReturnValue:
    """Add licence or letter of authorisation."""
    form = PapersForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            chosen = form.chosen()
            if not chosen:
                raise RuleBroken("accounts.no_paper", "还没有选择文件", "licence")
            for kind, uploads in chosen.items():
                service.add_papers(
                    session,
                    actor=web.actor(),
                    now=web.now(),
                    organisation_id=web.actor().organisation_id or 0,
                    kind=kind,
                    uploads=uploads,
                    store=web.resource(AttachmentStore),
                )
            return url_for("accounts.organisation", _anchor="papers")

        done = web.submit(form, use_case)
        if done is not None:
            flash("证照已上传。", "success")
            return done
    view = queries.get_organisation(web.session(), web.actor().organisation_id or 0)
    return _organisation(_stored(view, OrganisationFields.fresh), form), form.status()


@blueprint.route("/organisation/papers/<int:attachment_id>")
@web.permits(rules.MANAGE_MEMBERS)
def paper(attachment_id: int) -> ResponseReturnValue:
    """Download one of one's own organisation's papers."""
    return send_paper(web.actor().organisation_id or 0, attachment_id)


@blueprint.route("/organisation/papers/<int:attachment_id>/remove", methods=["POST"])
@web.permits(rules.MANAGE_MEMBERS)
def remove_paper(attachment_id: int) -> ResponseReturnValue:
    """Take off a paper that nobody has verified by."""
    back = url_for("accounts.organisation", _anchor="papers")

    def use_case(session: Session) -> str:
        service.remove_paper(
            session,
            actor=web.actor(),
            now=web.now(),
            organisation_id=web.actor().organisation_id or 0,
            attachment_id=attachment_id,
        )
        return back

    return web.act(use_case, back=back)


def _stored(view: OrganisationView, build: Callable[..., OrganisationFields]) -> OrganisationFields:
    return build(
        name=view.name,
        short_name=view.short_name,
        district=view.district,
        industry=view.industry,
        scale=view.scale,
        high_tech=view.high_tech,
        address=view.address,
        representative=view.representative,
        contact_name=view.contact_name,
        contact_phone=view.contact_phone,
        contact_email=view.contact_email,
        introduction=view.introduction,
        version=view.version,
    )
