"""Where deals stand in their pipelines, and since when nobody spoke with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, not_, or_, select
from sqlalchemy.orm import Session

from marketplace.brokerage.models import Deal
from marketplace.brokerage.parameters import stale_days_on
from marketplace.brokerage.pipeline_parameters import pipelines
from marketplace.brokerage.pipeline_rules import Pipeline, Step
from marketplace.brokerage.rules import TALKING
from marketplace.foundation.clock import local_date


def place_of(deal: Deal) -> tuple[Pipeline, Step]:
    """Return the pipeline and the step of a stored deal; a lost one keeps where it got to."""
    pipeline = pipelines().get(deal.pipeline)
    return pipeline, pipeline.step(deal.step)


def step_problems(session: Session) -> list[str]:
    """Name the places in which deals stand and that the file of pipelines does not know."""
    stood = session.execute(
        select(Deal.pipeline, Deal.step, func.count()).group_by(Deal.pipeline, Deal.step)
    )
    known = {(each.code, step.code) for each in pipelines().every for step in each.steps}
    return [
        f"pipelines: {count} deals stand in {pipeline}/{step}, which pipelines.yaml does not have; "
        "put it back, with `retired: true` if it is not wanted any more"
        for pipeline, step, count in stood
        if (pipeline, step) not in known
    ]


def stale_clock(now: datetime) -> Callable[[Deal, Step], bool]:
    """Return what tells of a stored deal and its step whether it goes stale."""
    platform_days = stale_days_on(local_date(now))

    def stale(deal: Deal, step: Step) -> bool:
        days = step.stale_days or platform_days
        spoken = deal.last_contact_at or deal.opened_at
        return deal.stage in TALKING and spoken < now - timedelta(days=days)

    return stale


def went_stale(now: datetime) -> ColumnElement[bool]:
    """Return the same as ``stale_clock`` as a condition; steps with a clock of their own apart."""
    spoken = func.coalesce(Deal.last_contact_at, Deal.opened_at)
    own_clocks = [
        (and_(Deal.pipeline == pipeline.code, Deal.step == step.code), step.stale_days)
        for pipeline in pipelines().every
        for step in pipeline.talking
        if step.stale_days is not None
    ]
    limit = now - timedelta(days=stale_days_on(local_date(now)))
    return and_(
        Deal.stage.in_(TALKING),
        or_(
            and_(spoken < limit, *(not_(stands_there) for stands_there, _ in own_clocks)),
            *(
                and_(stands_there, spoken < now - timedelta(days=days))
                for stands_there, days in own_clocks
            ),
        ),
    )
