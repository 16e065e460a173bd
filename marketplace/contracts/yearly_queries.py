"""Read a year's registered contracts for the ministry's statistics, of one registrar or of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, case, extract, func, literal, select
from sqlalchemy.orm import Session

from marketplace.contracts import parameters
from marketplace.contracts.after_models import ContractReceipt
from marketplace.contracts.models import Contract
from marketplace.contracts.payment_rules import ReceiptState
from marketplace.contracts.rules import IN_REGISTER, ContractStatus, RefusalReason
from marketplace.contracts.yearly_rules import (
    LOWER_BOUNDS,
    Aspect,
    Band,
    Table,
    make_table,
)
from marketplace.foundation.classifications import region_name
from marketplace.foundation.clock import local_date, local_midnight
from marketplace.foundation.money import Fen
from marketplace.foundation.words import Word

_NOT_TOLD = "未填写"


@dataclass(frozen=True)
class MonthSum:
    """What was registered in one month."""

    month: int
    count: int
    amount_fen: Fen
    technology_fen: Fen


@dataclass(frozen=True)
class Handling:
    """What became of a year's applications; ``in_time`` of the ``decided`` ones kept the term."""

    registered: int
    refused: dict[RefusalReason, int]
    cancelled: int
    decided: int
    in_time: int
    income_fen: Fen

    @property
    def refused_count(self) -> int:
        """Count the refusals."""
        return sum(self.refused.values())


@dataclass(frozen=True)
class Year:
    """A year's statistics: the sums, the months, every table, and how the work was done."""

    year: int
    count: int
    amount_fen: Fen
    technology_fen: Fen
    months: list[MonthSum]
    tables: list[Table]
    handling: Handling


def first_year(session: Session, *, today: date) -> int:
    """Return the first year with a registered contract; this year where there is none."""
    first = session.scalar(select(func.min(Contract.registered_on)))
    return (first or today).year


def year_of(session: Session, year: int, *, registrar_organisation_id: int | None) -> Year:
    """Read a year; without a registrar that of all registrars. Cancelled contracts count not."""
    where = _counted(year, registrar_organisation_id)
    count, amount, technology = session.execute(_sums(literal(1)).where(*where)).one()[1:]
    return Year(
        year=year,
        count=int(count),
        amount_fen=Fen(int(amount)),
        technology_fen=Fen(int(technology)),
        months=_months(session, where),
        tables=[_table(session, aspect, where) for aspect in Aspect],
        handling=_handling(session, year, registrar_organisation_id),
    )


def _counted(year: int, registrar_id: int | None) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [
        Contract.status.in_(IN_REGISTER),
        Contract.registered_on.between(date(year, 1, 1), date(year, 12, 31)),
    ]
    if registrar_id is not None:
        where.append(Contract.registrar_organisation_id == registrar_id)
    return where


def _sums(*keys: Any) -> Any:
    return select(
        *keys,
        func.count(),
        func.coalesce(func.sum(Contract.amount_fen), 0),
        func.coalesce(func.sum(Contract.technology_amount_fen), 0),
    )


def _months(session: Session, where: list[ColumnElement[bool]]) -> list[MonthSum]:
    month = extract("month", Contract.registered_on)
    rows = session.execute(_sums(month).where(*where).group_by(month))
    found = {int(m): (int(n), Fen(int(a)), Fen(int(t))) for m, n, a, t in rows}
    return [MonthSum(m, *found.get(m, (0, Fen(0), Fen(0)))) for m in range(1, 13)]


def _snapshot(side: str, key: str) -> ColumnElement[str]:
    column = Contract.seller_snapshot if side == "seller" else Contract.buyer_snapshot
    value: ColumnElement[str] = column[key].as_string()
    return value


def _band() -> ColumnElement[str]:
    # The bounds fall: the first that fits is the band.
    return case(
        *((Contract.amount_fen >= bound, band.value) for bound, band in LOWER_BOUNDS),
        else_=Band.TINY.value,
    )


def _label(word: Word | None) -> str:
    return word.label if word is not None else _NOT_TOLD


def _keys(aspect: Aspect) -> tuple[tuple[Any, ...], Callable[..., str]]:
    """Return the columns to group by, and how their values read."""
    objectives, industries = parameters.objectives(), parameters.industries()
    plain: dict[Aspect, tuple[tuple[Any, ...], Callable[..., str]]] = {
        Aspect.TYPE: ((Contract.contract_type,), _label),
        Aspect.SUBTYPE: ((Contract.subtype,), _label),
        Aspect.FIELD: ((Contract.technology_field,), _label),
        Aspect.IP_KIND: (
            (Contract.ip_kind, Contract.no_ip),
            lambda kind, none: "未涉及知识产权" if none else _label(kind),
        ),
        Aspect.BAND: ((_band(),), lambda value: Band(value).label),
        Aspect.PLAN: ((Contract.plan_source,), _label),
        Aspect.OBJECTIVE: (
            (Contract.objective_code,),
            lambda code: objectives.get(code, _NOT_TOLD),
        ),
        Aspect.INDUSTRY: (
            (Contract.industry_code,),
            lambda code: industries.get(code, _NOT_TOLD),
        ),
        Aspect.PAYMENT: ((Contract.payment_mode,), _label),
    }
    if aspect in plain:
        return plain[aspect]
    side, _, key = aspect.value.partition("_")
    if key == "place":
        columns = (_snapshot(side, "district"), _snapshot(side, "region_code"))
        return columns, lambda district, code: district or region_name(code or "") or _NOT_TOLD
    return (_snapshot(side, key),), lambda value: value or "不是企业"


def _table(session: Session, aspect: Aspect, where: list[ColumnElement[bool]]) -> Table:
    columns, read = _keys(aspect)
    rows = session.execute(_sums(*columns).where(*where).group_by(*columns))
    width = len(columns)
    read_rows = [
        (read(*row[:width]), int(row[width]), int(row[width + 1]), int(row[width + 2]))
        for row in rows
    ]
    if aspect is Aspect.BAND:
        order = {band.label: position for position, band in enumerate(Band)}
        read_rows.sort(key=lambda row: order[row[0]])
        return make_table(aspect, read_rows, ordered=True)
    return make_table(aspect, read_rows)


def _handling(session: Session, year: int, registrar_id: int | None) -> Handling:
    first, last = date(year, 1, 1), date(year, 12, 31)
    mine: list[ColumnElement[bool]] = []
    if registrar_id is not None:
        mine.append(Contract.registrar_organisation_id == registrar_id)
    decided = session.execute(
        select(
            Contract.decided_at, Contract.due_on, Contract.status, Contract.refusal_reason
        ).where(
            Contract.decided_at >= local_midnight(first),
            Contract.decided_at < local_midnight(date(year + 1, 1, 1)),
            *mine,
        )
    ).all()
    refused = Counter(
        reason
        for _at, _due, status, reason in decided
        if status is ContractStatus.REFUSED and reason is not None
    )
    terms = [(at, due) for at, due, _status, _reason in decided if at and due]
    registered = session.scalar(
        select(func.count()).where(Contract.registered_on.between(first, last), *mine)
    )
    cancelled = session.scalar(
        select(func.count()).where(Contract.cancelled_on.between(first, last), *mine)
    )
    income = session.scalar(
        select(func.coalesce(func.sum(ContractReceipt.technology_amount_fen), 0))
        .join(Contract, Contract.id == ContractReceipt.contract_id)
        .where(
            ContractReceipt.state == ReceiptState.CONFIRMED,
            ContractReceipt.received_on.between(first, last),
            *mine,
        )
    )
    return Handling(
        registered=registered or 0,
        refused=dict(refused.most_common()),
        cancelled=cancelled or 0,
        decided=len(terms),
        in_time=sum(local_date(at) <= due for at, due in terms),
        income_fen=Fen(int(income or 0)),
    )
