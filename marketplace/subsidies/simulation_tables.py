"""Files of organisations and contracts as tables of an embedded DuckDB, within bounded memory.

Reads and checks the contracts and looks back (Readings D and E). No clause stands here: what counts
is asked of ``simulation_rules``, and summed and listed by ``simulation_parts``. Whatever the quick
reading is not sure of goes through ``registers``, which names the place of what is wrong, or writes
the same facts down plainly and they are read again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from marketplace.contracts.rules import ContractType
from marketplace.foundation.money import MAX_FEN
from marketplace.subsidies.registers import (
    CONTRACT_COLUMNS,
    contract_columns,
    rewrite_contracts,
)
from marketplace.subsidies.simulation_rules import Plan
from marketplace.subsidies.trace_rules import Party
from marketplace.subsidies.word_rules import Base, Item, PartyKind

# What the tables may hold in memory; beyond it they go to the disk. Python has its own share.
MEMORY = "600MB"

TYPES = tuple(ContractType)
KINDS = tuple(PartyKind)
HOLDERS = {
    Item.SELLER: "seller",
    Item.BUYER: "buyer",
    Item.AGENCY: "agency",
    Item.REGISTRAR: "registrar",
}
BASES = {
    Base.AMOUNT: "amount",
    Base.TECHNOLOGY_AMOUNT: "technology_amount",
    Base.TAX_EXEMPT_AMOUNT: "tax_exempt_amount",
}
_SOUND = r"'[^\s\p{Z}\p{C}]([^\p{C}]*[^\s\p{Z}\p{C}])?'"
_FIGURE = r"'[0-9]{1,14}(\.[0-9]{1,2})?'"
# What makes a row doubtful: at least all that ``registers`` refuses, and what it would trim.
_DOUBTS = " OR ".join(
    (
        f"coalesce(NOT regexp_full_match(contract_no, {_SOUND}), true)",
        "TRY_CAST(type AS kind_of_contract) IS NULL",
        "registered_on IS NULL",
        "TRY_CAST(registered_on AS DATE)::VARCHAR IS DISTINCT FROM registered_on",
        f"coalesce(NOT regexp_full_match(amount, {_FIGURE}), true)",
        f"NOT regexp_full_match(coalesce(technology_amount, '0'), {_FIGURE})",
        f"NOT regexp_full_match(coalesce(tax_exempt_amount, '0'), {_FIGURE})",
        "TRY_CAST(seller_uscc AS code) IS NULL",
        "TRY_CAST(buyer_uscc AS code) IS NULL",
        "(agency_uscc <> '' AND TRY_CAST(agency_uscc AS code) IS NULL)",
        "(registrar_uscc <> '' AND TRY_CAST(registrar_uscc AS code) IS NULL)",
        f"NOT regexp_full_match(coalesce(project_id, '0'), {_SOUND})",
        f"NOT regexp_full_match(coalesce(activity_id, '0'), {_SOUND})",
        "fiscal_funds IS NULL OR fiscal_funds NOT IN ('0', '1')",
    )
)
# One number for all that a verdict depends on, exact: contracts with equal numbers are alike.
_SITUATION = (
    "(((((((type * 16 + coalesce(seller_kind, 15)) * 2 + seller_in_city::INTEGER) * 2"
    " + buyer_in_city::INTEGER) * 2 + fiscal_funds::INTEGER) * 2"
    " + activity_repeated::INTEGER) * 2 + filed::INTEGER) * 64 + era)"
)


class Tables:
    """The tables of one simulation; make them with ``opened``."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, plan: Plan, folder: Path) -> None:
        self.run, self.plan, self.folder = connection.execute, plan, folder

    def load(self, contracts: Path, parties: Mapping[str, Party]) -> None:
        """Read a file of contracts between parties; refuse with the place of what is wrong."""
        self._load_parties(parties)
        columns = contract_columns(contracts)
        repeated: frozenset[str] = frozenset()
        try:
            self._read(contracts, columns)
            sure = self._bad_count() == 0
            repeated = self._repeated()
        except duckdb.Error:
            sure = False
        if not sure or repeated:
            plain = self.folder / "plain.csv"
            rewrite_contracts(contracts, plain, parties, repeated=repeated)
            self._read(plain, CONTRACT_COLUMNS)
            repeated = self._repeated()
            if repeated:
                rewrite_contracts(contracts, plain, parties, repeated=repeated)
        self._look_back()

    def _load_parties(self, parties: Mapping[str, Party]) -> None:
        self.run(
            "CREATE TABLE parties (id INTEGER, code VARCHAR, kind INTEGER, in_city BOOLEAN,"
            " filed_since DATE, filed_until DATE)"
        )
        rows = [
            (
                place,
                party.key,
                None if party.kind is None else KINDS.index(party.kind),
                party.in_city,
                (filing.since or date.min) if filing else None,
                (filing.until or date.max) if filing else None,
            )
            for place, party in enumerate(parties.values())
            for filing in [party.filings[0] if party.filings else None]
        ]
        self.insert("parties", rows)
        # An enumeration finds a code's place without a join, and an unknown code becomes NULL.
        self.run("CREATE TYPE code AS ENUM (SELECT code FROM parties ORDER BY id)")
        self.run(f"CREATE TYPE kind_of_contract AS ENUM ({quoted(t.value for t in TYPES)})")

    def insert(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Append rows to a table."""
        if not rows:
            return
        columns = [list(column) for column in zip(*rows, strict=True)]
        marks = ", ".join("unnest(?)" for _ in columns)
        self.run(f"INSERT INTO {table} SELECT {marks}", columns)

    def _read(self, path: Path, columns: Sequence[str]) -> None:
        shape = ", ".join(f"'{column}': 'VARCHAR'" for column in columns)
        source = (
            f"read_csv({text(str(path))}, columns = {{{shape}}}, header = true,"
            " auto_detect = false, delim = ',', quote = '\"', escape = '\"',"
            " strict_mode = true, compression = 'none', allow_quoted_nulls = false)"
        )
        codes = ", ".join(
            f"enum_code(TRY_CAST({name}_uscc AS code))::INTEGER AS {name}"
            for name in HOLDERS.values()
        )
        amounts = ", ".join(
            f"(TRY_CAST({name} AS DECIMAL(16, 2)) * 100)::BIGINT AS {name}"
            for name in BASES.values()
        )
        self.run(
            f"""
            CREATE OR REPLACE TABLE contracts AS
            SELECT contract_no, enum_code(TRY_CAST(type AS kind_of_contract))::INTEGER AS type,
              TRY_CAST(registered_on AS DATE) AS registered_on, {amounts}, {codes},
              NULLIF(project_id, '') AS project, NULLIF(activity_id, '') AS activity,
              fiscal_funds = '1' AS fiscal_funds, ({_DOUBTS}) AS doubtful
            FROM {source}
            """
        )

    def _bad_count(self) -> int:
        return self.number(
            "SELECT count(*) FILTER (doubtful OR greatest(amount, technology_amount,"
            f" tax_exempt_amount) > {MAX_FEN}) FROM contracts"
        )

    def _repeated(self) -> frozenset[str]:
        """Return contract numbers that stand twice; equal hashes are looked at more closely."""
        if self.number("SELECT count(*) - count(DISTINCT hash(contract_no)) FROM contracts") == 0:
            return frozenset()
        rows = self.run(
            "SELECT trim(contract_no) FROM contracts WHERE contract_no IS NOT NULL"
            " GROUP BY 1 HAVING count(*) > 1 LIMIT 100000"
        )
        return frozenset(number for (number,) in rows.fetchall())

    def shorten(self, table: str, column: str) -> None:
        """Hold a column's few texts as an enumeration, so that rows with them are narrow."""
        texts = f"(SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL)"
        if self.number(f"SELECT count(*) FROM {texts}"):
            self.run(f"CREATE TYPE {column}_text AS ENUM {texts}")
            self.run(f"ALTER TABLE {table} ALTER {column} TYPE {column}_text")

    @contextmanager
    def in_order(self) -> Iterator[None]:
        """Keep the order of rows in what is written; elsewhere only the sorting itself counts."""
        self.run("SET preserve_insertion_order = true")
        yield
        self.run("SET preserve_insertion_order = false")

    def number(self, query: str) -> int:
        """Return the one number that a query gives, 0 for none."""
        row = self.run(query).fetchone()
        return int(row[0] or 0) if row else 0

    def _look_back(self) -> None:
        """Order the year's contracts, each with its deduction and its situation."""
        year = f"registered_on BETWEEN '{self.plan.year}-01-01' AND '{self.plan.year}-12-31'"
        era = " + ".join(f"(registered_on >= '{day}')::INTEGER" for day in self.plan.eras)
        self.run(
            f"""
            CREATE TABLE deductions AS
            SELECT * FROM (
              SELECT contract_no, max(amount) OVER (
                PARTITION BY project ORDER BY registered_on, contract_no
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS deduction, registered_on
              FROM contracts
              WHERE project IS NOT NULL AND type = {TYPES.index(ContractType.TRANSFER)})
            WHERE deduction IS NOT NULL AND {year}
            """
        )
        self.run(
            f"""
            CREATE TABLE repetitions AS
            SELECT * FROM (
              SELECT contract_no, row_number() OVER (
                PARTITION BY activity ORDER BY registered_on, contract_no) AS place, registered_on
              FROM contracts WHERE activity IS NOT NULL)
            WHERE place > 1 AND {year}
            """
        )
        bases = ", ".join(f"coalesce({name}, 0) AS {name}" for name in BASES.values())
        statement = f"""
            CREATE TABLE judged AS
            SELECT contract_no, c.seller, c.buyer, c.agency, c.registrar, {bases},
              coalesce(deduction, 0) AS deduction,
              coalesce(c.agency = c.seller, false) AS own_seller,
              coalesce(c.agency = c.buyer, false) AS own_buyer,
              type, {era} AS era, fiscal_funds, seller.kind AS seller_kind,
              seller.in_city AS seller_in_city, buyer.in_city AS buyer_in_city,
              repetitions.contract_no IS NOT NULL AS activity_repeated,
              coalesce(registered_on BETWEEN agency.filed_since AND agency.filed_until, false)
                AS filed,
              {_SITUATION} AS situation
            FROM contracts AS c
            JOIN parties AS seller ON seller.id = c.seller
            JOIN parties AS buyer ON buyer.id = c.buyer
            LEFT JOIN parties AS agency ON agency.id = c.agency
            LEFT JOIN deductions USING (contract_no, registered_on)
            LEFT JOIN repetitions USING (contract_no, registered_on)
            WHERE {year}
            ORDER BY registered_on, contract_no
            """
        # From here on a contract's place is where it stands in this table.
        with self.in_order():
            self.run(statement)
        self.run("DROP TABLE contracts")


def text(value: str) -> str:
    """Write a text as a literal of a statement."""
    return "'" + value.replace("'", "''") + "'"


def quoted(values: Iterable[str]) -> str:
    """Write texts as a list of literals."""
    return ", ".join(text(value) for value in values)


@contextmanager
def opened(plan: Plan) -> Iterator[Tables]:
    """Open tables for one simulation; what does not fit into memory lies in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="simulate-") as folder:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY,
            "temp_directory": folder,
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
        }
        with duckdb.connect(config=settings) as connection:
            yield Tables(connection, plan, Path(folder))
