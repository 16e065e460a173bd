"""The list of deals: filters in the address, views kept under a name, the table as Excel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.brokerage import (
    chance_queries,
    figures_rules,
    queries,
    rules,
    saved_view_queries,
    service,
)
from marketplace.brokerage.board_views import brokers_to_choose, chosen_filter
from marketplace.brokerage.chance_rules import expected_worth, share_that_counts
from marketplace.brokerage.forms import ViewNameForm
from marketplace.brokerage.pipeline_parameters import pipelines
from marketplace.brokerage.rules import DealStage
from marketplace.brokerage.saved_view_rules import KEEP_VIEWS, KEPT
from marketplace.brokerage.views import blueprint, next_page
from marketplace.foundation import web
from marketplace.foundation.access import permits
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import format_yuan

# An Excel file of more rows is no list to work with any more.
_MOST_ROWS = 5_000
_EVERYTHING = "all"


def _arguments() -> dict[str, str]:
    """Return the conditions of this address, as a view holds them."""
    return {name: web.argument(name, longest=40) for name in KEPT if web.argument(name)}


def _address(arguments: Mapping[str, str]) -> str:
    """Return the address of the list with some conditions."""
    stated: dict[str, Any] = dict(arguments)
    return url_for("brokerage.index", **stated)


@blueprint.route("/deals")
@web.permits(rules.READ)
def index() -> ResponseReturnValue:
    """List the deals that the actor may see; an address without conditions starts as he chose."""
    kept = saved_view_queries.own_views(web.session(), web.actor())
    start = next((view for view in kept if view.starts), None)
    if start is not None and not request.args:
        return redirect(_address(start.arguments))
    chosen, stated = chosen_filter(), _arguments()
    page = queries.list_deals(
        web.session(),
        web.actor(),
        chosen=chosen,
        now=web.now(),
        after=web.argument("after", longest=800) or None,
    )
    return render_template(
        "brokerage/deals.html",
        page=page,
        chosen=chosen,
        stated=stated,
        kept=kept,
        current=next((view for view in kept if view.arguments == stated), None),
        everything={_EVERYTHING: "1"} if start else {},
        stages=list(DealStage),
        pipelines=pipelines().every,
        steps=pipelines().get(chosen.pipeline).steps if chosen.pipeline else (),
        brokers=brokers_to_choose(),
        next_url=next_page(page.next_token, "brokerage.index"),
        may_measure=permits(web.actor(), figures_rules.MEASURE),
        may_learn=permits(web.actor(), rules.LEARN),
        may_open=permits(web.actor(), rules.OPEN),
    )


@blueprint.route("/deals/table.xlsx")
@web.permits(rules.READ)
def table() -> ResponseReturnValue:
    """Send the list with the conditions of the address as an Excel file; no notes are in it."""
    page = queries.list_deals(
        web.session(), web.actor(), chosen=chosen_filter(), now=web.now(), size=_MOST_ROWS
    )
    chances = chance_queries.measured_chances(web.session(), web.actor())
    said = chance_queries.own_chances(web.session(), web.actor(), [d.id for d in page.items])
    rows = []
    for deal in page.items:
        chance = chances.get(deal.stage)
        own = said.get(deal.id) if chance else None
        share = share_that_counts(chance, own.percent if own else None) if chance else 0.0
        worth = expected_worth(deal.amount_fen, share) if chance else None
        contact = deal.last_contact_at
        rows.append(
            [
                deal.title,
                deal.pipeline.name,
                deal.step.label,
                deal.stage.label,
                deal.lost_reason.label if deal.lost_reason else "",
                deal.seller_name,
                deal.buyer_name,
                deal.broker_name,
                deal.agency_name,
                format_yuan(deal.amount_fen) if deal.amount_fen is not None else "",
                f"{chance.percent}%" if chance else "",
                f"{own.percent}%" if own else "",
                format_yuan(worth) if worth is not None else "",
                deal.next_task_on.isoformat() if deal.next_task_on else "",
                contact.astimezone(LOCAL).date().isoformat() if contact else "",
                deal.opened_on.isoformat(),
            ]
        )
    return web.send_table(
        "撮合项目",
        [
            "项目",
            "流程",
            "步骤",
            "阶段",
            "未成原因",
            "成果方",
            "需求方",
            "技术经理人",
            "转化机构",
            "金额（元）",
            "签约机会（测算）",
            "签约机会（自定）",
            "预计签约额（元）",
            "下一步日期",
            "上次联系",
            "建立日期",
        ],
        rows,
    )


@blueprint.route("/deals/views", methods=["POST"])
@web.permits(KEEP_VIEWS)
def save_view() -> ResponseReturnValue:
    """Keep the conditions that the form states under a name."""
    stated = {name: request.form.get(name, "")[:40] for name in KEPT if request.form.get(name)}
    here = _address(stated)

    def use_case(session: Session) -> str:
        service.save_view(
            session,
            actor=web.actor(),
            now=web.now(),
            name=request.form.get("name", ""),
            arguments=stated,
        )
        flash("已保存为视图。", "success")
        return here

    return web.act(use_case, back=here)


@blueprint.route("/deals/views/<int:view_id>", methods=["GET", "POST"])
@web.permits(KEEP_VIEWS)
def rename_view(view_id: int) -> ResponseReturnValue:
    """Give a view another name; make it the start view or let it go from the same page."""
    view = saved_view_queries.get_own_view(web.session(), web.actor(), view_id)
    form = ViewNameForm.load(name=view.name)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.rename_view(
                session,
                actor=web.actor(),
                now=web.now(),
                view_id=view_id,
                name=str(form.name.data),
            )
            return _address(view.arguments)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return render_template("brokerage/deal_view.html", view=view, form=form), form.status()


@blueprint.route("/deals/views/<int:view_id>/<what>", methods=["POST"])
@web.permits(KEEP_VIEWS)
def change_view(view_id: int, what: str) -> ResponseReturnValue:
    """Begin the list with a view, or not any more, or let it go."""
    if what not in ("start", "plain", "remove"):
        raise NotFound()
    home = _address({_EVERYTHING: "1"})

    def use_case(session: Session) -> str:
        actor, now = web.actor(), web.now()
        if what == "remove":
            service.remove_view(session, actor=actor, now=now, view_id=view_id)
            flash("视图已删除。", "success")
            return home
        service.start_with(session, actor=actor, now=now, view_id=view_id, starts=what == "start")
        flash("打开项目列表时先显示它。" if what == "start" else "已取消。", "success")
        return home

    return web.act(use_case, back=home)
