"""Time the recomputation of a year from the database, every explanation stored.

    python benchmarks/recompute_year.py [--contracts N] [--organisations N] [--database URL]

Fills an empty database (SQLite in a temporary folder unless another is named) with random
registered facts of one year, runs `marketplace subsidies recompute` on it three times in processes
of its own (the first stores everything, the second finds nothing new, the third computes all the
same), and reads one explanation back.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, select
from stdnum.cn import uscc

from marketplace import wiring
from marketplace.accounts.models import Organisation
from marketplace.accounts.rules import District, OrganisationKind, OrganisationState, Scale
from marketplace.brokerage.models import Filing
from marketplace.brokerage.register_rules import FilingStatus
from marketplace.contracts.rules import ContractType
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.db import Base, Database
from marketplace.foundation.money import Fen
from marketplace.subsidies.models import ContractFact
from marketplace.subsidies.year_models import YearResult
from marketplace.subsidies.year_queries import stored_explanation

YEAR = 2022
KINDS = (
    (OrganisationKind.ENTERPRISE, 78),
    (OrganisationKind.UNIVERSITY, 6),
    (OrganisationKind.RESEARCH_INSTITUTE, 8),
    (OrganisationKind.NEW_RD_INSTITUTION, 3),
    (OrganisationKind.INNOVATION_COMMUNITY, 2),
    (OrganisationKind.REGISTRAR, 1),
)


def fill(database: Database, contracts: int, organisations: int) -> None:
    """Write organisations, filings and one year's facts."""
    chance, now = random.Random(20221231), datetime(2023, 1, 2, 9, tzinfo=LOCAL)
    kinds = chance.choices([k for k, _ in KINDS], [w for _, w in KINDS], k=organisations)
    ids: dict[OrganisationKind, list[int]] = {kind: [] for kind, _ in KINDS}
    rows = []
    for number, kind in enumerate(kinds, start=1):
        ids[kind].append(number)
        body = f"91370100{number:09d}"
        rows.append(
            {
                "id": number,
                "uscc": body + str(uscc.calc_check_digit(body)),
                "name": f"济南第{number}科技单位",
                "short_name": f"第{number}",
                "kind": kind,
                "subkinds": [],
                "district": District.LICHENG if chance.random() < 0.85 else None,
                "region_code": "370112",
                "scale": Scale.SMALL if chance.random() < 0.6 else Scale.LARGE,
                "state": OrganisationState.VERIFIED,
                "registered_at": now,
            }
        )
    agencies = ids[OrganisationKind.ENTERPRISE][:200]
    filings = [
        {
            "organisation_id": agency,
            "internal": False,
            "figures_year": 2021,
            "service_income_fen": Fen(100_000_00),
            "brokered_fen": Fen(3_000_000_00),
            "conversion_count": 3,
            "status": FilingStatus.APPROVED,
            "applied_at": now,
            "decided_at": now,
            "valid_from": date(2021, 1, 1),
            "valid_to": date(2023, 12, 31),
        }
        for agency in agencies
    ]
    everybody = list(range(1, organisations + 1))
    sellers = [i for kind in ids if kind is not OrganisationKind.REGISTRAR for i in ids[kind]]
    facts = []
    for number in range(contracts):
        amount, draw = int(10 ** (6 + 4 * chance.random())), chance.random
        facts.append(
            {
                "contract_id": number + 1,
                "contract_no": f"2022370{number:09d}",
                "contract_type": chance.choice(list(ContractType)),
                "project_name": f"第{number}项技术",
                "registered_on": date(YEAR, 1, 1) + timedelta(chance.randrange(365)),
                "amount_fen": amount,
                "technology_amount_fen": amount,
                "tax_exempt_amount_fen": amount if draw() < 0.3 else None,
                "seller_organisation_id": chance.choice(sellers),
                "buyer_organisation_id": chance.choice(everybody),
                "agency_organisation_id": chance.choice(agencies) if draw() < 0.3 else None,
                "registrar_organisation_id": chance.choice(ids[OrganisationKind.REGISTRAR]),
                "project_id": f"P{int(draw() * contracts)}" if draw() < 0.3 else "",
                "activity_id": f"A{int(draw() * contracts)}" if draw() < 0.3 else "",
                "fiscal_funds": draw() < 0.05,
                "cancelled_on": None,
            }
        )
    with database.transaction() as session:
        session.execute(insert(Organisation), rows)
        session.execute(insert(Filing), filings)
        session.execute(insert(ContractFact), facts)


def main() -> None:
    """Fill, recompute three times, and print a line for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--contracts", type=int, default=50_000)
    parser.add_argument("--organisations", type=int, default=5_000)
    parser.add_argument("--database", default="", help="an empty database; SQLite by default")
    asked = parser.parse_args()
    assert wiring.BLUEPRINTS  # all slices' tables
    with tempfile.TemporaryDirectory() as folder:
        url = asked.database or f"sqlite:///{Path(folder) / 'year.db'}"
        database = Database(url)
        Base.metadata.create_all(database.engine)
        fill(database, asked.contracts, asked.organisations)
        command = [str(Path(sys.executable).with_name("marketplace")), "subsidies", "recompute"]
        for more in ([], [], ["--again"]):
            begun = time.perf_counter()
            process = subprocess.Popen(
                [*command, str(YEAR), *more],
                env={**os.environ, "DATABASE_URL": url, "DATA_DIR": folder},
            )
            _, status, used = os.wait4(process.pid, 0)
            if status:
                raise SystemExit("it failed")
            print(
                f"{time.perf_counter() - begun:5.2f} s, of processor"
                f" {used.ru_utime + used.ru_stime:5.2f} s, {used.ru_maxrss / 1024:4.0f} MB,"
                f" load {os.getloadavg()[0]:.1f}"
            )
        with database.reading() as session:
            result_id = session.scalar(select(YearResult.id).limit(1)) or 0
            print(f"{len(stored_explanation(session, result_id).parts)} contracts in the first")
        database.engine.dispose()


if __name__ == "__main__":
    main()
