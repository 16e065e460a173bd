"""The board of deals: one pipeline at a time, narrowed by its address as the list is."""

from __future__ import annotations

from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from marketplace.accounts import queries as accounts
from marketplace.brokerage import queries, rules
from marketplace.brokerage.pipeline_parameters import pipelines
from marketplace.brokerage.queries import DealFilter
from marketplace.brokerage.rules import DealStage
from marketplace.brokerage.views import argument_id, blueprint, chosen_word
from marketplace.foundation import web
from marketplace.foundation.access import Role, permits


def chosen_filter() -> DealFilter:
    """Read the filter of the deals from the address."""
    stage = chosen_word(DealStage, "stage")
    pipeline = pipelines().find(web.argument("pipeline", longest=40))
    step = web.argument("step", longest=40)
    return DealFilter(
        pipeline=pipeline.code if pipeline else None,
        step=step if pipeline and any(each.code == step for each in pipeline.steps) else None,
        stage=DealStage(stage) if stage else None,
        text=web.argument("q", longest=40),
        overdue=web.argument("overdue") == "1",
        stale=web.argument("stale") == "1",
        broker_user_id=argument_id("broker"),
        seller_organisation_id=argument_id("seller"),
    )


def brokers_to_choose() -> list[accounts.MemberView]:
    """List the brokers an agency's head may filter by."""
    actor = web.actor()
    if not actor.has(Role.AGENCY_HEAD) or actor.organisation_id is None:
        return []
    return accounts.members(web.session(), actor.organisation_id, Role.BROKER)


@blueprint.route("/deals/board")
@web.permits(rules.LEAD)
def board() -> ResponseReturnValue:
    """Show the board of one pipeline; on phones one lane of it, both chosen in the address."""
    chosen = chosen_filter()
    found = queries.board(web.session(), web.actor(), chosen=chosen, now=web.now())
    asked = next((lane for lane in found.lanes if lane.step.code == chosen.step), None)
    filled = next((lane for lane in found.lanes if lane.count), found.lanes[0])
    return render_template(
        "brokerage/board.html",
        board=found,
        lane=asked or filled,
        chosen=chosen,
        stated=_stated(chosen),
        after_signing=rules.AFTER_SIGNING,
        brokers=brokers_to_choose(),
        may_open=permits(web.actor(), rules.OPEN),
    )


def _stated(chosen: DealFilter) -> dict[str, Any]:
    """Return what narrows the board beside pipeline and step, as its address states it."""
    return {
        "q": chosen.text or None,
        "overdue": "1" if chosen.overdue else None,
        "stale": "1" if chosen.stale else None,
        "broker": chosen.broker_user_id,
        "seller": chosen.seller_organisation_id,
    }
