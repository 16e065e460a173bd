"""Pages of courses: the public list, signing up, the code in the room, certificates."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import pdf, web
from marketplace.foundation.access import PUBLIC, permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotAllowed
from marketplace.training import (
    certificate_service,
    exam_queries,
    parameters,
    queries,
    rules,
    service,
)
from marketplace.training.forms import CourseCancelForm, CourseForm, RevocationForm
from marketplace.training.rules import CourseState, PlaceState
from marketplace.training.service import CheckInKey

blueprint = Blueprint("training", __name__, template_folder="templates")


@blueprint.route("/training")
@web.permits(PUBLIC)
def index() -> ResponseReturnValue:
    """Show the courses to come or those that are over, and what is paid of their fees."""
    past = web.argument("show") == "past"
    session, actor, today = web.session(), web.actor(), local_date(web.now())
    return render_template(
        "training/index.html",
        courses=queries.list_courses(session, now=web.now(), past=past),
        past=past,
        fee=parameters.fee_subsidy_on(today),
        trained=queries.count_trained(session),
        own=queries.own_courses(session, actor, now=web.now()),
        certificates=queries.own_certificates(session, actor, today=today),
        may_conduct=permits(actor, rules.CONDUCT),
    )


@blueprint.route("/training/new", methods=["GET", "POST"])
@web.permits(rules.CONDUCT)
def announce() -> ResponseReturnValue:
    """Announce a course."""
    form = CourseForm.load(question_count=20, minutes=40, pass_percent=60, attempts=2)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            made = service.announce(
                session, actor=web.actor(), now=web.now(), content=form.content()
            )
            return url_for("training.course", course_id=made)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    counts = exam_queries.bank_counts(web.session())
    return render_template("training/announce.html", form=form, counts=counts), form.status()


@blueprint.route("/training/courses/<int:course_id>")
@web.permits(PUBLIC)
def course(course_id: int) -> ResponseReturnValue:
    """Show one course."""
    return _page(course_id, CourseCancelForm.fresh())


@blueprint.route("/training/courses/<int:course_id>/sign-up", methods=["POST"])
@web.permits(rules.ATTEND)
def sign_up(course_id: int) -> ResponseReturnValue:
    """Take a place or one in the waiting list."""
    back = url_for("training.course", course_id=course_id)

    def use_case(session: Session) -> str:
        state = service.sign_up(session, actor=web.actor(), now=web.now(), course_id=course_id)
        booked = state is PlaceState.BOOKED
        flash("报名成功。" if booked else "名额已满，已列入候补，有空位会通知您。", "success")
        return back

    return web.act(use_case, back=back)


@blueprint.route("/training/courses/<int:course_id>/give-up", methods=["POST"])
@web.permits(rules.ATTEND)
def give_up(course_id: int) -> ResponseReturnValue:
    """Give one's place back."""
    back = url_for("training.course", course_id=course_id)

    def use_case(session: Session) -> str:
        service.give_up(session, actor=web.actor(), now=web.now(), course_id=course_id)
        return back

    return web.act(use_case, back=back)


@blueprint.route("/training/courses/<int:course_id>/cancel", methods=["POST"])
@web.permits(rules.CONDUCT)
def cancel(course_id: int) -> ResponseReturnValue:
    """Cancel a course."""
    form = CourseCancelForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.cancel(
                session,
                actor=web.actor(),
                now=web.now(),
                course_id=course_id,
                reason=str(form.reason.data),
            )
            return url_for("training.course", course_id=course_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return _page(course_id, form)


@blueprint.route("/training/courses/<int:course_id>/code")
@web.permits(rules.CONDUCT)
def code(course_id: int) -> ResponseReturnValue:
    """Show the check-in code of the moment, for the screen in the room."""
    view = queries.get_course(web.session(), course_id, now=web.now())
    seconds = parameters.code_seconds_on(local_date(web.now()))
    made = rules.make_code(
        web.resource(CheckInKey).key, course_id=course_id, now=web.now(), seconds=seconds
    )
    address = url_for("training.check_in", code=made, _external=True)
    return render_template(
        "training/code.html",
        course=view,
        address=address,
        seconds=seconds,
        qr=pdf.qr_code(address, title="签到二维码"),
    )


@blueprint.route("/training/check-in/<code>", methods=["GET", "POST"])
@web.permits(rules.ATTEND)
def check_in(code: str) -> ResponseReturnValue:
    """Ask who scanned the code to check in, and note it."""
    form = web.Form.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            course_id = service.check_in(
                session,
                actor=web.actor(),
                now=web.now(),
                code=code,
                key=web.resource(CheckInKey),
            )
            return url_for("training.course", course_id=course_id)

        done = web.submit(form, use_case)
        if done is not None:
            flash("签到成功，学时已记下。", "success")
            return done
    return render_template("training/check_in.html", form=form, code=code), form.status()


@blueprint.route("/training/certificates")
@web.permits(PUBLIC)
def verify() -> ResponseReturnValue:
    """Say whether a certificate's number is genuine, and show it with its code."""
    number, code = web.argument("number", longest=40), web.argument("code", longest=20)
    found = (
        queries.check_certificate(web.session(), number, code, today=local_date(web.now()))
        if number
        else None
    )
    return render_template("training/verify.html", number=number, code=code, found=found)


@blueprint.route("/training/certificates/<number>.pdf")
@web.permits(rules.ATTEND)
def certificate(number: str) -> ResponseReturnValue:
    """Send a certificate to its holder as PDF."""
    made = queries.get_certificate(web.session(), web.actor(), number, today=local_date(web.now()))
    if made.revoked_at is not None:
        raise NotAllowed("training.revoked", "这张证书已撤销，不再提供下载；理由见“我的培训”")
    address = url_for("training.verify", number=made.number, code=made.check_code, _external=True)
    content = pdf.render(
        "training/certificate_pdf.html",
        {
            "made": made,
            "address": url_for("training.verify", _external=True),
            "qr": pdf.qr_code(address, title="核验二维码"),
        },
    )
    return web.send_pdf(content, f"技术经理人培训证书 {made.number}")


@blueprint.route("/training/certificates/<number>/revoke", methods=["GET", "POST"])
@web.permits(rules.CONDUCT)
def revoke(number: str) -> ResponseReturnValue:
    """Take a certificate back with its reason."""
    today = local_date(web.now())
    made = queries.get_certificate(web.session(), web.actor(), number, today=today)
    form = RevocationForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            course_id = certificate_service.revoke(
                session,
                actor=web.actor(),
                now=web.now(),
                number=number,
                reason=str(form.reason.data),
            )
            return url_for("training.course", course_id=course_id, _anchor="certificates")

        done = web.submit(form, use_case)
        if done is not None:
            flash("证书已撤销，已告知持证人。", "success")
            return done
    return render_template("training/revoke.html", made=made, form=form), form.status()


@blueprint.route("/training/attendances/<int:attendance_id>/strike", methods=["POST"])
@web.permits(rules.CONDUCT)
def strike(attendance_id: int) -> ResponseReturnValue:
    """Strike out who is not in the room."""

    def use_case(session: Session) -> str:
        course_id = service.strike(
            session, actor=web.actor(), now=web.now(), attendance_id=attendance_id
        )
        return url_for("training.course", course_id=course_id, _anchor="room")

    return web.act(use_case, back=url_for("training.index"))


@blueprint.route("/training/attendances/<int:attendance_id>/restore", methods=["POST"])
@web.permits(rules.CONDUCT)
def restore(attendance_id: int) -> ResponseReturnValue:
    """Count somebody again who was struck out."""

    def use_case(session: Session) -> str:
        course_id = service.restore(
            session, actor=web.actor(), now=web.now(), attendance_id=attendance_id
        )
        return url_for("training.course", course_id=course_id, _anchor="room")

    return web.act(use_case, back=url_for("training.index"))


def _page(course_id: int, cancel_form: CourseCancelForm) -> ResponseReturnValue:
    session, actor, now = web.session(), web.actor(), web.now()
    view = queries.get_course(session, course_id, now=now)
    conducts = permits(actor, rules.CONDUCT)
    before = view.state in rules.BEFORE
    days = rules.days_of(local_date(view.starts_at), local_date(view.ends_at))
    page = render_template(
        "training/course.html",
        course=view,
        before=before,
        own=queries.own_place(session, actor, course_id),
        door=exam_queries.exam_door(session, actor, course_id, now=now),
        may_attend=permits(actor, rules.ATTEND),
        places=queries.places_of(session, actor, course_id) if conducts else [],
        conducts=conducts,
        room=queries.checked_in_today(session, actor, course_id, today=local_date(now))
        if conducts
        else [],
        certificates=queries.certificates_of(session, actor, course_id, today=local_date(now))
        if conducts
        else [],
        code_today=conducts and local_date(now) in days and view.state is not CourseState.CANCELLED,
        may_cancel=conducts and view.state in rules.CANCELLABLE,
        fee=parameters.fee_subsidy_on(local_date(view.ends_at)),
        cancel_form=cancel_form,
    )
    return page, cancel_form.status()
