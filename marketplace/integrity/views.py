"""The public list of current records, and the desk of who keeps them."""

from __future__ import annotations

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC, permits
from marketplace.foundation.clock import local_date
from marketplace.integrity import queries, repair_queries, rules, service
from marketplace.integrity.forms import RecordForm, RevocationForm

blueprint = Blueprint("integrity", __name__, template_folder="templates", url_prefix="/integrity")


@blueprint.route("")
@web.permits(PUBLIC)
def index() -> ResponseReturnValue:
    """Show the public who is inside a recorded period today."""
    return render_template(
        "integrity/index.html",
        records=queries.current(web.session(), local_date(web.now())),
        keeps=permits(web.actor(), rules.KEEP),
        repairs=permits(web.actor(), rules.REPAIR),
    )


@blueprint.route("/desk", methods=["GET", "POST"])
@web.permits(rules.KEEP)
def desk() -> ResponseReturnValue:
    """List all records and take a new one."""
    form = RecordForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.record_by_uscc(
                session,
                actor=web.actor(),
                now=web.now(),
                uscc=form.uscc.data,
                ground=form.ground.data,
                reason=form.reason.data,
                document=form.document.data,
                starts_on=form.starts_on.data,
                ends_on=form.ends_on.data,
            )
            return url_for("integrity.desk")

        done = web.submit(form, act)
        if done is not None:
            return done
    page = queries.all_records(
        web.session(), local_date(web.now()), after=web.argument("after") or None
    )
    shown = render_template(
        "integrity/desk.html",
        page=page,
        form=form,
        repairs=repair_queries.open_repairs(web.session(), local_date(web.now())),
    )
    return shown, form.status()


@blueprint.route("/<int:record_id>/revoke", methods=["GET", "POST"])
@web.permits(rules.KEEP)
def revoke(record_id: int) -> ResponseReturnValue:
    """Take a record back."""
    form = RevocationForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.revoke(
                session,
                actor=web.actor(),
                now=web.now(),
                record_id=record_id,
                reason=form.reason.data,
            )
            return url_for("integrity.desk")

        done = web.submit(form, act)
        if done is not None:
            return done
    record = queries.get_record(web.session(), record_id, local_date(web.now()))
    return render_template("integrity/revoke.html", record=record, form=form), form.status()
