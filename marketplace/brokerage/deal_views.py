"""Pages of deals: one deal with its notes and tasks, its opening and loss, lessons of the lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.brokerage import (
    deal_page_queries,
    feedback_queries,
    queries,
    rules,
    service,
    terms_rules,
)
from marketplace.brokerage.forms import (
    DealForm,
    FinishForm,
    InterestForm,
    LossForm,
    NoteForm,
    TaskForm,
    TermsForm,
)
from marketplace.brokerage.pipeline_parameters import pipelines
from marketplace.brokerage.rules import ADVICE, DealStage, NoteVisibility
from marketplace.brokerage.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.access import permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound, RuleBroken
from marketplace.needs import queries as needs


def achievement_of(session: Session, form: DealForm) -> int | None:
    """Return the achievement that the form names, None where it names none."""
    return _named(session, achievements.find_id, form.achievement_id)


def need_of(session: Session, form: DealForm) -> int | None:
    """Return the need that the form names, None where it names none."""
    return _named(session, needs.find_id, form.need_id)


def _named(
    session: Session, find: Callable[[Session, str], int | None], field: web.TextField
) -> int | None:
    """Return the id of the record named in a field; refuse a number that nothing bears."""
    if not field.data:
        return None
    found = find(session, field.data)
    if found is None:
        raise RuleBroken(
            "deal.unknown_record",
            "没有找到这个编号的成果或需求，请对照成果或需求页面标题上方的编号",
            field.name,
        )
    return found


def buyer_of(session: Session, form: DealForm) -> int | None:
    """Return the organisation that the form's credit code names, None without one."""
    if not form.buyer_uscc.data:
        return None
    found = accounts.find_organisation_by_uscc(session, str(form.buyer_uscc.data))
    if found is None:
        raise RuleBroken(
            "deal.unknown_buyer",
            "这家企业还没有在平台注册，请核对代码，或请它先注册",
            "buyer_uscc",
        )
    return found.id


@blueprint.route("/deals/new", methods=["GET", "POST"])
@web.permits(rules.OPEN)
def open_deal() -> ResponseReturnValue:
    """Pair an achievement with a need or with an enterprise."""
    form = DealForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            deal_id = service.open_deal(
                session,
                actor=web.actor(),
                now=web.now(),
                achievement_id=achievement_of(session, form),
                need_id=need_of(session, form),
                buyer_organisation_id=buyer_of(session, form),
                title=str(form.title.data or ""),
                pipeline=form.pipeline.data,
            )
            return url_for("brokerage.show", deal_id=deal_id)

        try:
            done = web.submit(form, use_case)
        except NotFound:
            form.form_errors.append("没有找到这个编号的成果或需求，请核对后再试")
            done = None
        if done is not None:
            return done
    page = render_template("brokerage/open_deal.html", form=form, offered=pipelines().offered)
    return page, form.status()


@blueprint.route("/deals/interest/<int:achievement_id>", methods=["GET", "POST"])
@web.permits(rules.EXPRESS_INTEREST)
def interest(achievement_id: int) -> ResponseReturnValue:
    """Let an enterprise tell an achievement's owner that it wants it."""
    view = achievements.get_for(web.session(), web.actor(), achievement_id)
    form = InterestForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            deal_id = service.express_interest(
                session,
                actor=web.actor(),
                now=web.now(),
                achievement_id=achievement_id,
                message=str(form.message.data),
            )
            return url_for("brokerage.show", deal_id=deal_id)

        done = web.submit(form, use_case)
        if done is not None:
            flash("意向已送到成果方，答复会出现在本页和消息里。", "success")
            return done
    page = render_template("brokerage/interest.html", form=form, achievement=view)
    return page, form.status()


@blueprint.route("/deals/<int:deal_id>")
@web.permits(rules.READ)
def show(deal_id: int) -> ResponseReturnValue:
    """Show one deal to who takes part in it."""
    return _deal_page(deal_id)


def _deal_page(
    deal_id: int, *, note: NoteForm | None = None, task: TaskForm | None = None
) -> ResponseReturnValue:
    session, actor = web.session(), web.actor()
    deal = queries.get_deal(session, actor, deal_id)
    note = note or NoteForm.fresh(visibility=NoteVisibility.SHARED)
    task = task or TaskForm.fresh()
    day = local_date(web.now())
    page = render_template(
        "brokerage/deal.html",
        deal=deal,
        steps=_steps(deal),
        talking=rules.TALKING,
        notes=queries.notes(session, actor, deal_id),
        tasks=queries.tasks_of_deal(session, actor, deal_id),
        history=queries.history(session, deal_id),
        introductions=queries.introductions_of_deal(session, actor, deal_id),
        agreement=queries.find_agreement(session, deal.achievement_id, deal.buyer.id),
        agreement_in_force=queries.has_agreement(session, deal.buyer.id, deal.achievement_id, day),
        commissions=queries.commissions_of_deal(session, actor, deal_id),
        note_form=note,
        task_form=task,
        may={
            "write": permits(actor, rules.WRITE_NOTE) and deal.is_open,
            "offer": deal.has("seller") and permits(actor, terms_rules.OFFER_AGREEMENT),
            "accept": deal.has("buyer") and permits(actor, terms_rules.ACCEPT_AGREEMENT),
            "introduce": deal.has("broker"),
            "confirm": permits(actor, terms_rules.CONFIRM_COMMISSION),
            "receive": bool(deal.has("broker", "agency")),
            "acknowledge": permits(actor, terms_rules.ACKNOWLEDGE),
        },
        prospect=queries.prospect_of(session, actor, deal_id),
        parts=deal_page_queries.parts_of(session, actor, deal, now=web.now()),
    )
    return page, max(note.status(), task.status())


def _steps(deal: queries.DealView) -> list[tuple[str, str, str]]:
    """Write the way of a deal through its pipeline; one that was merged has none any more."""
    if deal.stage is DealStage.MERGED:
        return []
    place = deal.pipeline.place(deal.step.code)
    notes = {DealStage.PAID: deal.paid_on, DealStage.REGISTERED: deal.registered_on,
             DealStage.SIGNED: deal.signed_on}  # fmt: skip
    steps = []
    for position, step in enumerate(deal.pipeline.steps):
        finished = position < place or deal.stage is DealStage.PAID
        current = position == place and deal.stage is not DealStage.LOST
        state = "done" if finished else "now" if current else ""
        known = notes.get(step.stage)
        steps.append((step.label, known.isoformat() if known else "", state))
    return steps


@blueprint.route("/deals/<int:deal_id>/step", methods=["POST"])
@web.permits(rules.LEAD)
def move(deal_id: int) -> ResponseReturnValue:
    """Move a deal on, from its page or from the board; a loss goes to its own page."""
    home = url_for("brokerage.show", deal_id=deal_id)
    back = web.local_next(home)
    wanted = request.form.get("step", "")
    if not wanted:
        flash("请先选择要移到的步骤。", "warning")
        return redirect(back, 303)
    if wanted == DealStage.LOST:
        return redirect(url_for("brokerage.lose", deal_id=deal_id), 303)

    def use_case(session: Session) -> str:
        service.move(session, actor=web.actor(), now=web.now(), deal_id=deal_id, to=wanted)
        return back

    return web.act(use_case, back=back)


@blueprint.route("/deals/<int:deal_id>/lost", methods=["GET", "POST"])
@web.permits(rules.END)
def lose(deal_id: int) -> ResponseReturnValue:
    """Close a deal as lost, with the reason that goes back to the university."""
    deal = queries.get_deal(web.session(), web.actor(), deal_id)
    if not rules.may_end(deal.sides):
        raise NotFound()
    form = LossForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.lose(
                session,
                actor=web.actor(),
                now=web.now(),
                deal_id=deal_id,
                reason_code=form.reason_code.data,
                reason=str(form.reason.data),
            )
            return url_for("brokerage.show", deal_id=deal_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return render_template("brokerage/lose.html", deal=deal, form=form), form.status()


@blueprint.route("/deals/<int:deal_id>/terms", methods=["GET", "POST"])
@web.permits(rules.LEAD)
def terms(deal_id: int) -> ResponseReturnValue:
    """Note what the parties agree on."""
    deal = queries.get_deal(web.session(), web.actor(), deal_id)
    if not deal.leads:
        raise NotFound()
    form = TermsForm.load(
        title=deal.title,
        amount_fen=deal.amount_fen,
        trading_mode=deal.trading_mode,
        signed_on=deal.signed_on,
        version=deal.version,
    )
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.set_terms(
                session,
                actor=web.actor(),
                now=web.now(),
                deal_id=deal_id,
                title=str(form.title.data),
                amount_fen=form.amount_fen.data,
                trading_mode=form.trading_mode.data,
                signed_on=form.signed_on.data,
                version=form.version_number,
            )
            return url_for("brokerage.show", deal_id=deal_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return render_template("brokerage/terms.html", deal=deal, form=form), form.status()


@blueprint.route("/deals/<int:deal_id>/notes", methods=["POST"])
@web.permits(rules.WRITE_NOTE)
def add_note(deal_id: int) -> ResponseReturnValue:
    """Write a note on a deal."""
    form = NoteForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.add_note(
                session,
                actor=web.actor(),
                now=web.now(),
                deal_id=deal_id,
                kind=form.kind.data,
                visibility=form.visibility.data,
                body=str(form.body.data),
            )
            return url_for("brokerage.show", deal_id=deal_id, _anchor="notes")

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return _deal_page(deal_id, note=form)


@blueprint.route("/deals/<int:deal_id>/tasks", methods=["POST"])
@web.permits(rules.WRITE_NOTE)
def add_task(deal_id: int) -> ResponseReturnValue:
    """Set the next thing to do on a deal."""
    form = TaskForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.add_task(
                session,
                actor=web.actor(),
                now=web.now(),
                deal_id=deal_id,
                what=str(form.what.data),
                due_on=form.due_on.data,
            )
            return url_for("brokerage.show", deal_id=deal_id, _anchor="tasks")

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return _deal_page(deal_id, task=form)


@blueprint.route("/deals/tasks/<int:task_id>", methods=["GET", "POST"])
@web.permits(rules.WRITE_NOTE)
def finish_task(task_id: int) -> ResponseReturnValue:
    """Tick off a task with its result and the next step."""
    mine = queries.open_tasks(web.session(), web.actor(), limit=500)
    task = next((view for view in mine if view.id == task_id), None)
    form = FinishForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.finish_task(
                session,
                actor=web.actor(),
                now=web.now(),
                task_id=task_id,
                result=str(form.result.data or ""),
                kind=form.kind.data,
                next_what=str(form.next_what.data or ""),
                next_due_on=form.next_due_on.data,
            )
            return url_for("brokerage.today")

        done = web.submit(form, use_case)
        if done is not None:
            return done
    if task is None:
        raise NotFound()
    return render_template("brokerage/finish_task.html", task=task, form=form), form.status()


@blueprint.route("/deals/lessons")
@web.permits(rules.LEARN)
def lessons() -> ResponseReturnValue:
    """Show a university why its deals were lost, per achievement, with what to do about it."""
    found = queries.lessons(web.session(), web.actor(), now=web.now())
    totals: dict[Any, int] = {}
    for lesson in found:
        for entry in lesson.counts:
            totals[entry.reason] = totals.get(entry.reason, 0) + entry.count
    return render_template(
        "brokerage/lessons.html",
        lessons=found,
        totals=sorted(totals.items(), key=lambda pair: -pair[1]),
        most=max(totals.values(), default=1),
        advice=ADVICE,
        months=feedback_queries.digest_months(web.session(), web.actor().organisation_id or 0),
    )
