"""The board: one pipeline at a time, a lane per step; and all pipelines at a glance by stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from marketplace.brokerage.deal_queries import DealFilter, DealRow, narrowed, rows_of, visible_to
from marketplace.brokerage.models import Deal
from marketplace.brokerage.pipeline_parameters import pipelines
from marketplace.brokerage.pipeline_rules import Pipeline, Step
from marketplace.brokerage.rules import CLOSED, TALKING, DealStage
from marketplace.foundation.access import Actor
from marketplace.foundation.clock import local_date

_BOARD_LIMIT = 300


@dataclass(frozen=True)
class Lane:
    """A column of the board; ``count`` counts what stands in the step, shown or not."""

    step: Step
    deals: tuple[DealRow, ...]
    count: int


@dataclass(frozen=True)
class Tab:
    """A pipeline to which the board can turn, and how many deals are talked over in it."""

    pipeline: Pipeline
    count: int


@dataclass(frozen=True)
class Board:
    """The board of one pipeline; ``counts`` counts its deals by stage, ended ones too."""

    pipeline: Pipeline
    tabs: tuple[Tab, ...]
    lanes: tuple[Lane, ...]
    counts: Mapping[DealStage, int]
    overdue_count: int

    @property
    def deal_count(self) -> int:
        """Count all deals of the pipeline."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class Progress:
    """How many deals of all pipelines stand in each stage, and those talked over by urgency."""

    counts: Mapping[DealStage, int]
    urgent: Mapping[DealStage, tuple[DealRow, ...]]


def progress(session: Session, actor: Actor, *, now: datetime) -> Progress:
    """Read how all the deals that the actor may see stand, whatever their pipelines."""
    condition = visible_to(session, actor)
    counted = session.execute(
        select(Deal.stage, func.count()).where(condition).group_by(Deal.stage)
    )
    counts = dict.fromkeys(DealStage, 0)
    for stage, count in counted:
        counts[stage] = count
    rows = rows_of(session, actor, _talked(session, condition), now=now)
    urgent = {stage: tuple(row for row in rows if row.stage is stage) for stage in TALKING}
    return Progress(counts, urgent)


def _talked(session: Session, *conditions: ColumnElement[bool]) -> Sequence[Deal]:
    """Read the deals that are talked over, the most urgent first."""
    return session.scalars(
        select(Deal)
        .where(*conditions, Deal.stage.in_(TALKING))
        .order_by(Deal.next_task_on.is_(None), Deal.next_task_on, Deal.touched_at.desc())
        .limit(_BOARD_LIMIT)
    ).all()


def board(session: Session, actor: Actor, *, chosen: DealFilter, now: datetime) -> Board:
    """Read the board of the deals that the actor may see, in the pipeline that is chosen.

    When none is chosen it is the first in which deals are talked over. Step and stage of the
    filter narrow nothing: they are the board's columns.
    """
    everywhere = replace(chosen, pipeline=None, step=None, stage=None)
    conditions = [visible_to(session, actor), *narrowed(everywhere, now)]
    counted: dict[tuple[str, DealStage, str], int] = {
        (pipeline, stage, step): count
        for pipeline, stage, step, count in session.execute(
            select(Deal.pipeline, Deal.stage, Deal.step, func.count())
            .where(*conditions)
            .group_by(Deal.pipeline, Deal.stage, Deal.step)
        )
    }
    tabs = _tabs(counted)
    pipeline = _shown(chosen, tabs)
    conditions.append(Deal.pipeline == pipeline.code)
    rows = rows_of(session, actor, _talked(session, *conditions), now=now)
    late = session.scalar(
        select(func.count()).where(
            *conditions, Deal.next_task_on < local_date(now), Deal.stage.not_in(CLOSED)
        )
    )
    counts = dict.fromkeys(DealStage, 0)
    for (code, stage, _step), count in counted.items():
        if code == pipeline.code:
            counts[stage] += count
    lanes = tuple(
        Lane(
            step,
            tuple(row for row in rows if row.step.code == step.code),
            counted.get((pipeline.code, step.stage, step.code), 0),
        )
        for step in pipeline.talking
    )
    return Board(pipeline, tabs, lanes, counts, late or 0)


def _tabs(counted: Mapping[tuple[str, DealStage, str], int]) -> tuple[Tab, ...]:
    """Return the pipelines to turn to: those offered, and retired ones with deals in them."""
    talked = dict.fromkeys((each.code for each in pipelines().every), 0)
    for (code, stage, _step), count in counted.items():
        talked[code] += count * (stage in TALKING)
    return tuple(
        Tab(each, talked[each.code])
        for each in pipelines().every
        if talked[each.code] or not each.retired
    )


def _shown(chosen: DealFilter, tabs: tuple[Tab, ...]) -> Pipeline:
    asked = pipelines().find(chosen.pipeline or "")
    filled = (tab.pipeline for tab in tabs if tab.count)
    return asked or next(filled, tabs[0].pipeline)
