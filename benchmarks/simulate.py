"""Time `marketplace subsidies simulate` on a large file, beside DuckDB's sum of its three amounts.

    python benchmarks/simulate.py [--contracts N] [--organisations N] [--years N] [--keep DIR]

Writes ORG.csv and CONTRACTS.csv of random but valid facts, runs the command in a process of its
own and the sum in another, and prints seconds, processor seconds, peak memory and their ratio.
`--years 1` is the heaviest file: every contract counts in the year that is asked for.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from stdnum.cn import uscc

from marketplace.contracts.rules import ContractType
from marketplace.subsidies.registers import CONTRACT_COLUMNS, ORGANISATION_COLUMNS

YEAR = 2022
KINDS = (
    ("enterprise", 76),
    ("university", 6),
    ("research_institute", 8),
    ("new_rd_institution", 3),
    ("innovation_community", 2),
    ("agency", 4),
    ("registrar", 1),
)
SUM = "select sum(amount), sum(technology_amount), sum(tax_exempt_amount) from read_csv('{path}')"


def write_organisations(path: Path, count: int, chance: random.Random) -> dict[str, list[str]]:
    """Write ORG.csv and return the codes by kind."""
    kinds = chance.choices([k for k, _ in KINDS], [w for _, w in KINDS], k=count)
    codes: dict[str, list[str]] = {kind: [] for kind, _ in KINDS}
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(ORGANISATION_COLUMNS) + "\n")
        for number, kind in enumerate(kinds):
            body = f"91370100{number:09d}"
            code = body + str(uscc.calc_check_digit(body))
            codes[kind].append(code)
            filed = "2020-01-01," if kind == "agency" or chance.random() < 0.02 else ","
            dishonest = "2022-03-01,2023-03-01" if chance.random() < 0.01 else ","
            place, small = int(chance.random() < 0.85), int(chance.random() < 0.6)
            file.write(f"{code},机构{number},{kind},{place},{small},{filed},{dishonest}\n")
    return codes


def write_contracts(
    path: Path, count: int, years: int, codes: dict[str, list[str]], chance: random.Random
) -> None:
    """Write CONTRACTS.csv: dates over the last ``years`` years up to the one asked for."""
    everybody = [code for listed in codes.values() for code in listed]
    sellers = [c for kind in codes if kind not in ("agency", "registrar") for c in codes[kind]]
    agencies, registrars = codes["agency"], codes["registrar"]
    first = date(YEAR - years + 1, 1, 1)
    days = [str(first + timedelta(n)) for n in range((date(YEAR, 12, 31) - first).days + 1)]
    types = [kind.value for kind in ContractType]
    draw = chance.random
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(CONTRACT_COLUMNS) + "\n")
        for number in range(count):
            seller, buyer = chance.choice(sellers), chance.choice(everybody)
            fen = int(10 ** (6 + 4 * draw()))
            amount = f"{fen // 100}.{fen % 100:02d}"
            exempt = amount if draw() < 0.3 else ""
            brokered = draw()
            agency = (
                "" if brokered > 0.3 else seller if brokered < 0.01 else chance.choice(agencies)
            )
            project = f"P{int(draw() * count)}" if draw() < 0.3 else ""
            activity = f"A{int(draw() * count)}" if draw() < 0.3 else ""
            file.write(
                f"2022370{number:09d},{chance.choice(types)},{chance.choice(days)},{amount},"
                f"{amount},{exempt},{seller},{buyer},{agency},{chance.choice(registrars)},"
                f"{project},{activity},{int(draw() < 0.05)}\n"
            )


def measured(command: Sequence[str], out: Path) -> tuple[float, float, float]:
    """Run a command with its output in a file; return seconds, processor's seconds, megabytes."""
    begun = time.perf_counter()
    with out.open("wb") as file:
        process = subprocess.Popen(command, stdout=file)
        _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"it failed: {' '.join(command)}")
    return time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    """Make the files, run both, and print a line for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--contracts", type=int, default=1_000_000)
    parser.add_argument("--organisations", type=int, default=20_000)
    parser.add_argument("--years", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="a folder for the files, used again if there")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        organisations, contracts = folder / "ORG.csv", folder / "CONTRACTS.csv"
        if not contracts.exists():
            chance = random.Random(20221231)
            codes = write_organisations(organisations, asked.organisations, chance)
            write_contracts(contracts, asked.contracts, asked.years, codes, chance)
        size = contracts.stat().st_size / 1e6
        print(f"{asked.contracts:,} contracts, {size:.0f} MB, load {os.getloadavg()[0]:.1f}")
        marketplace = str(Path(sys.executable).with_name("marketplace"))
        simulate = [marketplace, "subsidies", "simulate", "--format", "json"]
        simulate += ["--organisations", str(organisations), "--contracts", str(contracts)]
        simulate += ["--year", str(YEAR)]
        total = [
            "-c",
            f'import duckdb; print(duckdb.sql("{SUM.format(path=contracts)}").fetchall())',
        ]
        for _ in range(asked.runs):
            summed = measured([sys.executable, *total], folder / "sum.txt")
            found = measured(simulate, folder / "answer.json")
            print(
                f"sum {summed[0]:5.2f} s ({summed[1]:5.2f} s of processor, {summed[2]:5.0f} MB)   "
                f"simulate {found[0]:5.2f} s ({found[1]:5.2f} s, {found[2]:5.0f} MB)   "
                f"ratio {found[0] / summed[0]:4.1f}, of processor {found[1] / summed[1]:4.1f}   "
                f"answer {(folder / 'answer.json').stat().st_size / 1e6:.0f} MB"
            )


if __name__ == "__main__":
    main()
