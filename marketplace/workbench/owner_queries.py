"""The desk of a university or institute: its achievements, how far each came, why deals failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from marketplace.achievements import queries as achievements
from marketplace.achievements.queries import AchievementRow
from marketplace.achievements.rules import VISIBLE_STATES, AchievementState
from marketplace.brokerage import queries as brokerage
from marketplace.brokerage.rules import AFTER_SIGNING, LEARN, DealStage
from marketplace.contracts import queries as contracts
from marketplace.exchange import queries as exchange
from marketplace.foundation.access import Actor, Role, permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.money import scale
from marketplace.workbench.rules import Act, Figure, Panel, Part

_SHOWN = 8
_LOOKED_AT = 100
_TALKS = frozenset(
    {
        DealStage.TECHNICAL_TALK,
        DealStage.PRICE_TALK,
        DealStage.CONTRACT_DRAFT,
        *AFTER_SIGNING,
    }
)


@dataclass(frozen=True)
class FunnelRow:
    """How far one achievement came: enquiries, talks and contracts, each part of the one before."""

    achievement: AchievementRow
    enquiries: int
    talks: int
    contracts: int


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
    today = local_date(now)
    amount, unit = scale(
        contracts.seller_turnover(
            session, actor.organisation_id or 0, date(today.year, 1, 1), today
        ).amount_fen
    )
    figures.append(Figure(amount, unit, "本年登记合同额", "contracts.index"))
    acts = []
    if actor.has(Role.OFFICER, Role.ORG_ADMIN, Role.INVENTOR):
        acts.append(Act("登记成果", "achievements.create"))
    if actor.has(Role.OFFICER, Role.ORG_ADMIN):
        acts.append(Act("导入 Excel", "exchange.upload", {"kind": "achievements"}))
    acts += [Act("撮合项目", "brokerage.index"), Act("技术合同", "contracts.index")]
    panels = [
        Panel(
            "workbench/panels/funnel.html",
            "每项成果走到哪一步",
            funnel(session, actor),
            more=Act("全部成果", "achievements.mine"),
        )
    ]
    if permits(actor, LEARN):
        lost = brokerage.lost_counts(session, actor)
        panels.append(
            Panel(
                "workbench/panels/lost.html",
                "没谈成的原因",
                lost,
                more=Act(f"共 {sum(entry.count for entry in lost)} 次", "brokerage.lessons"),
                beside=True,
            )
        )
    if actor.has(Role.OFFICER, Role.ORG_ADMIN):
        panels.append(
            Panel(
                "workbench/panels/import.html",
                "最近一次导入",
                exchange.latest(session, actor),
                more=Act("全部导入", "exchange.index"),
                beside=True,
            )
        )
    return Part(figures, acts, panels)


def funnel(session: Session, actor: Actor) -> list[FunnelRow]:
    """List the actor's achievements that others can see, those that came furthest first."""
    rows = [
        row
        for row in achievements.owned_by(session, actor, size=_LOOKED_AT).items
        if row.state in VISIBLE_STATES or row.state is AchievementState.TRANSFERRED
    ]
    stages = brokerage.stages_of_achievements(session, [row.id for row in rows])
    lines = [_line(row, stages.get(row.id, {})) for row in rows]
    lines.sort(key=lambda line: (-line.contracts, -line.talks, -line.enquiries))
    return lines[:_SHOWN]


def _line(row: AchievementRow, stages: Mapping[DealStage, int]) -> FunnelRow:
    return FunnelRow(
        row,
        enquiries=sum(stages.values()),
        talks=sum(count for stage, count in stages.items() if stage in _TALKS),
        contracts=sum(count for stage, count in stages.items() if stage in AFTER_SIGNING),
    )
