"""Pages of the repair of credit: one's own records, an application, its decision."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import attachments, web
from marketplace.foundation.access import SIGNED_IN, permits
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.clock import local_date
from marketplace.integrity import repair_queries, repair_service, rules
from marketplace.integrity.forms import RepairDecisionForm, RepairForm
from marketplace.integrity.rules import RepairState
from marketplace.integrity.views import blueprint


@blueprint.route("/own")
@web.permits(rules.REPAIR)
def own() -> ResponseReturnValue:
    """Show one's own organisation's records, their effect, and the way to repair them."""
    return _own(RepairForm.load(), 0)


@blueprint.route("/own/<int:record_id>", methods=["POST"])
@web.permits(rules.REPAIR)
def apply_repair(record_id: int) -> ResponseReturnValue:
    """Apply for the repair of one record."""
    form = RepairForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            repair_service.apply(
                session,
                actor=web.actor(),
                now=web.now(),
                record_id=record_id,
                deeds=form.deeds.data,
                uploads=web.read_uploads(form.attachments.uploads()),
                attachment_store=web.resource(AttachmentStore),
            )
            return url_for("integrity.own")

        done = web.submit(form, act)
        if done is not None:
            flash("信用修复申请已提交，结果会通知您。", "success")
            return done
    return _own(form, record_id)


@blueprint.route("/repairs/<int:repair_id>", methods=["GET", "POST"])
@web.permits(rules.KEEP)
def repair(repair_id: int) -> ResponseReturnValue:
    """Show an application and take its decision."""
    form = RepairDecisionForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            repair_service.decide(
                session,
                actor=web.actor(),
                now=web.now(),
                repair_id=repair_id,
                granted=form.granted.data == "yes",
                opinion=form.opinion.data,
            )
            return url_for("integrity.repair", repair_id=repair_id)

        done = web.submit(form, act)
        if done is not None:
            flash("决定已记录，申请单位会收到通知。", "success")
            return done
    view = repair_queries.get_repair(web.session(), web.actor(), repair_id, local_date(web.now()))
    page = render_template(
        "integrity/repair.html", repair=view, form=form, waits=view.state is RepairState.APPLIED
    )
    return page, form.status()


@blueprint.route("/repairs/<int:repair_id>/files/<int:attachment_id>")
@web.permits(SIGNED_IN)
def repair_file(repair_id: int, attachment_id: int) -> ResponseReturnValue:
    """Send a file of an application to who made it or decides it."""
    session = web.session()
    repair_queries.get_repair(session, web.actor(), repair_id, local_date(web.now()))
    view, content = attachments.content(
        session,
        subject=repair_service.subject_of(repair_id),
        attachment_id=attachment_id,
        store=web.resource(AttachmentStore),
    )
    return web.send_attachment(view, content)


def _own(form: RepairForm, record_id: int) -> ResponseReturnValue:
    today = local_date(web.now())
    page = render_template(
        "integrity/own.html",
        records=repair_queries.own_records(web.session(), web.actor().organisation_id or 0, today),
        form=form,
        chosen=record_id,
        today=today,
        keeps=permits(web.actor(), rules.KEEP),
    )
    return page, form.status()
