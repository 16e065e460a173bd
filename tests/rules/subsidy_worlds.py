"""Random small worlds of organisations and contracts in which the difficult readings meet.

Few organisations, few projects and activities, dates that crowd around the days on which
documents, filings and records begin and end, agencies that are also seller or buyer.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

from stdnum.cn import uscc

from marketplace.contracts.rules import ContractType
from marketplace.foundation.money import Fen
from marketplace.subsidies.calculation_rules import prepare
from marketplace.subsidies.parameters import select_policies
from marketplace.subsidies.trace_rules import (
    Dishonesty,
    ItemResult,
    Party,
    Period,
    RegisteredContract,
)
from marketplace.subsidies.word_rules import PartyKind
from tests.rules import subsidy_oracle as oracle

World = tuple[dict[str, oracle.Org], list[oracle.Con]]

YEARS = range(2020, 2026)
KINDS = [kind.value for kind in PartyKind]
TYPES = [kind.value for kind in ContractType]
TURNS = [
    day + timedelta(step)
    for period in oracle.IN_FORCE.values()
    for day in period
    for step in (-1, 0, 1)
]
THRESHOLDS = (3_000_000_00, 1_000_000_000_00)


def code(number: int) -> str:
    """Return a valid unified social credit code."""
    body = f"91370100{number:09d}"
    return body + str(uscc.calc_check_digit(body))


def world(chance: random.Random, number: int) -> World:
    """Make a world whose codes, numbers, projects and activities are its own."""
    year = chance.choice((2020, 2021, 2021, 2022, 2022, 2022, 2023, 2023, 2024, 2025))
    days = sorted(_day(chance, year) for _ in range(4))
    codes = [code(number * 10 + n) for n in range(chance.randint(2, 4))]
    orgs = {key: _organisation(chance, key, days) for key in codes}
    cons = [_contract(chance, number, n, codes, days) for n in range(chance.randint(1, 14))]
    chance.shuffle(cons)
    return orgs, cons


def _day(chance: random.Random, year: int) -> date:
    if chance.random() < 0.3:
        return chance.choice(TURNS)
    # Most of the year itself, some of the year before for what looks back.
    return date(year, 12, 31) - timedelta(chance.randrange(500))


def _period(chance: random.Random, days: list[date]) -> tuple[date | None, date | None]:
    first, last = sorted(chance.choice(days) + timedelta(chance.randint(-1, 1)) for _ in range(2))
    open_end = chance.random()
    return (None if open_end < 0.4 else first), (None if open_end > 0.6 else last)


def _organisation(chance: random.Random, key: str, days: list[date]) -> oracle.Org:
    year_end = [date(year, 12, 31) for year in YEARS]
    return oracle.Org(
        key,
        chance.choice(KINDS),
        chance.random() < 0.9,
        chance.random() < 0.6,
        _period(chance, days) if chance.random() < 0.75 else None,
        _period(chance, year_end) if chance.random() < 0.07 else None,
    )


def _amount(chance: random.Random) -> int:
    kind = chance.random()
    if kind < 0.3:
        return max(0, chance.choice(THRESHOLDS) // chance.choice((1, 2)) + chance.randint(-1, 1))
    return int(10 ** chance.uniform(7, 10)) if kind < 0.9 else int(10 ** chance.uniform(0, 13)) - 1


def _contract(
    chance: random.Random, number: int, n: int, codes: list[str], days: list[date]
) -> oracle.Con:
    seller, buyer = chance.choice(codes), chance.choice(codes)
    amount = _amount(chance)
    return oracle.Con(
        # Numbers of several lengths: the order of text is not the order of counting.
        no=f"W{number}-{chance.choice(('', '0'))}{n}",
        type=chance.choice([*TYPES, "transfer", "transfer"]),
        on=chance.choice(days) + timedelta(chance.choice((-1, 0, 0, 0, 1))),
        amount=amount,
        exempt=chance.randint(0, amount),
        seller=seller,
        buyer=buyer,
        agency=chance.choice([None, seller, buyer, chance.choice(codes)]),
        registrar=chance.choice([None, chance.choice(codes)]),
        project=chance.choice(["", f"项目{number}甲", f"项目{number}乙"]),
        activity=chance.choice(["", "", f"活动{number}甲", f"活动{number}乙"]),
        fiscal=chance.random() < 0.1,
    )


def party(org: oracle.Org) -> Party:
    """Return an organisation as the product takes it."""
    made = Party(org.uscc, org.uscc, PartyKind(org.kind), org.in_jinan, org.sme)
    if org.filed:
        made = replace(made, filings=(Period(*org.filed),))
    if org.dishonest:
        made = replace(made, dishonesty=(Dishonesty(Period(*org.dishonest)),))
    return made


def contract(con: oracle.Con) -> RegisteredContract:
    """Return a contract as the product takes it."""
    return RegisteredContract(
        con.no,
        ContractType(con.type),
        con.on,
        Fen(con.amount),
        Fen(con.amount),
        Fen(con.exempt),
        con.seller,
        con.buyer,
        con.agency,
        con.registrar,
        con.project,
        con.activity,
        con.fiscal,
    )


def organisation_line(org: oracle.Org) -> str:
    """Write a line of ORG.csv."""
    dates = [str(day or "") for period in (org.filed, org.dishonest) for day in period or ("", "")]
    flags = [str(int(org.in_jinan)), str(int(org.sme))]
    return ",".join([org.uscc, "单位", org.kind, *flags, *dates])


def contract_line(con: oracle.Con) -> str:
    """Write a line of CONTRACTS.csv."""

    def yuan(fen: int) -> str:
        return f"{fen // 100}.{fen % 100:02d}"

    cells = [con.no, con.type, str(con.on), yuan(con.amount), yuan(con.amount), yuan(con.exempt)]
    parties = [con.seller, con.buyer, con.agency or "", con.registrar or ""]
    return ",".join([*cells, *parties, con.project, con.activity, str(int(con.fiscal))])


# A seller, a buyer, an agency and a registrar who meet every condition.
ALIKE = {
    "卖家": oracle.Org("卖家", "university", True, False),
    "买家": oracle.Org("买家", "enterprise", True, True),
    "中介": oracle.Org("中介", "agency", True, False, (date(2000, 1, 1), None)),
    "登记": oracle.Org("登记", "registrar", True, False),
}


def between_alike(kind: str, on: date, amount: int) -> oracle.Con:
    """Return a contract between them."""
    return oracle.Con(
        "合同1", kind, on, amount, amount, "卖家", "买家", "中介", "登记", "", "", False
    )


def results(
    year: int,
    orgs: dict[str, oracle.Org],
    cons: list[oracle.Con],
    ids: list[str] | None = None,
    *,
    drafts: bool = True,
) -> list[ItemResult]:
    """Calculate a year of the situation under the policies named, or under all."""
    calculation = prepare(
        year,
        parties={key: party(org) for key, org in orgs.items()},
        contracts=[contract(con) for con in cons],
        policies=select_policies(ids or (), include_drafts=drafts),
    )
    return list(calculation.results())
