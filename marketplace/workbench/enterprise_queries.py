"""The desk of an enterprise: its needs and what answers them, its intents and their deposits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.foundation.access import Actor
from marketplace.listings import queries as listings
from marketplace.needs import queries as needs
from marketplace.needs.queries import NeedRow
from marketplace.needs.rules import NeedState
from marketplace.workbench.rules import Act, Figure, Panel, Part

_NEEDS = 6
_INTENTS = 5
_MATCHED_NEEDS = 3


@dataclass(frozen=True)
class OwnNeed:
    """One of the enterprise's needs with the number of answers."""

    row: NeedRow
    answer_count: int


def part(session: Session, actor: Actor, now: datetime) -> Part:
    """Read what an enterprise's desk shows."""
    counts = needs.owned_counts(session, actor)
    figures = [
        Figure(f"{counts.get(state, 0):,}", "项", label, "needs.mine", {"state": state.value})
        for state, label in (
            (NeedState.OPEN, "征集中的需求"),
            (NeedState.MATCHED, "撮合中的需求"),
        )
    ]
    rows = needs.owned_by(session, actor, size=_NEEDS).items
    answers = needs.answer_counts(session, [row.id for row in rows])
    panels = [
        Panel(
            "workbench/panels/needs.html",
            "我的需求",
            [OwnNeed(row, answers.get(row.id, 0)) for row in rows],
            more=Act("全部需求", "needs.mine"),
        ),
        Panel(
            "workbench/panels/matches.html",
            "新的匹配",
            [row for row in rows if row.state is NeedState.OPEN][:_MATCHED_NEEDS],
            note="按公开文字计算",
            beside=True,
        ),
        Panel(
            "workbench/panels/intents.html",
            "我的受让意向",
            listings.own_intents(session, actor, size=_INTENTS).items,
            more=Act("全部意向", "listings.my_intents"),
            beside=True,
        ),
    ]
    acts = [
        Act("发布需求", "needs.create"),
        Act("检索成果", "discovery.search"),
        Act("撮合项目", "brokerage.index"),
        Act("技术合同", "contracts.index"),
    ]
    return Part(figures, acts, panels)
