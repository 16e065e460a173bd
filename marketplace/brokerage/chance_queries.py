"""Reads of how deals ended, for the chances that are measured from it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from marketplace.brokerage.calibration_rules import Band, Ending, Told, bands, told_beforehand
from marketplace.brokerage.chance_models import ChanceOverride
from marketplace.brokerage.chance_rules import Chance, chances
from marketplace.brokerage.deal_queries import led_by, visible_to
from marketplace.brokerage.models import Deal
from marketplace.brokerage.rules import AFTER_SIGNING, DealStage
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.clock import local_date


def measured_chances(session: Session, actor: Actor) -> dict[DealStage, Chance]:
    """Measure the chance of each stage from the closed deals that the actor may see."""
    counted = session.execute(
        select(Deal.stage, Deal.lost_from, func.count())
        .where(Deal.stage.in_((*AFTER_SIGNING, DealStage.LOST)), visible_to(session, actor))
        .group_by(Deal.stage, Deal.lost_from)
    )
    signed, lost_from = 0, dict.fromkeys(DealStage, 0)
    for stage, reached, count in counted:
        if stage is not DealStage.LOST:
            signed += count
        elif reached is not None:
            lost_from[reached] += count
    return chances(lost_from, signed)


@dataclass(frozen=True)
class OwnChance:
    """What a deal's leader thinks of its chance, beside what was measured then."""

    percent: int
    reason: str
    measured_percent: int | None
    stage: DealStage
    set_at: datetime
    set_by_name: str


def overrides_seen_by(actor: Actor) -> ColumnElement[bool]:
    """Return the condition for the deals whose leader's own chance the actor may read.

    It is a judgement of the leading side: no party learns what its broker thinks.
    """
    if actor.has(Role.OPERATOR):
        return Deal.id.is_not(None)
    if actor.has(Role.AGENCY_HEAD):
        return or_(led_by(actor), Deal.agency_organisation_id == actor.organisation_id)
    return led_by(actor)


def own_chances(session: Session, actor: Actor, deal_ids: Collection[int]) -> dict[int, OwnChance]:
    """Read what leaders think of the chances of several deals, by deal, as the actor may read."""
    rows = session.scalars(
        select(ChanceOverride)
        .join(Deal, Deal.id == ChanceOverride.deal_id)
        .where(ChanceOverride.deal_id.in_(deal_ids), overrides_seen_by(actor))
    )
    return {
        row.deal_id: OwnChance(
            row.percent, row.reason, row.measured_percent, row.stage, row.set_at, row.set_by_name
        )
        for row in rows
    }


@dataclass(frozen=True)
class Calibration:
    """How far the measured chances came true, and the leaders' own ones."""

    measured: tuple[Band, ...]
    own: tuple[Band, ...]
    closed_count: int


def calibration(session: Session, actor: Actor) -> Calibration:
    """Judge the chances by the closed deals that the actor may see, in the order of their end."""
    visible = visible_to(session, actor)
    rows = session.execute(
        select(
            Deal.stage, Deal.lost_from, Deal.signed_on, Deal.lost_at, Deal.stage_since, Deal.id
        ).where(Deal.stage.in_((*AFTER_SIGNING, DealStage.LOST)), visible)
    ).all()
    # A signed deal ended on the day of its signature, whatever followed.
    ordered = sorted(rows, key=lambda row: (row[2] or local_date(row[3] or row[4]), row[5]))
    endings = [
        Ending(None if row[0] is not DealStage.LOST else row[1] or DealStage.LEAD)
        for row in ordered
    ]
    said = session.execute(
        select(ChanceOverride.percent, Deal.stage)
        .join(Deal, Deal.id == ChanceOverride.deal_id)
        .where(Deal.stage.in_((*AFTER_SIGNING, DealStage.LOST)), visible, overrides_seen_by(actor))
    )
    own = [Told(percent / 100, stage is not DealStage.LOST) for percent, stage in said]
    return Calibration(bands(told_beforehand(endings)), bands(own), len(endings))
