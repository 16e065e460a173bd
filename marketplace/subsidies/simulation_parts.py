"""Sums of contracts that were judged alike, and every contract of the lines that pay.

Works on the tables of ``simulation_tables``; what a verdict says is asked of ``simulation_rules``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from marketplace.subsidies.simulation_rules import AlikeSum, Line, Plan, Verdict
from marketplace.subsidies.simulation_tables import BASES, HOLDERS, KINDS, TYPES, Tables, text
from marketplace.subsidies.trace_rules import Party
from marketplace.subsidies.verdict_rules import Situation
from marketplace.subsidies.word_rules import Base, Item, Reason

_CHUNK = 20_000


@dataclass(frozen=True)
class Part:
    """One contract of a line; ``line`` is the line's place, amounts in fen."""

    line: int
    contract_no: str
    group: str
    base_fen: int
    reason: str | None


def judge(tables: Tables) -> dict[Item, list[Verdict]]:
    """Judge each situation once and note which verdict it has; return the verdicts by item."""
    rows = tables.run(
        "SELECT DISTINCT situation, type, era, fiscal_funds, seller_kind, seller_in_city,"
        " buyer_in_city, activity_repeated, filed FROM judged"
    ).fetchall()
    verdicts: dict[Item, dict[Verdict, int]] = {item: {} for item in Item}
    noted = []
    for number, kind, era, fiscal, seller, *rest in rows:
        situation = Situation(
            TYPES[kind],
            tables.plan.eras[era - 1],
            fiscal,
            None if seller is None else KINDS[seller],
            *rest,
        )
        places = []
        for item, known in verdicts.items():
            verdict = tables.plan.verdict(item, situation)
            places.append(known.setdefault(verdict, len(known)))
        noted.append((number, *places))
    names = ", ".join(f"{name} INTEGER" for name in HOLDERS.values())
    tables.run(f"CREATE TABLE situations (situation INTEGER, {names})")
    tables.insert("situations", noted)
    return {item: list(known) for item, known in verdicts.items()}


def sums(
    tables: Tables, parties: Mapping[str, Party]
) -> Iterator[tuple[Party, dict[Item, list[AlikeSum]], dict[Item, int]]]:
    """Yield each organisation that may earn something with its sums and first places."""
    listed = list(parties.values())
    tables.run("CREATE TABLE eligible (item INTEGER, id INTEGER)")
    tables.insert(
        "eligible",
        [
            (number, place)
            for number, item in enumerate(Item)
            for place, party in enumerate(listed)
            if tables.plan.may_earn(party, item)
        ],
    )
    # A sum is wider than 64 bits only above 92 million billion fen: then it stays wide.
    whole = " + ".join(f"sum({name})" for name in BASES.values())
    narrow = "::BIGINT" if tables.number(f"SELECT {whole} FROM judged") < 2**63 else ""
    measures = "".join(f", sum({_measure(m.base, m.added)}){narrow}" for m in tables.plan.measures)
    query = " UNION ALL ".join(
        f"SELECT judged.{name} AS id, {number}, situations.{name}, own_seller, own_buyer,"
        f" count(*), min(judged.rowid){measures} FROM judged JOIN situations USING (situation)"
        f" JOIN eligible ON eligible.item = {number} AND eligible.id = judged.{name}"
        " GROUP BY ALL"
        for number, name in enumerate(HOLDERS[item] for item in Item)
    )
    items = tuple(Item)
    cursor = tables.run(f"SELECT * FROM ({query}) ORDER BY id")
    last, found, first = -1, dict[Item, list[AlikeSum]](), dict[Item, int]()
    while rows := cursor.fetchmany(_CHUNK):
        for holder, number, verdict, own_seller, own_buyer, count, place, *bases in rows:
            if holder != last:
                if found:
                    yield listed[last], found, first
                last, found, first = holder, {}, {}
            item = items[number]
            alike = AlikeSum(verdict, own_seller, own_buyer, count, tuple(bases))
            found.setdefault(item, []).append(alike)
            first[item] = min(place, first.get(item, place))
    if found:
        yield listed[last], found, first


def prepare_parts(
    tables: Tables,
    lines: Sequence[Line],
    verdicts: Mapping[Item, Sequence[Verdict]],
    places: Mapping[str, int],
) -> None:
    """Note the lines that pay and what each verdict says of their contracts."""
    items = list(Item)
    tables.run(
        "CREATE TABLE lines (line INTEGER, item INTEGER, id INTEGER, document INTEGER,"
        " not_as_seller BOOLEAN, not_as_buyer BOOLEAN)"
    )
    tables.insert(
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
    tables.run(
        "CREATE TABLE rulings (item INTEGER, verdict INTEGER, document INTEGER,"
        " elsewhere BOOLEAN, group_key VARCHAR, reason VARCHAR, measure INTEGER,"
        " before VARCHAR, after VARCHAR)"
    )
    tables.insert(
        "rulings",
        [
            (number, at, *ruling)
            for number, item in enumerate(items)
            for at, verdict in enumerate(verdicts[item])
            for ruling in _rulings(tables.plan, item, verdict)
        ],
    )
    for name in ("group_key", "reason", "before", "after"):
        tables.shorten("rulings", name)


def parts(tables: Tables) -> Iterator[Part]:
    """Yield each contract of each line, by line and then as contracts are ordered."""
    cursor = tables.run(
        "SELECT line, contract_no, group_key, base, reason"
        f" FROM ({_parts(tables)}) ORDER BY line, place"
    )
    while rows := cursor.fetchmany(_CHUNK):
        yield from (Part(*row) for row in rows)


def write_parts(tables: Tables, heads: Sequence[str], firsts: Sequence[int]) -> Path:
    """Write every line's contracts as JSON into a file, each line begun by its head."""
    tables.run("CREATE TABLE heads (line INTEGER, first BIGINT, head VARCHAR)")
    tables.insert("heads", list(zip(range(len(heads)), firsts, heads, strict=True)))
    tables.shorten("heads", "head")
    target = tables.folder / "parts.json"
    # Narrow rows are sorted and only then written out as text, in their order.
    with tables.in_order():
        tables.run(
            f"""
            COPY (
              SELECT coalesce(head::VARCHAR, ', ') || '{{"contract_no": ' || to_json(contract_no)
                || before || (base::DECIMAL(15, 0) * 0.01)::VARCHAR || after
              FROM (
                SELECT contract_no, base, before, after,
                  CASE WHEN place = first THEN head END AS head
                FROM ({_parts(tables)}) JOIN heads USING (line)
                ORDER BY line, place
              )
            ) TO {text(str(target))}
            (FORMAT csv, HEADER false, DELIMITER '\x01', QUOTE '', ESCAPE '')
            """
        )
    return target


def _parts(tables: Tables) -> str:
    measures = "".join(
        f" WHEN {number} THEN {_measure(m.base, m.added)}"
        for number, m in enumerate(tables.plan.measures)
    )
    base = f"CASE measure{measures} ELSE 0 END" if measures else "0"
    return " UNION ALL ".join(
        f"SELECT line, judged.rowid AS place, contract_no, group_key, ({base})::BIGINT AS base,"
        " reason, before, after FROM judged JOIN situations USING (situation)"
        f" JOIN lines ON lines.item = {number} AND lines.id = judged.{name}"
        f" JOIN rulings ON rulings.item = {number} AND rulings.verdict = situations.{name}"
        " AND rulings.document = lines.document AND rulings.elsewhere ="
        " ((own_seller AND not_as_seller) OR (own_buyer AND not_as_buyer))"
        for number, name in enumerate(HOLDERS[item] for item in Item)
    )


def _measure(base: Base, added: bool) -> str:
    name = BASES[base]
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
