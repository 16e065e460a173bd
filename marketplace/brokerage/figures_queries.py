"""Reads for the figures of deals: funnel, chances, forecast, reasons of loss, fields, time.

Each covers the deals that its reader may see: a broker's own, an agency's, or all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from sqlalchemy import Float, and_, cast, func, select
from sqlalchemy.orm import Session

from marketplace.achievements import queries as achievements
from marketplace.brokerage.chance_models import ChanceOverride
from marketplace.brokerage.chance_queries import overrides_seen_by
from marketplace.brokerage.chance_rules import Chance, chances
from marketplace.brokerage.deal_queries import visible_to
from marketplace.brokerage.figures_rules import (
    MEASURE,
    Forecast,
    FunnelStep,
    OpenWorth,
    forecast,
    forecast_of,
    funnel,
    said,
)
from marketplace.brokerage.models import Deal
from marketplace.brokerage.rules import AFTER_SIGNING, TALKING, DealStage, LostReason
from marketplace.foundation.access import Actor, require
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TechnologyField


@dataclass(frozen=True)
class StageFigure:
    """A stage of talking: its chance, its open deals, what they are worth, how long they stand."""

    chance: Chance
    worth: OpenWorth
    forecast: Forecast
    median_days: int | None
    longest_days: int | None


@dataclass(frozen=True)
class FieldFigure:
    """The deals of one technology field; None stands for deals without an achievement."""

    field: TechnologyField | None
    count: int
    signed_count: int
    lost_count: int


@dataclass(frozen=True)
class DealFigures:
    """Everything that the page of figures shows."""

    funnel: tuple[FunnelStep, ...]
    stages: tuple[StageFigure, ...]
    total: Forecast
    with_own: Forecast
    own_count: int
    reasons: tuple[tuple[LostReason, int], ...]
    fields: tuple[FieldFigure, ...]


def deal_figures(session: Session, actor: Actor, *, now: datetime) -> DealFigures:
    """Read the figures of the deals that the actor may see, in a fixed number of statements."""
    require(actor, MEASURE)
    visible = visible_to(session, actor)
    standing, lost_from = dict.fromkeys(DealStage, 0), dict.fromkeys(DealStage, 0)
    for stage, reached, count in session.execute(
        select(Deal.stage, Deal.lost_from, func.count())
        .where(visible)
        .group_by(Deal.stage, Deal.lost_from)
    ):
        if stage is not DealStage.LOST:
            standing[stage] += count
        elif reached is not None:
            lost_from[reached] += count
    measured = chances(lost_from, sum(standing[stage] for stage in AFTER_SIGNING))
    worth = dict.fromkeys(TALKING, (0, 0, 0, 0.0))
    price = cast(Deal.amount_fen, Float)
    parts: list[tuple[OpenWorth, Chance]] = []
    own_count = 0
    for stage, percent, count, priced, amount, squares in session.execute(
        select(
            Deal.stage,
            ChanceOverride.percent,
            func.count(),
            func.count(Deal.amount_fen),
            func.sum(Deal.amount_fen),
            func.sum(price * price),
        )
        .outerjoin(
            ChanceOverride,
            and_(ChanceOverride.deal_id == Deal.id, overrides_seen_by(actor)),
        )
        .where(visible, Deal.stage.in_(TALKING))
        .group_by(Deal.stage, ChanceOverride.percent)
    ):
        group = count, count - priced, int(amount or 0), float(squares or 0)
        before = worth[stage]
        worth[stage] = (
            before[0] + group[0],
            before[1] + group[1],
            before[2] + group[2],
            before[3] + group[3],
        )
        opened_as = OpenWorth(stage, group[0], group[1], Fen(group[2]), group[3])
        parts.append((opened_as, measured[stage] if percent is None else said(percent)))
        own_count += count * (percent is not None)
    days: dict[DealStage, list[int]] = {stage: [] for stage in TALKING}
    for stage, since in session.execute(
        select(Deal.stage, Deal.stage_since).where(visible, Deal.stage.in_(TALKING))
    ):
        days[stage].append((now - since).days)
    opened = [OpenWorth(s, n, bare, Fen(sum_), sq) for s, (n, bare, sum_, sq) in worth.items()]
    reasons = session.execute(
        select(Deal.lost_reason, func.count())
        .where(visible, Deal.stage == DealStage.LOST)
        .group_by(Deal.lost_reason)
        .order_by(func.count().desc(), Deal.lost_reason)
    )
    return DealFigures(
        funnel(standing, lost_from),
        tuple(_stage_figure(stage, measured, days[stage.stage]) for stage in opened),
        forecast(opened, measured),
        forecast_of(parts),
        own_count,
        tuple((reason, count) for reason, count in reasons if reason is not None),
        _fields(session, actor),
    )


def _stage_figure(
    worth: OpenWorth, measured: Mapping[DealStage, Chance], days: list[int]
) -> StageFigure:
    return StageFigure(
        measured[worth.stage],
        worth,
        forecast([worth], measured),
        round(median(days)) if days else None,
        max(days, default=None),
    )


def _fields(session: Session, actor: Actor) -> tuple[FieldFigure, ...]:
    rows = session.execute(
        select(Deal.achievement_id, Deal.stage, func.count())
        .where(visible_to(session, actor), Deal.stage != DealStage.MERGED)
        .group_by(Deal.achievement_id, Deal.stage)
    ).all()
    known = achievements.fields_of(session, {row[0] for row in rows if row[0] is not None})
    counts: dict[TechnologyField | None, list[int]] = {}
    for achievement_id, stage, count in rows:
        line = counts.setdefault(known.get(achievement_id or 0), [0, 0, 0])
        line[0] += count
        line[1] += count * (stage in AFTER_SIGNING)
        line[2] += count * (stage is DealStage.LOST)
    return tuple(
        FieldFigure(field, *line)
        for field, line in sorted(counts.items(), key=lambda pair: -pair[1][0])
    )
