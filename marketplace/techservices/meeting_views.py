"""Meetings: the public calendar, signing up, the organiser's list at the door."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC, permits
from marketplace.foundation.clock import local_date
from marketplace.techservices import meeting_queries, rules, service
from marketplace.techservices.meeting_forms import CancelForm, MeetingForm, SignUpForm
from marketplace.techservices.rules import MeetingKind, MeetingState
from marketplace.techservices.views import blueprint


@blueprint.route("/events")
@web.permits(PUBLIC)
def events() -> ResponseReturnValue:
    """Show the next meetings, or those that are over."""
    past = web.argument("show") == "past"
    asked = web.argument("kind")
    kind = next((each for each in MeetingKind if each.value == asked), None)
    return render_template(
        "techservices/events.html",
        page=meeting_queries.calendar(
            web.session(),
            now=web.now(),
            past=past,
            kind=kind,
            after=web.argument("after") or None,
        ),
        past=past,
        kind=kind,
        kinds=list(MeetingKind),
        may_organise=permits(web.actor(), rules.ORGANISE),
    )


@blueprint.route("/events/new", methods=["GET", "POST"])
@web.permits(rules.ORGANISE)
def announce() -> ResponseReturnValue:
    """Announce a meeting."""
    form = MeetingForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            made = service.announce(
                session, actor=web.actor(), now=web.now(), content=form.content()
            )
            return url_for("techservices.event", meeting_id=made)

        done = web.submit(form, act)
        if done is not None:
            return done
    return render_template("techservices/announce.html", form=form), form.status()


@blueprint.route("/events/<int:meeting_id>")
@web.permits(PUBLIC)
def event(meeting_id: int) -> ResponseReturnValue:
    """Show one meeting."""
    return _page(meeting_id)


@blueprint.route("/events/<int:meeting_id>/sign-up", methods=["POST"])
@web.permits(rules.ATTEND)
def sign_up(meeting_id: int) -> ResponseReturnValue:
    """Take a place."""
    form = SignUpForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.sign_up(
                session,
                actor=web.actor(),
                now=web.now(),
                meeting_id=meeting_id,
                note=form.note.data,
            )
            return url_for("techservices.event", meeting_id=meeting_id)

        done = web.submit(form, act)
        if done is not None:
            flash("报名成功，报名码在本页，签到时出示。", "success")
            return done
    return _page(meeting_id, sign_up_form=form)


@blueprint.route("/events/<int:meeting_id>/give-up", methods=["POST"])
@web.permits(rules.ATTEND)
def give_up(meeting_id: int) -> ResponseReturnValue:
    """Give one's place back."""
    back = url_for("techservices.event", meeting_id=meeting_id)

    def act(session: Session) -> str:
        service.give_up(session, actor=web.actor(), now=web.now(), meeting_id=meeting_id)
        return back

    return web.act(act, back=back)


@blueprint.route("/events/<int:meeting_id>/check-in/<int:sign_up_id>", methods=["POST"])
@web.permits(rules.ORGANISE)
def check_in(meeting_id: int, sign_up_id: int) -> ResponseReturnValue:
    """Note that somebody came."""
    back = url_for("techservices.event", meeting_id=meeting_id, _anchor="door")

    def act(session: Session) -> str:
        service.check_in(
            session,
            actor=web.actor(),
            now=web.now(),
            meeting_id=meeting_id,
            sign_up_id=sign_up_id,
        )
        return back

    return web.act(act, back=back)


@blueprint.route("/events/<int:meeting_id>/cancel", methods=["POST"])
@web.permits(rules.ORGANISE)
def cancel(meeting_id: int) -> ResponseReturnValue:
    """Cancel a meeting."""
    form = CancelForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.cancel(
                session,
                actor=web.actor(),
                now=web.now(),
                meeting_id=meeting_id,
                reason=form.reason.data,
            )
            return url_for("techservices.event", meeting_id=meeting_id)

        done = web.submit(form, act)
        if done is not None:
            flash("已取消，报名的人会收到通知。", "success")
            return done
    return _page(meeting_id, cancel_form=form)


def _page(
    meeting_id: int,
    *,
    sign_up_form: SignUpForm | None = None,
    cancel_form: CancelForm | None = None,
) -> ResponseReturnValue:
    session, actor = web.session(), web.actor()
    meeting = meeting_queries.get_meeting(session, meeting_id, now=web.now())
    organises = meeting_queries.organises(actor, meeting)
    sign_up_form = sign_up_form or SignUpForm.load()
    cancel_form = cancel_form or CancelForm.load()
    body = render_template(
        "techservices/event.html",
        meeting=meeting,
        own=meeting_queries.own_sign_up(session, actor, meeting_id),
        organises=organises,
        door=meeting_queries.sign_ups(session, actor, meeting) if organises else [],
        door_open=local_date(meeting.starts_at) <= local_date(web.now())
        and meeting.state is not MeetingState.CANCELLED,
        may_cancel=organises and meeting.state in rules.COMING,
        sign_up_form=sign_up_form,
        cancel_form=cancel_form,
    )
    return body, 422 if sign_up_form.errors or cancel_form.errors else 200
