"""The public register of brokers, a broker's own entry, and requests to brokers."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.brokerage import (
    feedback_queries,
    queries,
    rating_queries,
    rating_rules,
    register_rules,
    service,
)
from marketplace.brokerage.forms import AnswerForm, ContactForm, ProfileForm
from marketplace.brokerage.queries import BrokerFilter
from marketplace.brokerage.register_rules import BrokerLevel
from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC, SIGNED_IN, Role, permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import written_id
from marketplace.foundation.trade import TechnologyField
from marketplace.foundation.words import Word
from marketplace.needs import queries as needs

blueprint = Blueprint("brokerage", __name__, template_folder="templates")


def chosen_word(kind: type[Word], name: str) -> Word | None:
    """Read a query argument as a word; an unknown one counts as none."""
    return next((word for word in kind if word.value == web.argument(name)), None)


def argument_id(name: str) -> int | None:
    """Read a query argument as an id; anything else counts as none."""
    return written_id(web.argument(name, longest=12))


def next_page(token: str | None, endpoint: str) -> str | None:
    """Return the address of a list's next page with the same filters."""
    if token is None:
        return None
    arguments: dict[str, Any] = {
        key: value for key, value in request.args.items() if not key.startswith("_")
    }
    return url_for(endpoint, **(arguments | {"after": token}))


@blueprint.route("/brokers")
@web.permits(PUBLIC)
def brokers() -> ResponseReturnValue:
    """List the brokers' register with its filters in the address."""
    field, level = chosen_word(TechnologyField, "field"), chosen_word(BrokerLevel, "level")
    chosen = BrokerFilter(
        field=TechnologyField(field) if field else None,
        level=BrokerLevel(level) if level else None,
        text=web.argument("q", longest=40),
    )
    page = queries.list_brokers(
        web.session(), chosen=chosen, after=web.argument("after", longest=800) or None
    )
    return render_template(
        "brokerage/brokers.html",
        page=page,
        chosen=chosen,
        total=queries.count_brokers(web.session()),
        next_url=next_page(page.next_token, "brokerage.brokers"),
        technology_fields=list(TechnologyField),
        levels=list(BrokerLevel),
        today=local_date(web.now()),
        may_edit=permits(web.actor(), register_rules.EDIT_PROFILE),
    )


@blueprint.route("/brokers/<int:user_id>")
@web.permits(PUBLIC)
def broker(user_id: int) -> ResponseReturnValue:
    """Show one broker of the register."""
    view = queries.get_broker(web.session(), user_id)
    return render_template(
        "brokerage/broker.html",
        broker=view,
        own=web.actor().user_id == user_id,
        expired=view.expired_on(local_date(web.now())),
        standing=rating_queries.standing_of(web.session(), user_id),
        least=rating_rules.LEAST_RATINGS,
        answer_time=feedback_queries.answer_time_of(
            web.session(), view.organisation_id, now=web.now()
        )
        if view.organisation_id is not None
        else None,
        may_ask=permits(web.actor(), register_rules.REQUEST_CONTACT) or not web.actor().signed_in,
    )


@blueprint.route("/brokers/profile", methods=["GET", "POST"])
@web.permits(register_rules.EDIT_PROFILE)
def profile() -> ResponseReturnValue:
    """Let a broker write his own entry."""
    view = queries.find_broker(web.session(), web.actor().user_id)
    stored = (
        {
            "level": view.level,
            "certificate_no": view.certificate_no,
            "certificate_issuer": view.certificate_issuer,
            "certificate_valid_to": view.certificate_valid_to,
            "fields": list(view.fields),
            "introduction": view.introduction,
            "listed": view.listed,
            "version": view.version,
        }
        if view
        else {"listed": True}
    )
    form = ProfileForm.load(**stored)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            user_id = service.save_profile(
                session,
                actor=web.actor(),
                now=web.now(),
                certificate=form.certificate(),
                fields=form.fields.data or (),
                introduction=str(form.introduction.data or ""),
                listed=bool(form.listed.data),
                version=form.version_number,
            )
            if not form.listed.data:
                return url_for("brokerage.profile")
            return url_for("brokerage.broker", user_id=user_id)

        done = web.submit(form, use_case)
        if done is not None:
            flash("名录资料已保存。证书有改动的，由交易中心重新核验。", "success")
            return done
    return render_template("brokerage/profile.html", form=form, broker=view), form.status()


@blueprint.route("/brokers/<int:user_id>/contact", methods=["GET", "POST"])
@web.permits(register_rules.REQUEST_CONTACT)
def contact(user_id: int) -> ResponseReturnValue:
    """Ask a broker to get in touch, about an achievement, a need, or in general."""
    view = queries.get_broker(web.session(), user_id)
    me = accounts.get_user(web.session(), web.actor().user_id or 0)
    form = ContactForm.load(
        contact_name=me.name,
        phone=me.phone,
        achievement_id=argument_id("achievement") or "",
        need_id=argument_id("need") or "",
    )
    achievement_id, need_id = _id(form.achievement_id.data), _id(form.need_id.data)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.request_contact(
                session,
                actor=web.actor(),
                now=web.now(),
                broker_user_id=user_id,
                message=str(form.message.data),
                contact_name=str(form.contact_name.data),
                phone=str(form.phone.data or "") if form.phone_consent.data else "",
                achievement_id=achievement_id,
                need_id=need_id,
            )
            return url_for("brokerage.requests")

        done = web.submit(form, use_case)
        if done is not None:
            flash(f"已请{view.name}与您联系，答复会出现在这里和消息里。", "success")
            return done
    about = _about(achievement_id, need_id)
    page = render_template("brokerage/contact.html", form=form, broker=view, about=about)
    return page, form.status()


def _id(text: object) -> int | None:
    return int(str(text)) if str(text or "").isdigit() else None


def _about(achievement_id: int | None, need_id: int | None) -> str:
    """Name what a request is about, as far as the asking person may see it."""
    if achievement_id is not None:
        return achievements.get_for(web.session(), web.actor(), achievement_id).title
    if need_id is not None:
        return needs.get_own(web.session(), web.actor(), need_id).title
    return ""


@blueprint.route("/deals/requests")
@web.permits(SIGNED_IN)
def requests() -> ResponseReturnValue:
    """List the requests a broker received, or those an organisation sent."""
    found = queries.requests_for(web.session(), web.actor())
    return render_template(
        "brokerage/requests.html", requests=found, as_broker=web.actor().has(Role.BROKER)
    )


@blueprint.route("/deals/requests/<int:request_id>", methods=["GET", "POST"], endpoint="request")
@web.permits(register_rules.ANSWER_REQUEST)
def answer_request(request_id: int) -> ResponseReturnValue:
    """Show a request to its broker and take the answer."""
    view = queries.get_request(web.session(), web.actor(), request_id)
    form = AnswerForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            deal_id = service.answer_request(
                session,
                actor=web.actor(),
                now=web.now(),
                request_id=request_id,
                accepted=form.decision.data == "yes",
                answer=str(form.answer.data),
            )
            if deal_id is not None:
                return url_for("brokerage.show", deal_id=deal_id)
            return url_for("brokerage.requests")

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return _request_page(view, form, web.UnmaskForm.fresh())


@blueprint.route("/deals/requests/<int:request_id>/phone", methods=["POST"])
@web.permits(register_rules.ANSWER_REQUEST)
def reveal_phone(request_id: int) -> ResponseReturnValue:
    """Show the whole telephone number of a request to its broker for a reason; that is noted."""
    view = queries.get_request(web.session(), web.actor(), request_id)
    form = web.UnmaskForm.load()
    whole = web.unmasked(
        form, permission=register_rules.ANSWER_REQUEST, subject=f"request:{request_id}"
    )
    return _request_page(view, AnswerForm.fresh(), form, whole=whole)


def _request_page(
    view: queries.RequestView, form: AnswerForm, unmask: web.UnmaskForm, *, whole: bool = False
) -> ResponseReturnValue:
    page = render_template(
        "brokerage/request.html", request_view=view, form=form, unmask=unmask, whole=whole
    )
    return page, max(form.status(), unmask.status())


@blueprint.route("/desk/certificates")
@web.permits(register_rules.CONFIRM_PROFILE)
def certificates() -> ResponseReturnValue:
    """List the brokers whose certificate the operator has to look at."""
    return render_template(
        "brokerage/certificates.html", brokers=queries.unconfirmed_brokers(web.session())
    )


@blueprint.route("/desk/certificates/<int:user_id>", methods=["POST"])
@web.permits(register_rules.CONFIRM_PROFILE)
def confirm_certificate(user_id: int) -> ResponseReturnValue:
    """Confirm that a broker's certificate is genuine."""

    def use_case(session: Session) -> str:
        service.confirm_profile(session, actor=web.actor(), now=web.now(), user_id=user_id)
        flash("证书已核验，级别从现在起在名录中显示。", "success")
        return url_for("brokerage.certificates")

    return web.act(use_case, back=url_for("brokerage.certificates"))
