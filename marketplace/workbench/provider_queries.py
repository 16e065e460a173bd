"""The desk of a service institution: the orders it was given."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.assessments import queries as assessments
from marketplace.assessments.rules import AssessmentState
from marketplace.foundation.access import Actor, Role
from marketplace.techservices import queries as techservices
from marketplace.workbench.rules import Act, Figure, Panel, Part

_SHOWN = 8


def part(session: Session, actor: Actor, now: datetime) -> Part:
    """Read what a service institution's desk shows."""
    if actor.has(Role.ASSESSOR):
        return _assessor_part(session, actor)
    page = techservices.list_for(session, actor, serving=True, size=_SHOWN)
    over = techservices.list_for(session, actor, serving=True, open_only=False, size=_SHOWN)
    more = "以上" if page.next_token else ""
    figures = [Figure(f"{len(page.items)}{more}", "单", "进行中的委托", "techservices.orders")]
    panel = Panel(
        "workbench/panels/orders.html",
        "服务委托",
        [*page.items, *over.items][:_SHOWN],
        more=Act("全部委托", "techservices.orders"),
    )
    return Part(figures, (), [panel])


def _assessor_part(session: Session, actor: Actor) -> Part:
    counts = assessments.count_states(session, actor)
    working = (AssessmentState.ACCEPTED, AssessmentState.SCORING)
    figures = [
        Figure(f"{counts.get(AssessmentState.ASSIGNED, 0):,}", "项", "待接受", "assessments.index"),
        Figure(f"{sum(counts.get(s, 0) for s in working):,}", "项", "评估中", "assessments.index"),
        Figure(f"{counts.get(AssessmentState.FILED, 0):,}", "份", "已备案", "assessments.index"),
    ]
    panel = Panel(
        "workbench/panels/assessments.html",
        "评估委托",
        assessments.list_for(session, actor, size=_SHOWN).items,
        more=Act("全部委托", "assessments.index"),
    )
    return Part(figures, (), [panel])
