"""Reads of the boards: figures against targets, turnover by month, field, district and type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, extract, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.rules import SELLER_KINDS, District, OrganisationKind
from marketplace.brokerage import queries as brokerage
from marketplace.brokerage.register_rules import FilingStatus
from marketplace.foundation import outbox
from marketplace.foundation.clock import local_date
from marketplace.foundation.money import FEN_PER_YUAN, Fen
from marketplace.foundation.outbox import ParkedDelivery
from marketplace.statistics.models import ContractFact, Fact
from marketplace.statistics.parameters import Target, targets
from marketplace.statistics.rules import (
    FUNNEL,
    Measure,
    Share,
    Side,
    Standing,
    counted_year,
    with_bars,
)
from marketplace.training import queries as training

_NOT_TOLD = "未填写"
_OUTSIDE = "济南以外"


@dataclass(frozen=True)
class TargetLine:
    """A target with its live figure and how that figure was counted."""

    target: Target
    standing: Standing
    counted: str


@dataclass(frozen=True)
class Turnover:
    """Registered contracts of a period."""

    count: int
    amount_fen: Fen
    technology_fen: Fen
    brokered_count: int


@dataclass(frozen=True)
class MonthLine:
    """One month: what was registered."""

    month: int
    count: int
    amount_fen: Fen
    technology_fen: Fen


@dataclass(frozen=True)
class FunnelLine:
    """One month of the operator's funnel, a count per measure of ``FUNNEL``."""

    month: int
    counts: tuple[int, ...]
    contract_count: int
    paid_claim_count: int


@dataclass(frozen=True)
class Health:
    """What the platform itself waits for."""

    undelivered_count: int
    parked: Sequence[ParkedDelivery]


def _counts() -> ColumnElement[bool]:
    return ContractFact.cancelled_on.is_(None)


def _in_year(year: int) -> ColumnElement[bool]:
    return ContractFact.registered_on.between(date(year, 1, 1), date(year, 12, 31))


def target_lines(session: Session, *, now: datetime) -> list[TargetLine]:
    """Hold the live figures against every target of the city's documents."""
    today = local_date(now)
    return [_target_line(session, target, today) for target in targets()]


def targets_by_document(session: Session, *, now: datetime) -> dict[str, list[TargetLine]]:
    """Return the same, document by document, in the order of the documents."""
    groups: dict[str, list[TargetLine]] = {}
    for line in target_lines(session, now=now):
        groups.setdefault(line.target.document, []).append(line)
    return groups


def _target_line(session: Session, target: Target, today: date) -> TargetLine:
    value, counted = _figure(session, target, today)
    goal = target.value * FEN_PER_YUAN if target.is_money else target.value
    return TargetLine(target, Standing(value, goal), counted)


def _figure(session: Session, target: Target, today: date) -> tuple[int, str]:
    year = counted_year(target.due_on, today)
    if target.key == "achievements_listed":
        listed = _subjects(Measure.ACHIEVEMENT_LISTED)
        assessed = _subjects(Measure.ACHIEVEMENT_ASSESSED)
        both = session.scalar(
            select(func.count()).select_from(listed.intersect(assessed).subquery())
        )
        return both or 0, (
            f"挂过牌的 {count(session, Measure.ACHIEVEMENT_LISTED)} 项，"
            f"评估过的 {count(session, Measure.ACHIEVEMENT_ASSESSED)} 项，两者都有的计入"
        )
    if target.key == "partner_institutions":
        return accounts.count_organisations(session, SELLER_KINDS), "已核验的高校、院所与新型机构"
    if target.key in ("brokers_trained", "brokers_2025"):
        return brokerage.count_brokers(session), (
            f"按名册上的技术经理人计，其中取得平台培训证书 {training.count_trained(session)} 人"
        )
    if target.key == "transfer_institutions_2025":
        return _filed_agencies(session, today), "备案在有效期内的机构"
    if target.key == "turnover_universities_2025":
        return turnover(
            session, year, seller_kind=OrganisationKind.UNIVERSITY
        ).amount_fen, f"{year} 年登记，卖方为高校"
    return turnover(session, year).amount_fen, f"{year} 年登记的技术合同"


def _filed_agencies(session: Session, today: date) -> int:
    filings = brokerage.list_filings(session, status=FilingStatus.APPROVED)
    return len(
        {
            filing.organisation_id
            for filing in filings
            if filing.valid_from and filing.valid_to
            if filing.valid_from <= today <= filing.valid_to
        }
    )


def _subjects(measure: Measure) -> Select[str]:
    return select(Fact.subject).where(Fact.measure == measure)


def count(session: Session, measure: Measure) -> int:
    """Count everything that was ever noted of a measure."""
    return (
        session.scalar(select(func.count()).select_from(Fact).where(Fact.measure == measure)) or 0
    )


def turnover(
    session: Session, year: int, *, seller_kind: OrganisationKind | None = None
) -> Turnover:
    """Sum the contracts registered in a year, cancelled ones left out."""
    statement = select(
        func.count(),
        func.coalesce(func.sum(ContractFact.amount_fen), 0),
        func.coalesce(func.sum(ContractFact.technology_amount_fen), 0),
        func.count().filter(ContractFact.brokered.is_(True)),
    ).where(_in_year(year), _counts())
    if seller_kind is not None:
        statement = statement.where(ContractFact.seller_kind == seller_kind)
    number, amount, technology, brokered = session.execute(statement).one()
    return Turnover(number, Fen(int(amount)), Fen(int(technology)), brokered)


def first_year(session: Session, *, now: datetime) -> int:
    """Return the first year with a registered contract; this year where there is none."""
    first = session.scalar(select(func.min(ContractFact.registered_on)))
    return (first or local_date(now)).year


def by_month(session: Session, year: int) -> list[MonthLine]:
    """List the twelve months of a year with what was registered in them."""
    month = extract("month", ContractFact.registered_on)
    rows = session.execute(
        select(
            month,
            func.count(),
            func.sum(ContractFact.amount_fen),
            func.sum(ContractFact.technology_amount_fen),
        )
        .where(_in_year(year), _counts())
        .group_by(month)
    )
    found = {int(m): (n, Fen(int(amount)), Fen(int(tech))) for m, n, amount, tech in rows}
    empty = (0, Fen(0), Fen(0))
    return [MonthLine(m, *found.get(m, empty)) for m in range(1, 13)]


def by_field(session: Session, year: int) -> list[Share]:
    """Break a year's contracts down by technology field."""
    lines = _grouped(session, ContractFact.field, year)
    return with_bars(
        [(word.label if word else _NOT_TOLD, number, amount) for word, number, amount in lines]
    )


def by_type(session: Session, year: int) -> list[Share]:
    """Break a year's contracts down by contract type."""
    lines = _grouped(session, ContractFact.contract_type, year)
    return with_bars([(word.label, number, amount) for word, number, amount in lines])


def by_district(session: Session, year: int, side: Side) -> list[Share]:
    """Break a year's contracts down by the district of one side."""
    column: InstrumentedAttribute[District | None] = (
        ContractFact.seller_district if side is Side.SELLER else ContractFact.buyer_district
    )
    lines = _grouped(session, column, year)
    return with_bars(
        [(word.label if word else _OUTSIDE, number, amount) for word, number, amount in lines]
    )


def _grouped(
    session: Session, column: InstrumentedAttribute[Any], year: int
) -> list[tuple[Any, int, int]]:
    rows = session.execute(
        select(column, func.count(), func.sum(ContractFact.amount_fen))
        .where(_in_year(year), _counts())
        .group_by(column)
    )
    return [(word, number, int(amount)) for word, number, amount in rows]


def funnel(session: Session, year: int, *, today: date) -> list[FunnelLine]:
    """List the months of a year, those to come left out, with the operator's funnel."""
    month = extract("month", Fact.happened_on)
    rows = session.execute(
        select(month, Fact.measure, func.count())
        .where(Fact.happened_on.between(date(year, 1, 1), date(year, 12, 31)))
        .group_by(month, Fact.measure)
    )
    found = {(int(m), measure): number for m, measure, number in rows}
    contracts = {line.month: line.count for line in by_month(session, year)}
    return [
        FunnelLine(
            m,
            tuple(found.get((m, measure), 0) for measure in FUNNEL),
            contracts[m],
            found.get((m, Measure.CLAIM_PAID), 0),
        )
        for m in range(1, today.month + 1 if year == today.year else 13)
    ]


def health(session: Session) -> Health:
    """Return what the outbox has not delivered."""
    return Health(outbox.waiting_count(session), outbox.parked(session))
