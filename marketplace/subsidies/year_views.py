"""Whole years for the offices: every organisation's result as it was computed, and why."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import web
from marketplace.foundation.access import permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import format_yuan
from marketplace.subsidies import draft_rules, service, year_queries, year_rules
from marketplace.subsidies.views import blueprint
from marketplace.subsidies.word_rules import Item


@blueprint.route("/subsidies/years")
@web.permits(year_rules.SEE_YEARS)
def years() -> ResponseReturnValue:
    """List the years with registered contracts and what was computed for each."""
    session = web.session()
    computed = {run.year: run for run in year_queries.computed_years(session)}
    listed = sorted({*computed, *year_queries.fact_years(session)}, reverse=True)
    return render_template(
        "subsidies/years.html",
        years=[(year, computed.get(year)) for year in listed],
        may_recompute=permits(web.actor(), year_rules.RECOMPUTE),
    )


@blueprint.route("/subsidies/years/<int:year>")
@web.permits(year_rules.SEE_YEARS)
def year_results(year: int) -> ResponseReturnValue:
    """Show a year's stored results, the largest first, or only what the last runs changed."""
    session = web.session()
    runs = year_queries.runs_of(session, year)
    if not runs:
        raise NotFound()
    item = next((known for known in Item if known.value == web.argument("item")), None)
    changed = web.argument("show") == "changed"
    after = web.argument("after") or None
    return render_template(
        "subsidies/year.html",
        year=year,
        run=runs[0],
        runs=runs,
        totals=year_queries.totals_by_item(session, year),
        page=year_queries.results_of_year(session, year, item=item, changed=changed, after=after),
        item=item,
        items=list(Item),
        changed=changed,
        may_recompute=permits(web.actor(), year_rules.RECOMPUTE),
        may_try=permits(web.actor(), draft_rules.TRY_POLICIES),
    )


@blueprint.route("/subsidies/years/<int:year>.xlsx")
@web.permits(year_rules.SEE_YEARS)
def year_table(year: int) -> ResponseReturnValue:
    """Send a year's current results as an Excel file."""
    session = web.session()
    if not year_queries.runs_of(session, year):
        raise NotFound()
    page = year_queries.results_of_year(session, year, size=1_000_000)
    return web.send_table(
        f"{year} 年度补助结果",
        [
            "单位",
            "项目",
            "文件",
            "合同（份）",
            "计入（份）",
            "金额（元）",
            "此前结果（元）",
            "已申报或核定（元）",
        ],
        [
            [
                row.organisation_name,
                row.item.label,
                row.policy_id,
                row.contract_count,
                row.counted_count,
                format_yuan(row.amount_fen),
                "" if row.before_fen is None else format_yuan(row.before_fen),
                "" if row.decided_fen is None else format_yuan(row.decided_fen),
            ]
            for row in page.items
        ],
        widths=[32, 14, 16, 10, 10, 18, 18, 18],
    )


@blueprint.route("/subsidies/years/results/<int:result_id>")
@web.permits(year_rules.SEE_YEARS)
def year_result(result_id: int) -> ResponseReturnValue:
    """Show one result with its explanation as it was stored, and what it took the place of."""
    session = web.session()
    history = year_queries.result_history(session, result_id)
    return render_template(
        "subsidies/year_result.html",
        result=next(view for view in history if view.id == result_id),
        history=history,
        why=year_queries.stored_explanation(session, result_id),
    )


@blueprint.route("/subsidies/years/<int:year>/recompute", methods=["POST"])
@web.permits(year_rules.RECOMPUTE)
def recompute_year(year: int) -> ResponseReturnValue:
    """Recompute a year now; claims keep what was decided."""
    session, now = web.session(), web.now()
    if year not in year_queries.fact_years(session):
        raise NotFound()
    # Read before the transaction begins: a large year must not hold up who writes.
    computed = year_queries.compute_year(session, year, known_on=local_date(now))

    def act(session: Session) -> str:
        _, changed = service.store_year(session, computed, actor=web.actor(), now=now)
        flash(
            f"{year} 年已重算，{f'{changed:,} 项有变化' if changed else '与上次相同'}。", "success"
        )
        return url_for("subsidies.year_results", year=year)

    return web.act(act, back=url_for("subsidies.years"))
