"""Simulate a year from two files and write the answer as JSON or as a table."""

from __future__ import annotations

import json
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from marketplace.foundation.money import FEN_PER_YUAN, Fen, format_yuan
from marketplace.subsidies.registers import read_organisations
from marketplace.subsidies.simulation_parts import judge, prepare_parts, sums, write_parts
from marketplace.subsidies.simulation_rules import Line, Plan
from marketplace.subsidies.simulation_tables import Tables, opened
from marketplace.subsidies.trace_rules import Party

LINE_HEADS = ("统一社会信用代码", "名称", "项目", "文件", "金额（元）")


@dataclass(frozen=True)
class Simulation:
    """A year's lines, by code and item; ``firsts`` are the places of their first contracts."""

    plan: Plan
    parties: dict[str, Party]
    lines: tuple[Line, ...]
    firsts: tuple[int, ...]
    tables: Tables

    @property
    def total_fen(self) -> Fen:
        """Return what all lines make together."""
        return Fen(sum(line.amount_fen for line in self.lines))


@contextmanager
def simulated(plan: Plan, organisations: Path, contracts: Path) -> Iterator[Simulation]:
    """Simulate a plan's year; bad input raises ``BadInput`` before anything is yielded."""
    parties = read_organisations(organisations)
    with opened(plan) as tables:
        tables.load(contracts, parties)
        verdicts = judge(tables)
        countings = {
            item: [plan.counting(item, verdict) for verdict in listed]
            for item, listed in verdicts.items()
        }
        found = [
            (line, firsts[line.item])
            for party, alike, firsts in sums(tables, parties)
            for line in plan.lines_of(party, alike, countings)
        ]
        found.sort(key=lambda pair: (pair[0].key, str(pair[0].item)))
        lines = tuple(line for line, _ in found)
        places = {key: place for place, key in enumerate(parties)}
        prepare_parts(tables, lines, verdicts, places)
        yield Simulation(plan, parties, lines, tuple(first for _, first in found), tables)


def write_json(out: BinaryIO, made: Simulation) -> None:
    """Write one JSON object; the contracts come from the tables and are never held in memory."""
    heads = [
        ("]}," if number else "")
        + json.dumps(
            {
                "uscc": line.key,
                "item": line.item.value,
                "policy": line.policy.id,
                "amount": yuan_text(line.amount_fen),
                "contracts": [],
            }
        ).removesuffix("]}")
        for number, line in enumerate(made.lines)
    ]
    total = yuan_text(made.total_fen)
    out.write(f'{{"year": {made.plan.year}, "total": "{total}", "lines": [\n'.encode())
    if heads:
        with write_parts(made.tables, heads, made.firsts).open("rb") as parts:
            shutil.copyfileobj(parts, out, 1 << 20)
        out.write(b"]}\n")
    out.write(b"]}\n")


def write_table(out: TextIO, made: Simulation) -> None:
    """Write a line of text for each line, its columns under each other, and the total."""
    rows = [LINE_HEADS, *(line_row(made, line) for line in made.lines)]
    rows.append(("合计", "", "", "", format_yuan(made.total_fen)))
    widths = [max(_width(row[place]) for row in rows) for place in range(len(LINE_HEADS))]
    for row in rows:
        cells = [cell + " " * (widths[place] - _width(cell)) for place, cell in enumerate(row[:-1])]
        amount = " " * (widths[-1] - _width(row[-1])) + row[-1]
        out.write("  ".join([*cells, amount]) + "\n")


def line_row(made: Simulation, line: Line) -> tuple[str, ...]:
    """Write one line's cells as text, its amount last."""
    return (
        line.key,
        made.parties[line.key].name,
        line.item.label,
        f"{line.policy.document_no} {line.policy.id}",
        format_yuan(line.amount_fen),
    )


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def yuan_text(fen: Fen) -> str:
    """Write fen as yuan with two decimals and no separators."""
    yuan, rest = divmod(fen, FEN_PER_YUAN)
    return f"{yuan}.{rest:02d}"
