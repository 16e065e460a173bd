"""Pages around a listing's notice: revise it, priority rights, auction or tender, the trial."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.assessments import queries as assessments
from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC, SIGNED_IN
from marketplace.foundation.calendar_files import Deadline, calendar_file
from marketplace.foundation.money import Fen
from marketplace.listings import deadline_rules, notice_queries, queries, rules, service
from marketplace.listings.forms import (
    OutsideForm,
    PriorityForm,
    ReasonForm,
    RevisionForm,
    TakingForm,
    TrialEndForm,
)
from marketplace.listings.views import achievement_for, blueprint


@blueprint.route("/listings/<int:listing_id>/calendar.ics")
@web.permits(PUBLIC)
def calendar(listing_id: int) -> ResponseReturnValue:
    """Send the deadlines of a public listing as a calendar file."""
    listing = queries.get_public(web.session(), listing_id)
    address = url_for("listings.show", listing_id=listing_id, _external=True)
    found = [
        Deadline(f"listing-{listing_id}-{key}@jinan-technology-market", what, when, address, note)
        for key, what, when, note in deadline_rules.deadlines(listing)
    ]
    content = calendar_file(listing.title, found, now=web.now())
    return web.send_calendar(content, f"挂牌 {listing.number}")


@blueprint.route("/listings/<int:listing_id>/revise", methods=["GET", "POST"])
@web.permits(rules.OPERATE)
def revise(listing_id: int) -> ResponseReturnValue:
    """Publish a new version of a notice that stands."""
    session = web.session()
    listing = queries.get_for(session, web.actor(), listing_id)
    form = RevisionForm.load(
        title=listing.title,
        pricing_mode=listing.pricing_mode,
        trading_mode=listing.trading_mode,
        base_price_fen=listing.base_price_fen,
        increment_fen=listing.increment_fen or None,
        deposit_fen=listing.deposit_fen or None,
        payment_mode=listing.payment_mode,
        payment_terms=listing.payment_terms,
        conditions=listing.conditions,
        agent_name=listing.agent_name,
        agent_licence=listing.agent_licence,
        **notice_queries.trial_fields(session, listing_id),
    )
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.revise(
                session,
                actor=web.actor(),
                now=web.now(),
                listing_id=listing_id,
                content=form.content(),
                reason=form.reason.data,
            )
            return url_for("listings.manage", listing_id=listing_id)

        done = web.submit(form, act)
        if done is not None:
            flash("新版本公告已发布，旧版本和变更内容仍可查看。", "success")
            return done
    page = render_template(
        "listings/apply.html",
        achievement=achievement_for(listing.achievement_id),
        valuation=assessments.latest_valuation(session, listing.achievement_id),
        form=form,
        listing=listing,
        revising=True,
    )
    return page, form.status()


@blueprint.route("/my/priorities")
@web.permits(SIGNED_IN)
def own_priorities() -> ResponseReturnValue:
    """List the questions about priority rights to the acting person or organisation."""
    found = notice_queries.own_priorities(web.session(), web.actor())
    return render_template("listings/own_priorities.html", found=found)


@blueprint.route("/my/priorities/<int:priority_id>", methods=["GET", "POST"])
@web.permits(SIGNED_IN)
def priority(priority_id: int) -> ResponseReturnValue:
    """Take the answer of a holder, or what the seller has in writing."""
    asked = notice_queries.get_priority(web.session(), web.actor(), priority_id)
    form = PriorityForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.answer_priority(
                session,
                actor=web.actor(),
                now=web.now(),
                priority_id=priority_id,
                claims=form.answer.data == "claim",
                note=form.note.data,
            )
            return url_for("listings.priority", priority_id=priority_id)

        done = web.submit(form, act)
        if done is not None:
            flash("答复已登记。", "success")
            return done
    return _priority_page(asked, form, TakingForm()), form.status()


@blueprint.route("/my/priorities/<int:priority_id>/taking", methods=["POST"])
@web.permits(SIGNED_IN)
def answer_offer(priority_id: int) -> ResponseReturnValue:
    """Take the technology at the price found, or leave it to the buyer."""
    asked = notice_queries.get_priority(web.session(), web.actor(), priority_id)
    form = TakingForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.answer_offer(
                session,
                actor=web.actor(),
                now=web.now(),
                priority_id=priority_id,
                takes=form.answer.data == "take",
            )
            return url_for("listings.priority", priority_id=priority_id)

        done = web.submit(form, act)
        if done is not None:
            flash("答复已登记。", "success")
            return done
    return _priority_page(asked, PriorityForm(), form), form.status()


def _priority_page(
    asked: notice_queries.PriorityView, form: PriorityForm, taking: TakingForm
) -> str:
    return render_template(
        "listings/priority.html",
        asked=asked,
        form=form,
        taking=taking,
        answers=notice_queries.holds(web.actor(), asked),
    )


@blueprint.route("/listings/intents/<int:intent_id>/outside", methods=["GET", "POST"])
@web.permits(rules.OPERATE)
def record_outside(intent_id: int) -> ResponseReturnValue:
    """Record the result of an auction or tender."""
    intent = queries.get_intent(web.session(), web.actor(), intent_id)
    listing = queries.get_for(web.session(), web.actor(), intent.listing_id)
    form = OutsideForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.record_outside(
                session,
                actor=web.actor(),
                now=web.now(),
                intent_id=intent_id,
                price_fen=form.price_fen.data,
                document=form.document.data,
            )
            return url_for("listings.manage", listing_id=listing.id)

        done = web.submit(form, act)
        if done is not None:
            return done
    page = render_template(
        "listings/form.html",
        listing=listing,
        form=form,
        heading=f"登记{listing.pricing_mode.label}结果",
        explanation=f"受让方：{intent.buyer_name}。登记后即公示成交结果。",
        action=url_for("listings.record_outside", intent_id=intent_id),
        button="登记并公示",
    )
    return page, form.status()


@blueprint.route("/listings/<int:listing_id>/outside/fail", methods=["GET", "POST"])
@web.permits(rules.OPERATE)
def fail_outside(listing_id: int) -> ResponseReturnValue:
    """Record that an auction or tender found no buyer."""
    listing = queries.get_for(web.session(), web.actor(), listing_id)
    form = ReasonForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.fail_outside(
                session,
                actor=web.actor(),
                now=web.now(),
                listing_id=listing_id,
                reason=form.reason.data,
            )
            return url_for("listings.manage", listing_id=listing_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    page = render_template(
        "listings/form.html",
        listing=listing,
        form=form,
        heading="流拍或流标",
        explanation="登记后项目终结，合格意向方的保证金无息退还。",
        action=url_for("listings.fail_outside", listing_id=listing_id),
        button="登记",
    )
    return page, form.status()


@blueprint.route("/listings/<int:listing_id>/trial/begin", methods=["POST"])
@web.permits(rules.APPLY)
def begin_trial(listing_id: int) -> ResponseReturnValue:
    """Begin a trial before payment."""
    back = url_for("listings.manage", listing_id=listing_id)

    def act(session: Session) -> str:
        service.begin_trial(session, actor=web.actor(), now=web.now(), listing_id=listing_id)
        return back

    return web.act(act, back=back)


@blueprint.route("/listings/<int:listing_id>/trial/end", methods=["GET", "POST"])
@web.permits(rules.INTEND)
def end_trial(listing_id: int) -> ResponseReturnValue:
    """End a trial as its buyer, with what was measured."""
    listing = queries.get_bought(web.session(), web.actor(), listing_id)
    form = TrialEndForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.end_trial(
                session,
                actor=web.actor(),
                now=web.now(),
                listing_id=listing_id,
                adopted=form.decision.data == "adopt",
                units=form.units.data or 0,
                revenue_fen=form.revenue.data or Fen(0),
                result=form.result.data,
            )
            return url_for("listings.show", listing_id=listing_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    trial = notice_queries.trial_of(web.session(), listing_id)
    page = render_template(
        "listings/form.html",
        listing=listing,
        form=form,
        heading="登记试用结果",
        explanation=f"计价公式：{trial.formula}" if trial else "这个项目没有试用",
        action=url_for("listings.end_trial", listing_id=listing_id),
        button="提交试用结果",
    )
    return page, form.status()
