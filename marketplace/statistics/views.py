"""The public board and the operator's board."""

from __future__ import annotations

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from marketplace.foundation import web
from marketplace.foundation.clock import local_date
from marketplace.foundation.money import format_yuan
from marketplace.statistics import queries, rules
from marketplace.statistics.rules import FUNNEL, Side

blueprint = Blueprint("statistics", __name__, template_folder="templates", url_prefix="/statistics")


@blueprint.route("")
@web.permits(rules.SEE_BOARD)
def board() -> ResponseReturnValue:
    """Show live figures against the targets, and a year's contracts from several sides."""
    session = web.session()
    year, years = _years()
    months = queries.by_month(session, year)
    side = Side.BUYER if web.argument("side") == Side.BUYER.value else Side.SELLER
    return render_template(
        "statistics/board.html",
        targets=queries.targets_by_document(session, now=web.now()),
        year=year,
        years=years,
        total=queries.turnover(session, year),
        months=months,
        columns=rules.columns([(f"{line.month} 月", line.amount_fen) for line in months]),
        chart=(rules.SLOT * 12, rules.CHART_HEIGHT, rules.SLOT),
        fields=queries.by_field(session, year),
        types=queries.by_type(session, year),
        districts=queries.by_district(session, year, side),
        side=side,
        sides=list(Side),
    )


@blueprint.route("/months.xlsx")
@web.permits(rules.SEE_BOARD)
def export() -> ResponseReturnValue:
    """Send the year's months as an Excel file."""
    session = web.session()
    year, _years_known = _years()
    return web.send_table(
        f"技术合同登记 {year}",
        ["月份", "合同数（项）", "成交额（元）", "技术交易额（元）"],
        [
            [
                f"{year}-{line.month:02d}",
                line.count,
                format_yuan(line.amount_fen),
                format_yuan(line.technology_fen),
            ]
            for line in queries.by_month(session, year)
        ],
    )


@blueprint.route("/desk")
@web.permits(rules.SEE_DESK)
def desk() -> ResponseReturnValue:
    """Show the operator the funnel month by month and what the platform itself waits for."""
    session = web.session()
    year, years = _years("statistics.desk")
    lines = queries.funnel(session, year, today=local_date(web.now()))
    return render_template(
        "statistics/desk.html",
        year=year,
        years=years,
        targets=queries.targets_by_document(session, now=web.now()),
        total=queries.turnover(session, year),
        measures=FUNNEL,
        lines=lines,
        sums=[sum(line.counts[i] for line in lines) for i in range(len(FUNNEL))],
        contract_sum=sum(line.contract_count for line in lines),
        paid_sum=sum(line.paid_claim_count for line in lines),
        health=queries.health(session),
    )


def _years(endpoint: str = "statistics.board") -> tuple[int, list[tuple[int, str]]]:
    today = local_date(web.now())
    first = queries.first_year(web.session(), now=web.now())
    year = rules.chosen_year(web.argument("year"), today, first=first)
    known = range(today.year, first - 1, -1)
    return year, [(each, url_for(endpoint, year=each)) for each in known]
