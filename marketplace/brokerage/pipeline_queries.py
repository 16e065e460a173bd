"""What the pages of pipelines show: how much each is used, and where a deal would go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.brokerage.deal_queries import DealView, visible_to
from marketplace.brokerage.facts_queries import facts_of
from marketplace.brokerage.models import Deal
from marketplace.brokerage.parameters import stale_days_on
from marketplace.brokerage.pipeline_parameters import pipelines
from marketplace.brokerage.pipeline_rules import (
    Checked,
    Pipeline,
    Step,
    checklist,
    following,
    landing,
)
from marketplace.brokerage.rules import TALKING
from marketplace.foundation.access import Actor
from marketplace.foundation.clock import local_date


@dataclass(frozen=True)
class PipelineUse:
    """A pipeline, and how many deals its reader sees being talked over at each of its steps."""

    pipeline: Pipeline
    counts: Mapping[str, int]
    stale_days: Mapping[str, int]

    @property
    def count(self) -> int:
        """Count the deals that are talked over in it."""
        return sum(self.counts.values())

    @property
    def road(self) -> list[tuple[str, str, str]]:
        """Return its steps with the end as a picture shows them: none is done yet."""
        return [(step.label, "", "") for step in self.pipeline.steps]


def pipelines_with_use(session: Session, actor: Actor, *, now: datetime) -> list[PipelineUse]:
    """List the pipelines with the deals that the actor may see in them, in one statement."""
    counted = {
        (pipeline, step): count
        for pipeline, step, count in session.execute(
            select(Deal.pipeline, Deal.step, func.count())
            .where(visible_to(session, actor), Deal.stage.in_(TALKING))
            .group_by(Deal.pipeline, Deal.step)
        )
    }
    platform_days = stale_days_on(local_date(now))
    return [
        PipelineUse(
            each,
            {step.code: counted.get((each.code, step.code), 0) for step in each.talking},
            {step.code: step.stale_days or platform_days for step in each.talking},
        )
        for each in pipelines().every
    ]


@dataclass(frozen=True)
class Way:
    """A pipeline that a deal could change to: where it would stand, and what it would need next."""

    pipeline: Pipeline
    landing: Step
    following: Step
    checks: tuple[Checked, ...]


def ways_of(session: Session, deal: DealView, *, now: datetime) -> list[Way]:
    """List the pipelines that a deal could change to; none once it is signed."""
    if deal.stage not in TALKING:
        return []
    facts = facts_of(session, session.get_one(Deal, deal.id), today=local_date(now))
    ways = []
    for each in pipelines().offered:
        if each.code == deal.pipeline.code:
            continue
        landed = landing(each, facts)
        after = following(each, landed.code)
        assert after is not None  # what is talked over is followed by the common end
        ways.append(Way(each, landed, after, checklist(facts, after)))
    return ways
