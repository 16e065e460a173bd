"""Pages of a deal's meetings: propose, choose, fix, cancel, minutes, the calendar file."""

from __future__ import annotations

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.brokerage import queries, rules, service, talk_queries
from marketplace.brokerage.talk_forms import MinutesForm, SlotsForm, TalkCancelForm, TalkForm
from marketplace.brokerage.talk_rules import TalkKind, TalkState
from marketplace.brokerage.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.access import permits
from marketplace.foundation.calendar_files import Deadline, calendar_file
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.errors import NotFound


def _home(deal_id: int) -> str:
    return url_for("brokerage.show", deal_id=deal_id, _anchor="talks")


@blueprint.route("/deals/<int:deal_id>/talks/new", methods=["GET", "POST"])
@web.permits(rules.WRITE_NOTE)
def propose_talk(deal_id: int) -> ResponseReturnValue:
    """Propose times for a meeting or a site visit."""
    deal = queries.get_deal(web.session(), web.actor(), deal_id)
    form = TalkForm.load(kind=TalkKind.OFFICE)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            talk_id = service.propose_talk(
                session,
                actor=web.actor(),
                now=web.now(),
                deal_id=deal_id,
                kind=form.kind.data,
                topic=form.topic.data,
                place=form.place.data,
                slots=form.times(),
            )
            return url_for("brokerage.talk", talk_id=talk_id)

        done = web.submit(form, use_case)
        if done is not None:
            flash("已请其他各方选时间。", "success")
            return done
    return render_template("brokerage/talk_new.html", deal=deal, form=form), form.status()


@blueprint.route("/deals/talks/<int:talk_id>")
@web.permits(rules.READ)
def talk(talk_id: int) -> ResponseReturnValue:
    """Show a meeting with its times to who takes part in the deal."""
    return _talk_page(talk_id)


def _talk_page(
    talk_id: int,
    *,
    slots_form: SlotsForm | None = None,
    cancel_form: TalkCancelForm | None = None,
) -> ResponseReturnValue:
    session, actor = web.session(), web.actor()
    view = talk_queries.get_talk(session, actor, talk_id)
    deal = queries.get_deal(session, actor, view.deal_id)
    slots_form = slots_form or SlotsForm.fresh(
        slots=[str(slot.id) for slot in view.slots if slot.suits_me]
    )
    _offer(slots_form, view)
    cancel_form = cancel_form or TalkCancelForm.fresh()
    writes = permits(actor, rules.WRITE_NOTE) and rules.may_end(deal.sides)
    proposer = actor.organisation_id == view.organisation_id
    page = render_template(
        "brokerage/talk.html",
        deal=deal,
        talk=view,
        proposer=proposer,
        may_choose=writes and not proposer and view.state is TalkState.PROPOSED,
        may_fix=writes and proposer and view.state is TalkState.PROPOSED,
        may_cancel=writes and view.state in (TalkState.PROPOSED, TalkState.FIXED),
        may_minute=writes
        and view.state is TalkState.FIXED
        and view.starts_at is not None
        and view.starts_at <= web.now(),
        slots_form=slots_form,
        cancel_form=cancel_form,
    )
    return page, max(slots_form.status(), cancel_form.status())


def _offer(form: SlotsForm, view: talk_queries.TalkView) -> None:
    form.slots.offer(
        [
            (
                str(slot.id),
                f"{slot.starts_at.astimezone(LOCAL):%Y-%m-%d %H:%M} 至 "
                f"{slot.ends_at.astimezone(LOCAL):%H:%M}"
                + (f"（{'、'.join(slot.suits)}可以）" if slot.suits else ""),
            )
            for slot in view.slots
        ]
    )


@blueprint.route("/deals/talks/<int:talk_id>/choose", methods=["POST"])
@web.permits(rules.WRITE_NOTE)
def choose_slots(talk_id: int) -> ResponseReturnValue:
    """Say which of the proposed times suit."""
    view = talk_queries.get_talk(web.session(), web.actor(), talk_id)
    form = SlotsForm.load()
    _offer(form, view)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.choose_slots(
                session,
                actor=web.actor(),
                now=web.now(),
                talk_id=talk_id,
                slot_ids=[int(each) for each in form.slots.data or ()],
            )
            return url_for("brokerage.talk", talk_id=talk_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return _talk_page(talk_id, slots_form=form)


@blueprint.route("/deals/talks/<int:talk_id>/fix", methods=["POST"])
@web.permits(rules.WRITE_NOTE)
def fix_talk(talk_id: int) -> ResponseReturnValue:
    """Fix one of the times."""
    here = url_for("brokerage.talk", talk_id=talk_id)
    chosen = request.form.get("slot", "")
    if not (chosen.isdigit() and chosen.isascii()) or len(chosen) > 9:
        raise NotFound()

    def use_case(session: Session) -> str:
        service.fix_talk(
            session, actor=web.actor(), now=web.now(), talk_id=talk_id, slot_id=int(chosen)
        )
        return here

    return web.act(use_case, back=here)


@blueprint.route("/deals/talks/<int:talk_id>/cancel", methods=["POST"])
@web.permits(rules.WRITE_NOTE)
def cancel_talk(talk_id: int) -> ResponseReturnValue:
    """Cancel a meeting."""
    form = TalkCancelForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.cancel_talk(
                session,
                actor=web.actor(),
                now=web.now(),
                talk_id=talk_id,
                reason=form.reason.data,
            )
            return url_for("brokerage.talk", talk_id=talk_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return _talk_page(talk_id, cancel_form=form)


@blueprint.route("/deals/talks/<int:talk_id>/minutes", methods=["GET", "POST"])
@web.permits(rules.WRITE_NOTE)
def write_minutes(talk_id: int) -> ResponseReturnValue:
    """Write the minutes of a meeting and give out its tasks."""
    view = talk_queries.get_talk(web.session(), web.actor(), talk_id)
    form = MinutesForm.load()
    form.offer_people(talk_queries.people_of(web.session(), web.actor(), talk_id))
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            deal_id = service.write_minutes(
                session,
                actor=web.actor(),
                now=web.now(),
                talk_id=talk_id,
                minutes=form.minutes.data,
                tasks=form.given(),
            )
            return _home(deal_id)

        done = web.submit(form, use_case)
        if done is not None:
            flash("纪要已发给各方，事项已进各人的待办。", "success")
            return done
    return render_template("brokerage/talk_minutes.html", talk=view, form=form), form.status()


@blueprint.route("/deals/talks/<int:talk_id>/calendar")
@web.permits(rules.READ)
def talk_calendar(talk_id: int) -> ResponseReturnValue:
    """Send the fixed time of a meeting as a calendar file."""
    view = talk_queries.get_talk(web.session(), web.actor(), talk_id)
    if view.starts_at is None or view.state is TalkState.CANCELLED:
        raise NotFound()
    entry = Deadline(
        uid=f"talk-{talk_id}@jinan-technology-market",
        what=f"{view.kind.label}：{view.topic}",
        when=view.starts_at,
        url=url_for("brokerage.talk", talk_id=talk_id, _external=True),
        note=view.place,
        until=view.ends_at,
    )
    return web.send_calendar(calendar_file(view.topic, [entry], now=web.now()), f"会议 {talk_id}")
