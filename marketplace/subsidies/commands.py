"""`marketplace subsidies`: what the rules make of files of organisations and contracts."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import click

from marketplace.foundation.errors import DomainError
from marketplace.foundation.money import FEN_PER_YUAN, Fen
from marketplace.subsidies.calculation_rules import prepare
from marketplace.subsidies.parameters import policies, select_policies
from marketplace.subsidies.registers import read_contracts, read_organisations
from marketplace.subsidies.trace_rules import ContractPart, ItemResult


@click.group(name="subsidies", help="补助政策与测算。")
def group() -> None:
    """Hold the commands about subsidies."""


@group.command("simulate", help="按已发布的文件测算一个年度各单位的补助，不写入数据库。")
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
@click.option("--format", "output", type=click.Choice(["json"]), default="json", help="输出格式。")
@click.argument("more_ids", nargs=-1, metavar="")
def simulate(
    organisations: Path,
    contracts: Path,
    year: int,
    policy_ids: tuple[str, ...],
    include_drafts: bool,
    output: str,
    more_ids: tuple[str, ...],
) -> None:
    """Write the year's lines to standard output; bad input writes nothing and exits with 2."""
    if more_ids and not policy_ids:
        raise click.UsageError(f"多余的参数：{' '.join(more_ids)}")
    try:
        # Several ids may follow one --policy.
        wanted = policy_ids + more_ids
        chosen = select_policies(wanted, include_drafts=include_drafts)
        parties = read_organisations(organisations)
        registered = read_contracts(contracts, parties)
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
    usable = [policy for policy in chosen if policy.in_force.touches(year)]
    calculation = prepare(year, parties=parties, contracts=registered, policies=usable)
    paid = [result for result in calculation.results() if result.amount_fen > 0]
    write_json(sys.stdout, year, paid)


def write_json(out: TextIO, year: int, results: list[ItemResult]) -> None:
    """Write results as one JSON object, line by line so that a large year is never held as text."""
    total = Fen(sum(result.amount_fen for result in results))
    out.write(f'{{"year": {year}, "total": "{_yuan(total)}", "lines": [')
    for number, line in enumerate(_lines(results)):
        out.write(",\n" if number else "\n")
        out.write(json.dumps(line, ensure_ascii=False))
    out.write("\n]}\n")


def _lines(results: list[ItemResult]) -> Iterator[dict[str, object]]:
    for result in results:
        paying = result.paying
        if paying is None:
            continue
        yield {
            "uscc": result.party.key,
            "item": result.item.value,
            "policy": paying.policy.id,
            "amount": _yuan(result.amount_fen),
            "contracts": [_part(part) for part in paying.parts],
        }


def _part(part: ContractPart) -> dict[str, object]:
    return {
        "contract_no": part.contract.contract_no,
        "group": part.group.key if part.group else "",
        "base": _yuan(part.base_fen),
        "counted": part.counted,
        "reason": part.reason.value if part.reason else None,
    }


def _yuan(fen: Fen) -> str:
    yuan, rest = divmod(fen, FEN_PER_YUAN)
    return f"{yuan}.{rest:02d}"
