"""Files of organisations and contracts as tables of an embedded DuckDB, within bounded memory.

Reads and checks the contracts, looks back (Readings D and E), sums what was judged alike, and
yields every contract of the lines that pay. No clause stands here: what counts is asked of
``simulation_rules``. Whatever the quick reading is not sure of goes through ``registers``, which
names the place of what is wrong, or writes the same facts down plainly and they are read again.
"""

from __future__ import annotations

import json
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
from marketplace.subsidies.simulation_rules import AlikeSum, Line, Plan, Verdict
from marketplace.subsidies.trace_rules import Party
from marketplace.subsidies.verdict_rules import Situation
from marketplace.subsidies.word_rules import Base, Item, PartyKind, Reason

# What the tables may hold in memory; beyond it they go to the disk. Python has its own share.
MEMORY = "600MB"

_TYPES = tuple(ContractType)
_KINDS = tuple(PartyKind)
_HOLDERS = {
    Item.SELLER: "seller",
    Item.BUYER: "buyer",
    Item.AGENCY: "agency",
    Item.REGISTRAR: "registrar",
}
_BASES = {
    Base.AMOUNT: "amount",
    Base.TECHNOLOGY_AMOUNT: "technology_amount",
    Base.TAX_EXEMPT_AMOUNT: "tax_exempt_amount",
}
_CHUNK = 20_000
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
        self._run, self._plan, self._folder = connection.execute, plan, folder

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
            plain = self._folder / "plain.csv"
            rewrite_contracts(contracts, plain, parties, repeated=repeated)
            self._read(plain, CONTRACT_COLUMNS)
            repeated = self._repeated()
            if repeated:
                rewrite_contracts(contracts, plain, parties, repeated=repeated)
        self._look_back()

    def _load_parties(self, parties: Mapping[str, Party]) -> None:
        self._run(
            "CREATE TABLE parties (id INTEGER, code VARCHAR, kind INTEGER, in_city BOOLEAN,"
            " filed_since DATE, filed_until DATE)"
        )
        rows = [
            (
                place,
                party.key,
                None if party.kind is None else _KINDS.index(party.kind),
                party.in_city,
                (filing.since or date.min) if filing else None,
                (filing.until or date.max) if filing else None,
            )
            for place, party in enumerate(parties.values())
            for filing in [party.filings[0] if party.filings else None]
        ]
        self._insert("parties", rows)
        # An enumeration finds a code's place without a join, and an unknown code becomes NULL.
        self._run("CREATE TYPE code AS ENUM (SELECT code FROM parties ORDER BY id)")
        self._run(f"CREATE TYPE kind_of_contract AS ENUM ({_quoted(t.value for t in _TYPES)})")

    def _insert(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if not rows:
            return
        columns = [list(column) for column in zip(*rows, strict=True)]
        marks = ", ".join("unnest(?)" for _ in columns)
        self._run(f"INSERT INTO {table} SELECT {marks}", columns)

    def _read(self, path: Path, columns: Sequence[str]) -> None:
        shape = ", ".join(f"'{column}': 'VARCHAR'" for column in columns)
        source = (
            f"read_csv({_text(str(path))}, columns = {{{shape}}}, header = true,"
            " auto_detect = false, delim = ',', quote = '\"', escape = '\"',"
            " strict_mode = true, compression = 'none', allow_quoted_nulls = false)"
        )
        codes = ", ".join(
            f"enum_code(TRY_CAST({name}_uscc AS code))::INTEGER AS {name}"
            for name in _HOLDERS.values()
        )
        amounts = ", ".join(
            f"(TRY_CAST({name} AS DECIMAL(16, 2)) * 100)::BIGINT AS {name}"
            for name in _BASES.values()
        )
        self._run(
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
        return self._number(
            "SELECT count(*) FILTER (doubtful OR greatest(amount, technology_amount,"
            f" tax_exempt_amount) > {MAX_FEN}) FROM contracts"
        )

    def _repeated(self) -> frozenset[str]:
        """Return contract numbers that stand twice; equal hashes are looked at more closely."""
        if self._number("SELECT count(*) - count(DISTINCT hash(contract_no)) FROM contracts") == 0:
            return frozenset()
        rows = self._run(
            "SELECT trim(contract_no) FROM contracts WHERE contract_no IS NOT NULL"
            " GROUP BY 1 HAVING count(*) > 1 LIMIT 100000"
        )
        return frozenset(number for (number,) in rows.fetchall())

    def _number(self, query: str) -> int:
        row = self._run(query).fetchone()
        return int(row[0] or 0) if row else 0

    def _look_back(self) -> None:
        """Order the year's contracts, each with its deduction and its situation."""
        year = f"registered_on BETWEEN '{self._plan.year}-01-01' AND '{self._plan.year}-12-31'"
        era = " + ".join(f"(registered_on >= '{day}')::INTEGER" for day in self._plan.eras)
        self._run(
            f"""
            CREATE TABLE deductions AS
            SELECT * FROM (
              SELECT contract_no, max(amount) OVER (
                PARTITION BY project ORDER BY registered_on, contract_no
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS deduction, registered_on
              FROM contracts
              WHERE project IS NOT NULL AND type = {_TYPES.index(ContractType.TRANSFER)})
            WHERE deduction IS NOT NULL AND {year}
            """
        )
        self._run(
            f"""
            CREATE TABLE repetitions AS
            SELECT * FROM (
              SELECT contract_no, row_number() OVER (
                PARTITION BY activity ORDER BY registered_on, contract_no) AS place, registered_on
              FROM contracts WHERE activity IS NOT NULL)
            WHERE place > 1 AND {year}
            """
        )
        bases = ", ".join(f"coalesce({name}, 0) AS {name}" for name in _BASES.values())
        self._run(
            f"""
            CREATE TABLE judged AS
            SELECT row_number() OVER (ORDER BY registered_on, contract_no)::INTEGER AS place,
              contract_no, c.seller, c.buyer, c.agency, c.registrar, {bases},
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
            """
        )
        self._run("DROP TABLE contracts")

    def judge(self) -> dict[Item, list[Verdict]]:
        """Judge each situation once and note which verdict it has; return the verdicts by item."""
        rows = self._run(
            "SELECT DISTINCT situation, type, era, fiscal_funds, seller_kind, seller_in_city,"
            " buyer_in_city, activity_repeated, filed FROM judged"
        ).fetchall()
        verdicts: dict[Item, dict[Verdict, int]] = {item: {} for item in Item}
        noted = []
        for number, kind, era, fiscal, seller, *rest in rows:
            situation = Situation(
                _TYPES[kind],
                self._plan.eras[era - 1],
                fiscal,
                None if seller is None else _KINDS[seller],
                *rest,
            )
            places = []
            for item, known in verdicts.items():
                verdict = self._plan.verdict(item, situation)
                places.append(known.setdefault(verdict, len(known)))
            noted.append((number, *places))
        names = ", ".join(f"{name} INTEGER" for name in _HOLDERS.values())
        self._run(f"CREATE TABLE situations (situation INTEGER, {names})")
        self._insert("situations", noted)
        return {item: list(known) for item, known in verdicts.items()}

    def sums(
        self, parties: Mapping[str, Party]
    ) -> Iterator[tuple[Party, dict[Item, list[AlikeSum]], dict[Item, int]]]:
        """Yield each organisation that may earn something with its sums and first places."""
        listed = list(parties.values())
        self._run("CREATE TABLE eligible (item INTEGER, id INTEGER)")
        self._insert(
            "eligible",
            [
                (number, place)
                for number, item in enumerate(Item)
                for place, party in enumerate(listed)
                if self._plan.may_earn(party, item)
            ],
        )
        # A sum is wider than 64 bits only above 92 million billion fen: then it stays wide.
        whole = " + ".join(f"sum({name})" for name in _BASES.values())
        narrow = "::BIGINT" if self._number(f"SELECT {whole} FROM judged") < 2**63 else ""
        measures = "".join(
            f", sum({_measure(m.base, m.added)}){narrow}" for m in self._plan.measures
        )
        query = " UNION ALL ".join(
            f"SELECT judged.{name} AS id, {number}, situations.{name}, own_seller, own_buyer,"
            f" count(*), min(place){measures} FROM judged JOIN situations USING (situation)"
            f" JOIN eligible ON eligible.item = {number} AND eligible.id = judged.{name}"
            " GROUP BY ALL"
            for number, name in enumerate(_HOLDERS[item] for item in Item)
        )
        items = tuple(Item)
        cursor = self._run(f"SELECT * FROM ({query}) ORDER BY id")
        last, found, first = -1, dict[Item, list[AlikeSum]](), dict[Item, int]()
        while rows := cursor.fetchmany(_CHUNK):
            for holder, number, verdict, own_seller, own_buyer, count, place, *sums in rows:
                if holder != last:
                    if found:
                        yield listed[last], found, first
                    last, found, first = holder, {}, {}
                item = items[number]
                alike = AlikeSum(verdict, own_seller, own_buyer, count, tuple(sums))
                found.setdefault(item, []).append(alike)
                first[item] = min(place, first.get(item, place))
        if found:
            yield listed[last], found, first

    def prepare_parts(
        self,
        lines: Sequence[Line],
        verdicts: Mapping[Item, Sequence[Verdict]],
        places: Mapping[str, int],
    ) -> None:
        """Note the lines that pay and what each verdict says of their contracts."""
        items = list(Item)
        self._run(
            "CREATE TABLE lines (line INTEGER, item INTEGER, id INTEGER, document INTEGER,"
            " not_as_seller BOOLEAN, not_as_buyer BOOLEAN)"
        )
        self._insert(
            "lines",
            [
                (
                    number,
                    items.index(line.item),
                    places[line.key],
                    line.place,
                    Item.SELLER in line.elsewhere,
                    Item.BUYER in line.elsewhere,
                )
                for number, line in enumerate(lines)
            ],
        )
        self._run(
            "CREATE TABLE rulings (item INTEGER, verdict INTEGER, document INTEGER,"
            " elsewhere BOOLEAN, group_key VARCHAR, reason VARCHAR, measure INTEGER,"
            " before VARCHAR, after VARCHAR)"
        )
        self._insert(
            "rulings",
            [
                (number, at, *ruling)
                for number, item in enumerate(items)
                for at, verdict in enumerate(verdicts[item])
                for ruling in _rulings(self._plan, item, verdict)
            ],
        )

    def _parts(self) -> str:
        measures = "".join(
            f" WHEN {number} THEN {_measure(m.base, m.added)}"
            for number, m in enumerate(self._plan.measures)
        )
        base = f"CASE measure{measures} ELSE 0 END" if measures else "0"
        return " UNION ALL ".join(
            f"SELECT line, place, contract_no, group_key, ({base})::BIGINT AS base, reason,"
            " before, after FROM judged JOIN situations USING (situation)"
            f" JOIN lines ON lines.item = {number} AND lines.id = judged.{name}"
            f" JOIN rulings ON rulings.item = {number} AND rulings.verdict = situations.{name}"
            " AND rulings.document = lines.document AND rulings.elsewhere ="
            " ((own_seller AND not_as_seller) OR (own_buyer AND not_as_buyer))"
            for number, name in enumerate(_HOLDERS[item] for item in Item)
        )

    def parts(self) -> Iterator[tuple[int, str, str, int, str | None]]:
        """Yield line, number, group, base in fen and reason of each contract, in order."""
        cursor = self._run(
            "SELECT line, contract_no, group_key, base, reason"
            f" FROM ({self._parts()}) ORDER BY line, place"
        )
        while rows := cursor.fetchmany(_CHUNK):
            yield from rows

    def write_parts(self, heads: Sequence[str], firsts: Sequence[int]) -> Path:
        """Write every line's contracts as JSON into a file, each line begun by its head."""
        self._run("CREATE TABLE heads (line INTEGER, place INTEGER, head VARCHAR)")
        self._insert("heads", list(zip(range(len(heads)), firsts, heads, strict=True)))
        target = self._folder / "parts.json"
        self._run(
            f"""
            COPY (
              SELECT coalesce(head, ', ') || '{{"contract_no": ' || to_json(contract_no)
                || before || (base::DECIMAL(15, 0) * 0.01)::VARCHAR || after
              FROM ({self._parts()}) LEFT JOIN heads USING (line, place)
              ORDER BY line, place
            ) TO {_text(str(target))}
            (FORMAT csv, HEADER false, DELIMITER '\x01', QUOTE '', ESCAPE '')
            """
        )
        return target


def _measure(base: Base, added: bool) -> str:
    name = _BASES[base]
    return f"({name} - least({name}, deduction))" if added else name


def _rulings(
    plan: Plan, item: Item, verdict: Verdict
) -> Iterator[tuple[int, bool, str, str | None, int | None, str, str]]:
    """Yield document, in another role, group, reason, measure (none where none counts), and what
    stands before and after a contract's base in the JSON answer.
    """
    for place, ruling in enumerate(verdict.rulings):
        key = ruling.group.key if ruling.group else ""
        for elsewhere in (False, True):
            reason = ruling.reason
            if reason is None and elsewhere:
                reason = Reason.COUNTED_IN_OTHER_ROLE
            measure = None
            if reason is None and ruling.group is not None:
                measure = plan.measure_of(item, place, ruling.group)
            before = f', "group": {json.dumps(key, ensure_ascii=False)}, "base": "'
            counted = json.dumps({"counted": reason is None, "reason": reason})
            yield place, elsewhere, key, reason, measure, before, f'", {counted[1:]}'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _quoted(values: Iterable[str]) -> str:
    return ", ".join(_text(value) for value in values)


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
