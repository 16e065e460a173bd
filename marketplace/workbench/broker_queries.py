"""The desk of a broker: the pipeline below what is to be done today, and the year's commission."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.brokerage import queries as brokerage
from marketplace.brokerage.rules import AFTER_SIGNING, TALKING, DealStage
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.clock import local_date
from marketplace.workbench.rules import Act, Figure, Panel, Part


def part(session: Session, actor: Actor, now: datetime) -> Part:
    """Read what a broker's desk shows."""
    progress = brokerage.progress(session, actor, now=now)
    counts = progress.counts
    figures = [
        Figure(f"{sum(counts[s] for s in TALKING):,}", "个", "在谈项目", "brokerage.board"),
        Figure(f"{sum(counts[s] for s in AFTER_SIGNING):,}", "个", "签约之后"),
        Figure(f"{counts[DealStage.LOST]:,}", "个", "未成，原因已写明"),
    ]
    panels = [
        Panel(
            "workbench/panels/pipeline.html",
            "项目进度",
            progress,
            more=Act("打开项目板", "brokerage.board"),
        )
    ]
    if actor.has(Role.BROKER):
        panels += _own(session, actor, now)
    acts = [Act("新建项目", "brokerage.open_deal"), Act("今日待办", "brokerage.today")]
    if actor.has(Role.BROKER):
        acts += [Act("撮合台", "discovery.desk"), Act("名录资料", "brokerage.profile")]
    if actor.has(Role.AGENCY_HEAD):
        acts.append(Act("机构备案", "brokerage.own_filing"))
    return Part(figures, acts, panels)


def _own(session: Session, actor: Actor, now: datetime) -> list[Panel]:
    year = local_date(now).year
    totals = brokerage.commission_totals(session, actor.user_id or 0, year)
    requests = brokerage.requests_for(session, actor)
    return [
        Panel(
            "workbench/panels/requests.html",
            "请我联系的",
            requests[:5],
            note=f"{len(requests)} 条",
            beside=True,
        ),
        Panel("workbench/panels/commission.html", "佣金", totals, note=f"{year} 年", beside=True),
    ]
