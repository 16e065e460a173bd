"""Put one's own chance of a deal beside the measured one, or take it away again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.brokerage import calibration_rules, rules
from marketplace.brokerage.chance_models import ChanceOverride
from marketplace.brokerage.chance_queries import measured_chances
from marketplace.brokerage.pipeline_service import load_led, subject
from marketplace.foundation import audit
from marketplace.foundation.access import Actor, require
from marketplace.foundation.errors import Conflict


def override_chance(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    deal_id: int,
    percent: int | None,
    reason: str,
) -> None:
    """Note what the deal's leader thinks of its chance, in whole per cent, and why."""
    require(actor, rules.LEAD)
    deal = load_led(session, actor, deal_id)
    if deal.stage not in rules.TALKING:
        raise Conflict("chance.decided", f"项目已经是“{deal.stage.label}”，不再估计签约机会")
    own, words = calibration_rules.check_override(percent, reason)
    measured = measured_chances(session, actor)[deal.stage].percent
    row = session.get(ChanceOverride, deal.id)
    before = row.percent if row is not None else None
    if row is None:
        row = ChanceOverride(deal_id=deal.id)
        session.add(row)
    row.percent, row.reason, row.stage = own, words, deal.stage
    row.measured_percent = measured
    row.set_at, row.set_by_name = now, actor.name
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="brokerage.override_chance",
        subject=subject(deal.id),
        now=now,
        before={"chance_percent": before},
        after={"chance_percent": own, "reason": words},
    )


def drop_override(session: Session, *, actor: Actor, now: datetime, deal_id: int) -> None:
    """Let the measured chance count again; nothing happens where nothing else was said."""
    require(actor, rules.LEAD)
    deal = load_led(session, actor, deal_id)
    row = session.get(ChanceOverride, deal.id)
    if row is None:
        return
    if deal.stage not in rules.TALKING:
        raise Conflict("chance.decided", "项目已有结果，当时的估计留作对照，不能再删")
    audit.record(
        session,
        actor=actor,
        action="brokerage.drop_chance",
        subject=subject(deal.id),
        now=now,
        before={"chance_percent": row.percent},
    )
    session.delete(row)
