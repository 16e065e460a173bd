"""`marketplace subsidies recompute`: a year's results from the database, each with its reasons."""

from __future__ import annotations

import gc
import time
from datetime import datetime

import click

from marketplace.foundation.access import SYSTEM
from marketplace.foundation.clock import Clock, DemoClock, SystemClock, demo_started, local_date
from marketplace.foundation.db import Database
from marketplace.foundation.forking import forked_map
from marketplace.foundation.money import format_yuan
from marketplace.settings import Settings
from marketplace.subsidies import service
from marketplace.subsidies.year_queries import computed_years, prepare_year


@click.command("recompute", help="按数据库中登记的合同重算一个年度，逐单位、逐项目保存结果和理由。")
@click.argument("year", type=click.IntRange(1999, 2100))
@click.option(
    "--known-on",
    type=click.DateTime(["%Y-%m-%d"]),
    help="按这一天已知的条文数据，不计此后的更正；缺省为今天。",
)
@click.option("--again", is_flag=True, help="事实和条文没有变化也重算。")
def recompute(year: int, known_on: datetime | None, again: bool) -> None:
    """Compute and store a year; a second call changes nothing and says so."""
    database = Database(Settings().database)
    clock: Clock = DemoClock(database) if demo_started(database) else SystemClock()
    begun, now = time.monotonic(), clock.now()
    known = known_on.date() if known_on else local_date(now)
    # Nothing of a run becomes garbage in circles: looking for it costs a fifth of the time.
    gc.freeze()
    gc.disable()
    try:
        # Read without the writer's lock: others go on working while a large year is computed.
        with database.reading() as session:
            prepared = prepare_year(session, year, known_on=known, again=again)
        database.engine.dispose()
        computed = prepared.compute(forked_map)
        with database.transaction() as session:
            _, changed = service.store_year(session, computed, actor=SYSTEM, now=now)
        with database.reading() as session:
            run = next(view for view in computed_years(session) if view.year == year)
    finally:
        gc.enable()
        database.engine.dispose()
    click.echo(
        f"{year} 年：{computed.contract_count:,} 份合同，{run.result_count:,} 项结果，"
        f"合计 {format_yuan(run.total_fen)} 元；"
        + (f"{changed:,} 项有变化" if changed else "与上次相同，没有变化")
        + f"；用时 {time.monotonic() - begun:.1f} 秒"
    )
