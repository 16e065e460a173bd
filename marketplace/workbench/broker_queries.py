"""The desk of a broker: the pipeline below what is to be done today."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.brokerage import deal_queries
from marketplace.brokerage.deal_queries import DealFilter
from marketplace.brokerage.rules import AFTER_SIGNING, TALKING, DealStage
from marketplace.foundation.access import Actor
from marketplace.workbench.rules import Act, Figure, Panel, Part


def part(session: Session, actor: Actor, now: datetime) -> Part:
    """Read what a broker's desk shows."""
    board = deal_queries.board(session, actor, chosen=DealFilter(), now=now)
    going_on = sum(board.counts[stage] for stage in TALKING)
    signed = sum(board.counts[stage] for stage in AFTER_SIGNING)
    figures = [
        Figure(f"{going_on:,}", "个", "在谈项目", "brokerage.board"),
        Figure(f"{signed:,}", "个", "签约之后", "brokerage.board"),
        Figure(f"{board.counts[DealStage.LOST]:,}", "个", "未成，原因已写明", "brokerage.board"),
    ]
    pipeline = Panel(
        "workbench/panels/pipeline.html",
        "项目进度",
        board,
        more=Act("打开项目板", "brokerage.board"),
    )
    return Part(figures, [Act("新建项目", "brokerage.open")], [pipeline])
