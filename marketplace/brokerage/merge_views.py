"""Pages of merging two deals and of splitting one: each says first what will happen."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.brokerage import merge_queries, rules, service
from marketplace.brokerage.merge_forms import MergeForm, SplitForm
from marketplace.brokerage.views import blueprint
from marketplace.foundation import web


@blueprint.route("/deals/<int:deal_id>/merge")
@web.permits(rules.LEAD)
def merge_choices(deal_id: int) -> ResponseReturnValue:
    """Offer the deals that a deal could be merged into."""
    session, actor = web.session(), web.actor()
    return render_template(
        "brokerage/merge_choices.html",
        deal=merge_queries.get_led(session, actor, deal_id),
        candidates=merge_queries.candidates(session, actor, deal_id),
    )


@blueprint.route("/deals/<int:deal_id>/merge/<int:into_deal_id>", methods=["GET", "POST"])
@web.permits(rules.LEAD)
def merge(deal_id: int, into_deal_id: int) -> ResponseReturnValue:
    """Say what merging a deal into another would do, and do it."""
    actor = web.actor()
    found = merge_queries.preview(
        web.session(), actor, deal_id=deal_id, into_deal_id=into_deal_id, now=web.now()
    )
    form = MergeForm.load(price=found.price)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.merge_deals(
                session,
                actor=actor,
                now=web.now(),
                deal_id=deal_id,
                into_deal_id=into_deal_id,
                price=form.price.data,
            )
            return url_for("brokerage.show", deal_id=into_deal_id)

        done = web.submit(form, use_case)
        if done is not None:
            flash(f"“{found.ending.title}”已并入本项目。", "success")
            return done
    return render_template("brokerage/merge.html", found=found, form=form), form.status()


@blueprint.route("/deals/<int:deal_id>/split", methods=["GET", "POST"])
@web.permits(rules.LEAD)
def split(deal_id: int) -> ResponseReturnValue:
    """Choose what of a deal becomes a deal of its own."""
    done_before = web.carried_out_before()
    if done_before is not None:  # what went along the first time is offered no more
        return redirect(done_before, 303)
    session, actor = web.session(), web.actor()
    deal = merge_queries.get_led(session, actor, deal_id)
    choices = merge_queries.split_choices(session, actor, deal_id, now=web.now())
    only = choices.subjects[0] if len(choices.subjects) == 1 else None
    form = SplitForm.load(version=deal.version, what=only)
    form.offer(subjects=choices.subjects, tasks=choices.tasks, notes=choices.notes)
    if form.validate_on_post():

        def use_case(writing: Session) -> str:
            new_id = service.split_deal(
                writing,
                actor=actor,
                now=web.now(),
                deal_id=deal_id,
                title=str(form.title.data),
                what=form.what.data,
                part=str(form.part.data or ""),
                amount_fen=form.amount_fen.data,
                task_ids=form.chosen_tasks,
                note_ids=form.chosen_notes,
                version=form.version_number,
            )
            return url_for("brokerage.show", deal_id=new_id)

        done = web.submit(form, use_case)
        if done is not None:
            flash(f"已从“{deal.title}”分出本项目。", "success")
            return done
    page = render_template("brokerage/split.html", deal=deal, problems=choices.problems, form=form)
    return page, form.status()
