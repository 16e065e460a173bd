"""`marketplace subsidies`: what the rules make of files of organisations and contracts."""

from __future__ import annotations

import sys
from datetime import datetime
from importlib import import_module
from pathlib import Path

import click

from marketplace.foundation.errors import DomainError
from marketplace.subsidies.parameters import policies, select_policies
from marketplace.subsidies.simulation_output import simulated, write_json, write_table
from marketplace.subsidies.simulation_rules import plan_for


@click.command("simulate", help="按已发布的文件测算一个年度各单位的补助，不写入数据库。")
@click.option(
    "--organisations",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="机构 CSV 文件。",
)
@click.option(
    "--contracts",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="已登记合同 CSV 文件，可以含更早年度。",
)
@click.option("--year", type=click.IntRange(1999, 2100), required=True, help="测算年度。")
@click.option("--policy", "policy_ids", multiple=True, metavar="ID", help="只用这些文件。")
@click.option("--include-drafts", is_flag=True, help="征求意见稿也参加比较。")
@click.option(
    "--known-on",
    type=click.DateTime(["%Y-%m-%d"]),
    help="按这一天已知的条文数据，不计此后的更正。",
)
@click.option(
    "--format",
    "output",
    type=click.Choice(["json", "table", "xlsx"]),
    default="json",
    help="输出格式；xlsx 请转存到文件。",
)
@click.argument("more_ids", nargs=-1, metavar="")
def simulate(
    organisations: Path,
    contracts: Path,
    year: int,
    policy_ids: tuple[str, ...],
    include_drafts: bool,
    known_on: datetime | None,
    output: str,
    more_ids: tuple[str, ...],
) -> None:
    """Write the year's lines to standard output; bad input writes nothing and exits with 2."""
    if more_ids and not policy_ids:
        raise click.UsageError(f"多余的参数：{' '.join(more_ids)}")
    if output == "xlsx" and sys.stdout.isatty():
        raise click.UsageError("xlsx 是二进制文件，请转存：… --format xlsx > 测算.xlsx")
    # Several ids may follow one --policy.
    wanted = policy_ids + more_ids
    known = known_on.date() if known_on else None
    try:
        chosen = select_policies(wanted, include_drafts=include_drafts, known_on=known)
        with simulated(plan_for(year, chosen), organisations, contracts) as made:
            if output == "json":
                write_json(sys.stdout.buffer, made)
            elif output == "table":
                write_table(sys.stdout, made)
            else:
                # Loaded when it is asked for: a seventh of the start of the other formats.
                workbook = import_module("marketplace.subsidies.simulation_workbook")
                workbook.write_workbook(sys.stdout.buffer, made)
    except DomainError as refusal:
        click.echo(f"没有测算：{refusal.message}", err=True)
        sys.exit(2)
    left_out = [
        p.document_no for p in policies() if p.id in wanted and p.draft and not include_drafts
    ]
    if left_out:
        click.echo(
            f"{'、'.join(left_out)} 不能支付，没有计算；要比较请加 --include-drafts", err=True
        )
