"""The desk of a university or institute: its achievements, how far each came, why deals failed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.achievements import queries as achievements
from marketplace.achievements.rules import AchievementState
from marketplace.foundation.access import Actor, Role
from marketplace.workbench.rules import Act, Figure, Part


def part(session: Session, actor: Actor, now: datetime) -> Part:
    """Read what an owner's desk shows."""
    counts = achievements.owned_counts(session, actor)
    figures = [
        Figure(
            f"{counts.get(state, 0):,}", "项", label, "achievements.mine", {"state": state.value}
        )
        for state, label in (
            (AchievementState.LISTED, "在挂成果"),
            (AchievementState.PUBLISHED, "已发布"),
            (AchievementState.IN_DEAL, "撮合中"),
        )
    ]
    acts = []
    if actor.has(Role.OFFICER, Role.ORG_ADMIN, Role.INVENTOR):
        acts.append(Act("登记成果", "achievements.create"))
    if actor.has(Role.OFFICER, Role.ORG_ADMIN):
        acts.append(Act("导入 Excel", "exchange.upload", {"kind": "achievements"}))
    return Part(figures, acts)
