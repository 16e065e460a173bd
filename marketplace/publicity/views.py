"""The public notice board: list, detail, objection, answer."""

from __future__ import annotations

from flask import Blueprint, Response, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import attachments, web
from marketplace.foundation.access import PUBLIC, SIGNED_IN, Role
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.calendar_files import Deadline, calendar_file
from marketplace.foundation.clock import local_date
from marketplace.foundation.parameters import value_on
from marketplace.publicity import queries, rules, service
from marketplace.publicity.feeds import notice_feed
from marketplace.publicity.forms import DecisionForm, ObjectionForm, PublicObjectionForm
from marketplace.publicity.rules import PublicityKind, PublicityState

blueprint = Blueprint("publicity", __name__, template_folder="templates", url_prefix="/notices")


@blueprint.route("")
@web.permits(PUBLIC)
def index() -> ResponseReturnValue:
    """Show the notices by kind and state, the newest first."""
    kind = next((k for k in PublicityKind if k.value == web.argument("kind")), None)
    shown = web.argument("state")
    states = {
        "running": rules.RUNNING,
        "ended": tuple(state for state in PublicityState if state not in rules.RUNNING),
    }.get(shown, ())
    page = queries.list_notices(
        web.session(), kind=kind, states=states, after=web.argument("after") or None
    )
    return render_template(
        "publicity/index.html",
        page=page,
        kinds=list(PublicityKind),
        kind=kind,
        shown=shown if states else "",
        tab_items=_tabs(kind, shown if states else None),
    )


@blueprint.route("/<int:notice_id>")
@web.permits(PUBLIC)
def show(notice_id: int) -> ResponseReturnValue:
    """Show one notice with its objections, and the form to object."""
    return _page(notice_id, _objection_form())


@blueprint.route("/<int:notice_id>/calendar.ics")
@web.permits(PUBLIC)
def calendar(notice_id: int) -> ResponseReturnValue:
    """Send the last day of a notice as a calendar file."""
    notice = queries.get_notice(web.session(), notice_id)
    entry = Deadline(
        f"notice-{notice_id}@jinan-technology-market",
        f"公示期满：{notice.title}",
        notice.ends_on,
        url_for("publicity.show", notice_id=notice_id, _external=True),
        "当日 24:00 前可以提出异议",
    )
    return web.send_calendar(
        calendar_file(notice.title, [entry], now=web.now()), f"公示 {notice_id}"
    )


@blueprint.route("/feed.atom")
@web.permits(PUBLIC)
def feed() -> ResponseReturnValue:
    """Send the newest notices as Atom, of one kind or of all."""
    kind = next((k for k in PublicityKind if k.value == web.argument("kind")), None)
    page = queries.list_notices(web.session(), kind=kind, states=(), size=40)
    content = notice_feed(
        page.items,
        title=f"{kind.label if kind else '公示公告'} - 济南科技成果转化平台",
        own_url=url_for("publicity.feed", kind=kind.value if kind else None, _external=True),
        page_url=url_for("publicity.index", kind=kind.value if kind else None, _external=True),
        url_of=lambda notice: url_for("publicity.show", notice_id=notice.id, _external=True),
        now=web.now(),
    )
    return Response(content, mimetype="application/atom+xml")


@blueprint.route("/<int:notice_id>/objections", methods=["POST"])
@web.permits(PUBLIC)
def object_to(notice_id: int) -> ResponseReturnValue:
    """Take an objection."""
    form = _objection_form()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.raise_objection(
                session,
                actor=web.actor(),
                now=web.now(),
                publicity_id=notice_id,
                text=form.text.data,
                name=form.name.data if isinstance(form, PublicObjectionForm) else "",
                contact=form.contact.data if isinstance(form, PublicObjectionForm) else "",
                uploads=web.read_uploads(form.attachments.uploads()),
                attachment_store=web.resource(AttachmentStore),
            )
            return url_for("publicity.show", notice_id=notice_id, _anchor="objections")

        done = web.submit(form, act)
        if done is not None:
            flash("异议已收到，公示因此中止；核查后答复会在本页公布。", "success")
            return done
    return _page(notice_id, form)


@blueprint.route("/<int:notice_id>/objections/<int:objection_id>/answer", methods=["GET", "POST"])
@web.permits(rules.DECIDE)
def answer(notice_id: int, objection_id: int) -> ResponseReturnValue:
    """Show an objection in full to who answers it, and take the answer."""
    session = web.session()
    notice = queries.get_notice(session, notice_id)
    file = queries.get_objection_file(session, web.actor(), notice_id, objection_id)
    form = DecisionForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.decide_objection(
                session,
                actor=web.actor(),
                now=web.now(),
                objection_id=objection_id,
                upheld=form.decision.data == "yes",
                answer=form.answer.data,
            )
            return url_for("publicity.show", notice_id=notice_id, _anchor="objections")

        done = web.submit(form, act)
        if done is not None:
            return done
    page = render_template("publicity/answer.html", notice=notice, file=file, form=form)
    return page, form.status()


@blueprint.route("/<int:notice_id>/objections/<int:objection_id>/attachments/<int:attachment_id>")
@web.permits(SIGNED_IN)
def attachment(notice_id: int, objection_id: int, attachment_id: int) -> ResponseReturnValue:
    """Send an objection's file to who answers it or raised it."""
    found = queries.get_objection_file(web.session(), web.actor(), notice_id, objection_id)
    view, content = attachments.content(
        web.session(),
        subject=queries.subject_of(found.id),
        attachment_id=attachment_id,
        store=web.resource(AttachmentStore),
    )
    return web.send_attachment(view, content)


def _tabs(
    current: PublicityKind | None, shown: str | None
) -> list[tuple[str, str, bool, int | None]]:
    counts = queries.count_notices(web.session())
    return [
        (
            kind.label,
            url_for("publicity.index", kind=kind.value, state=shown),
            kind is current,
            sum(count for (of_kind, _state), count in counts.items() if of_kind is kind),
        )
        for kind in PublicityKind
    ]


def _objection_form() -> ObjectionForm:
    return ObjectionForm.load() if web.actor().signed_in else PublicObjectionForm.load()


def _page(notice_id: int, form: ObjectionForm) -> ResponseReturnValue:
    session, actor = web.session(), web.actor()
    notice = queries.get_notice(session, notice_id)
    files = queries.objection_files(session, actor, notice_id)
    page = render_template(
        "publicity/show.html",
        notice=notice,
        published=queries.published_objections(session, notice_id),
        files={file.id: file for file in files},
        may_answer=queries.answers(actor, notice.kind),
        deciders="、".join(role.label for role in Role if role in rules.deciders(notice.kind)),
        answer_workdays=value_on("objection_answer_workdays", local_date(web.now())),
        may_object=notice.running
        and web.now() < notice.closes_at
        and not queries.answers(actor, notice.kind),
        form=form,
    )
    return page, form.status()
