"""The desk of a service institution: the orders it was given."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.assessments import queries as assessments
from marketplace.assessments.rules import AssessmentState
from marketplace.foundation.access import Actor, Role
from marketplace.workbench.rules import Act, Figure, Panel, Part

_SHOWN = 8


def part(session: Session, actor: Actor, now: datetime) -> Part:
    """Read what a service institution's desk shows."""
    if not actor.has(Role.ASSESSOR):
        return Part()
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
