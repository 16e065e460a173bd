"""The inbox: messages, what is read, what comes by mail."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.routing import BuildError

from marketplace.foundation import web
from marketplace.notifications import queries, rules, service
from marketplace.notifications.forms import PreferencesForm
from marketplace.notifications.queries import MessageView
from marketplace.notifications.rules import MailState, MessageKind

blueprint = Blueprint("notifications", __name__, template_folder="templates", url_prefix="/inbox")


@blueprint.route("")
@web.permits(rules.READ)
def inbox() -> ResponseReturnValue:
    """List the actor's messages, the newest first."""
    session, actor = web.session(), web.actor()
    kind = _kind()
    unread = web.argument("show") == "unread"
    counts = queries.unread_by_kind(session, actor)
    return render_template(
        "notifications/inbox.html",
        page=queries.inbox(
            session, actor, kind=kind, unread=unread, after=web.argument("after") or None
        ),
        kind=kind,
        unread=unread,
        kinds=[(each, counts.get(each, 0)) for each in MessageKind],
        unread_total=sum(counts.values()),
    )


@blueprint.route("/<int:message_id>")
@web.permits(rules.READ)
def show(message_id: int) -> ResponseReturnValue:
    """Show one message, with the way to what it is about."""
    view = queries.get_message(web.session(), web.actor(), message_id)
    return render_template(
        "notifications/show.html", message=view, leads_on=_target(view) is not None
    )


@blueprint.route("/<int:message_id>/open", methods=["POST"])
@web.permits(rules.READ)
def open_(message_id: int) -> ResponseReturnValue:
    """Mark a message as read and go to what it is about."""
    view = queries.get_message(web.session(), web.actor(), message_id)
    shown = url_for("notifications.show", message_id=message_id)

    def act(session: Session) -> str:
        service.mark_read(session, actor=web.actor(), now=web.now(), message_id=message_id)
        return _target(view) or shown

    return web.act(act, back=shown)


@blueprint.route("/read", methods=["POST"])
@web.permits(rules.READ)
def read_all() -> ResponseReturnValue:
    """Mark all messages, or those of one kind, as read."""
    kind = _kind()
    back = url_for("notifications.inbox", kind=kind.value if kind else None)

    def act(session: Session) -> str:
        service.mark_all_read(session, actor=web.actor(), now=web.now(), kind=kind)
        return back

    return web.act(act, back=back)


@blueprint.route("/mails")
@web.permits(rules.WATCH_MAIL)
def mails() -> ResponseReturnValue:
    """Show the operator what became of the mails."""
    session = web.session()
    counts = queries.mail_counts(session)
    return render_template(
        "notifications/mails.html",
        counts=[(state, counts.get(state, 0)) for state in MailState],
        failed=queries.failed_mails(session),
    )


@blueprint.route("/settings", methods=["GET", "POST"])
@web.permits(rules.READ)
def settings() -> ResponseReturnValue:
    """Choose which kinds of messages come by mail."""
    user_id = web.actor().user_id
    assert user_id is not None
    chosen = queries.preferences(web.session(), user_id)
    form = PreferencesForm.load(by_mail=[kind for kind, wanted in chosen.items() if wanted])
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.choose(
                session, actor=web.actor(), now=web.now(), by_mail=form.by_mail.data or ()
            )
            return url_for("notifications.settings")

        done = web.submit(form, act)
        if done is not None:
            flash("已保存。", "success")
            return done
    return render_template("notifications/settings.html", form=form), form.status()


def _kind() -> MessageKind | None:
    asked = web.argument("kind")
    return next((kind for kind in MessageKind if kind.value == asked), None)


def _target(view: MessageView) -> str | None:
    if not view.endpoint:
        return None
    try:
        return url_for(view.endpoint, **view.params)
    except BuildError:  # a page that this installation does not have
        return None
