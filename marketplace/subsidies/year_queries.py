"""A year's results: computed with their explanations, and read again as they were stored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import TypeAdapter
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen
from marketplace.subsidies.calculation_rules import Calculation
from marketplace.subsidies.explanation_rules import Explanation, explain
from marketplace.subsidies.models import Claim, ContractFact
from marketplace.subsidies.parameters import Policy, select_policies
from marketplace.subsidies.rules import COUNTS
from marketplace.subsidies.word_rules import Item
from marketplace.subsidies.year_facts_queries import Year, load_year
from marketplace.subsidies.year_models import YearResult, YearRun

_EXPLANATION = TypeAdapter(Explanation)
# Organisations at once: enough portions that no processor waits long for the last.
_PORTION = 200


@dataclass(frozen=True)
class ComputedResult:
    """One result as it will be stored; ``explanation`` is JSON."""

    organisation_id: int
    item: Item
    policy_id: str
    amount_fen: Fen
    contract_count: int
    counted_count: int
    digest: str
    explanation: str


@dataclass(frozen=True)
class ComputedYear:
    """A computed year; ``results`` is None where the last run already found the same."""

    year: int
    known_on: date
    fingerprint: str
    contract_count: int
    results: tuple[ComputedResult, ...] | None


# Maps a function over parts of the work, in order: the built-in, or one on several processes.
PortionMap = Callable[
    [Callable[[list[str]], list[ComputedResult]], Iterable[list[str]]],
    Iterable[list[ComputedResult]],
]


@dataclass(frozen=True)
class PreparedYear:
    """All that a year's results rest on, read from the database and no longer bound to it."""

    facts: Year
    chosen: tuple[Policy, ...]
    known_on: date
    fingerprint: str
    known: bool

    def compute(self, portion_map: PortionMap = map) -> ComputedYear:
        """Compute and explain everybody's items, portion by portion."""
        results = None
        if not self.known:
            calculation = self.facts.calculation(self.chosen)
            keys = sorted(calculation.held)
            portions = [keys[i : i + _PORTION] for i in range(0, len(keys), _PORTION)]
            found = portion_map(lambda portion: self._explained(calculation, portion), portions)
            results = tuple(result for part in found for result in part)
        return ComputedYear(
            self.facts.year, self.known_on, self.fingerprint, self.facts.contract_count, results
        )

    def _explained(self, calculation: Calculation, keys: list[str]) -> list[ComputedResult]:
        found = []
        for result in calculation.results(keys):
            told = explain(result, self.facts.parties)
            packed = _EXPLANATION.dump_json(told)
            found.append(
                ComputedResult(
                    organisation_id=int(result.party.key),
                    item=result.item,
                    policy_id=result.paying.policy.id if result.paying else "",
                    amount_fen=result.amount_fen,
                    contract_count=len(result.contracts),
                    counted_count=told.counted_count,
                    digest=hashlib.sha256(packed).hexdigest(),
                    explanation=packed.decode(),
                )
            )
        return found


@dataclass(frozen=True)
class RunView:
    """A run as pages show it; amounts in fen."""

    id: int
    year: int
    known_on: date
    computed_at: datetime
    checked_at: datetime
    contract_count: int
    result_count: int
    changed_count: int
    total_fen: Fen


@dataclass(frozen=True)
class ResultView:
    """A stored result; ``before_fen`` is what an earlier run found, ``decided_fen`` what was
    applied for or approved, which a later run never changes.
    """

    id: int
    run_id: int
    year: int
    organisation_id: int
    organisation_name: str
    item: Item
    policy_id: str
    amount_fen: Fen
    before_fen: Fen | None
    decided_fen: Fen | None
    contract_count: int
    counted_count: int
    current: bool
    computed_at: datetime
    known_on: date


def compute_year(
    session: Session, year: int, *, known_on: date, again: bool = False
) -> ComputedYear:
    """Compute and explain every organisation's items of a year from the registered facts."""
    return prepare_year(session, year, known_on=known_on, again=again).compute()


def prepare_year(
    session: Session, year: int, *, known_on: date, again: bool = False
) -> PreparedYear:
    """Load a year's facts, to be computed under the documents known on a day.

    Where the last run found the same facts under the same documents there is nothing to compute,
    unless it is asked for ``again``.
    """
    facts = load_year(session, year)
    chosen = tuple(select_policies(known_on=known_on))
    fingerprint = facts.fingerprint(chosen)
    last = latest_run(session, year)
    known = not again and last is not None and last.fingerprint == fingerprint
    return PreparedYear(facts, chosen, known_on, fingerprint, known)


def latest_run(session: Session, year: int) -> YearRun | None:
    """Return the last run of a year that found something new, or None."""
    return session.scalar(
        select(YearRun).where(YearRun.year == year).order_by(YearRun.id.desc()).limit(1)
    )


def runs_of(session: Session, year: int) -> list[RunView]:
    """List a year's runs, the latest first."""
    rows = session.scalars(
        select(YearRun).where(YearRun.year == year).order_by(YearRun.id.desc()).limit(50)
    )
    return [_run_view(row) for row in rows]


def computed_years(session: Session) -> list[RunView]:
    """List every computed year by its last run, the latest year first."""
    newest = select(func.max(YearRun.id)).group_by(YearRun.year)
    rows = session.scalars(
        select(YearRun).where(YearRun.id.in_(newest)).order_by(YearRun.year.desc())
    )
    return [_run_view(row) for row in rows]


def fact_years(session: Session) -> list[int]:
    """List the years between the first and the last registered contract, latest first."""
    first, last = session.execute(
        select(func.min(ContractFact.registered_on), func.max(ContractFact.registered_on)).where(
            ContractFact.cancelled_on.is_(None)
        )
    ).one()
    return [] if first is None else list(range(last.year, first.year - 1, -1))


def results_of_year(
    session: Session,
    year: int,
    *,
    item: Item | None = None,
    changed: bool = False,
    after: str | None = None,
    size: int = 50,
) -> Page[ResultView]:
    """Read one page of a year's current results, the largest amount first.

    ``changed`` leaves only those in which the last runs found another amount than before.
    """
    statement = select(YearResult).where(
        YearResult.year == year, YearResult.superseded_by_id.is_(None)
    )
    if item is not None:
        statement = statement.where(YearResult.item == item)
    if changed:
        statement = statement.where(YearResult.before_fen != YearResult.amount_fen)
    else:
        statement = statement.where(YearResult.amount_fen > 0)
    page = paginate(
        session,
        statement,
        keys=[YearResult.amount_fen.desc(), YearResult.id.asc()],
        after=after,
        size=size,
    )
    views = _result_views(session, page.items)
    return page.map(lambda row: views[row.id])


def result_history(session: Session, result_id: int) -> list[ResultView]:
    """Return one result and those it took the place of, the latest first, or raise ``NotFound``."""
    row = session.get(YearResult, result_id)
    if row is None:
        raise NotFound()
    rows = list(
        session.scalars(
            select(YearResult)
            .where(
                YearResult.year == row.year,
                YearResult.organisation_id == row.organisation_id,
                YearResult.item == row.item,
            )
            .order_by(YearResult.id.desc())
        )
    )
    views = _result_views(session, rows)
    return [views[each.id] for each in rows]


def stored_explanation(session: Session, result_id: int) -> Explanation:
    """Return a result's explanation as it was stored, or raise ``NotFound``."""
    packed = session.scalar(select(YearResult.explanation).where(YearResult.id == result_id))
    if packed is None:
        raise NotFound()
    return _EXPLANATION.validate_json(packed)


def totals_by_item(session: Session, year: int) -> list[tuple[Item, int, Fen]]:
    """Sum a year's current results by item: item, organisations that get something, amount."""
    rows = session.execute(
        select(YearResult.item, func.count(), func.sum(YearResult.amount_fen))
        .where(
            YearResult.year == year,
            YearResult.superseded_by_id.is_(None),
            YearResult.amount_fen > 0,
        )
        .group_by(YearResult.item)
    )
    found = {item: (count, Fen(int(total))) for item, count, total in rows}
    return [(item, *found.get(item, (0, Fen(0)))) for item in Item]


def _result_views(session: Session, rows: Sequence[YearResult]) -> dict[int, ResultView]:
    names = accounts.get_organisations(session, {row.organisation_id for row in rows})
    runs = {
        run.id: run
        for run in session.scalars(
            select(YearRun).where(YearRun.id.in_({row.run_id for row in rows}))
        )
    }
    decided = _decided(session, {row.year for row in rows}, {row.organisation_id for row in rows})
    return {
        row.id: ResultView(
            id=row.id,
            run_id=row.run_id,
            year=row.year,
            organisation_id=row.organisation_id,
            organisation_name=names[row.organisation_id].name,
            item=row.item,
            policy_id=row.policy_id,
            amount_fen=row.amount_fen,
            before_fen=row.before_fen,
            decided_fen=decided.get((row.year, row.organisation_id, row.item)),
            contract_count=row.contract_count,
            counted_count=row.counted_count,
            current=row.superseded_by_id is None,
            computed_at=runs[row.run_id].computed_at,
            known_on=runs[row.run_id].known_on,
        )
        for row in rows
    }


def _decided(
    session: Session, years: set[int], organisation_ids: set[int]
) -> dict[tuple[int, int, Item], Fen]:
    """Sum what was applied for, or approved, by year, organisation and item."""
    amount = func.coalesce(Claim.approved_fen, Claim.claimed_fen)
    rows = session.execute(
        select(Claim.year, Claim.organisation_id, Claim.item, func.sum(amount))
        .where(
            Claim.year.in_(years),
            Claim.organisation_id.in_(organisation_ids),
            Claim.status.in_(COUNTS),
        )
        .group_by(Claim.year, Claim.organisation_id, Claim.item)
    )
    # What rests on other grounds than contracts is no part of a year's calculation.
    return {
        (year, who, item): Fen(int(total))
        for year, who, claimed, total in rows
        if (item := claimed.contracts) is not None
    }


def _run_view(row: YearRun) -> RunView:
    return RunView(
        row.id,
        row.year,
        row.known_on,
        row.computed_at,
        row.checked_at,
        row.contract_count,
        row.result_count,
        row.changed_count,
        row.total_fen,
    )
