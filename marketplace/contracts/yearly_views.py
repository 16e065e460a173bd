"""The yearly statistics of registration: a page with tables and charts, and an Excel file."""

from __future__ import annotations

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from marketplace.contracts import queries, rules, yearly_queries, yearly_rules
from marketplace.contracts.rules import ContractType
from marketplace.contracts.views import blueprint
from marketplace.contracts.yearly_queries import Year
from marketplace.contracts.yearly_rules import Aspect, Table
from marketplace.foundation import web
from marketplace.foundation.access import Role
from marketplace.foundation.clock import local_date
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.web import Sheet


def _own_registrar() -> int | None:
    """Return the registrar whose contracts are counted; the offices read all of them."""
    actor = web.actor()
    return actor.organisation_id if actor.has(Role.REGISTRAR) else None


def _chosen_year() -> tuple[int, list[int]]:
    today = local_date(web.now())
    first = yearly_queries.first_year(web.session(), today=today)
    asked = web.argument("year")
    years = list(range(today.year, first - 1, -1))
    year = int(asked) if asked.isdecimal() and len(asked) == 4 else today.year
    return (year if year in years else today.year), years


def _read(year: int) -> Year:
    return yearly_queries.year_of(web.session(), year, registrar_organisation_id=_own_registrar())


@blueprint.route("/registry/statistics")
@web.permits(rules.SEE_YEAR)
def yearly() -> ResponseReturnValue:
    """Show a year's registered contracts by every aspect that the ministry asks for."""
    year, years = _chosen_year()
    read = _read(year)
    by_band = next(table for table in read.tables if table.aspect is Aspect.BAND)
    return render_template(
        "contracts/yearly.html",
        read=read,
        years=[(each, url_for("contracts.yearly", year=each)) for each in years],
        own=_own_registrar() is not None,
        months=yearly_rules.chart([(f"{m.month}", m.amount_fen) for m in read.months]),
        bands=yearly_rules.chart([(line.label, line.count) for line in by_band.lines]),
        ground=(yearly_rules.CHART_WIDTH, yearly_rules.CHART_HEIGHT),
        agreement=queries.agreement(web.session(), registrar_organisation_id=_own_registrar()),
        types=list(ContractType),
    )


@blueprint.route("/registry/statistics.xlsx")
@web.permits(rules.SEE_YEAR)
def yearly_book() -> ResponseReturnValue:
    """Send the same as an Excel file, a sheet for each table."""
    year, _years = _chosen_year()
    read = _read(year)
    head = ("指标", "数值")
    totals = [
        ("登记合同（项）", read.count),
        ("成交额（元）", format_yuan(read.amount_fen)),
        ("技术交易额（元）", format_yuan(read.technology_fen)),
        ("核定的技术性收入（元）", format_yuan(read.handling.income_fen)),
        ("不予登记（项）", read.handling.refused_count),
        ("撤销登记（项）", read.handling.cancelled),
        ("作出决定（项）", read.handling.decided),
        ("其中按期（项）", read.handling.in_time),
    ]
    months = [
        (f"{year}-{m.month:02d}", m.count, _yuan(m.amount_fen), _yuan(m.technology_fen))
        for m in read.months
    ]
    return web.send_book(
        f"技术合同登记年度统计 {year}",
        [
            Sheet("合计", head, totals, (30, 24)),
            Sheet("按月", ("月份", *_SUMS), months, (12, 12, 20, 20)),
            *(_sheet(table) for table in read.tables),
        ],
    )


_SUMS = ("合同数（项）", "成交额（元）", "技术交易额（元）")


def _yuan(amount: Fen) -> str:
    return format_yuan(amount)


def _sheet(table: Table) -> Sheet:
    rows = [
        (
            line.label,
            line.count,
            _yuan(line.amount_fen),
            _yuan(line.technology_fen),
            line.share_text,
        )
        for line in table.lines
    ]
    return Sheet(
        f"按{table.aspect.label}",
        (table.aspect.label, *_SUMS, "占成交额"),
        rows,
        (34, 14, 20, 20, 12),
    )
