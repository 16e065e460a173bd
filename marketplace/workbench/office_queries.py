"""The desks of the offices: registrar, reviewers of claims, and the trading centre itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.contracts import queries as contracts
from marketplace.contracts.rules import WITH_REGISTRAR, ContractStatus
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.clock import local_date
from marketplace.foundation.money import scale
from marketplace.listings import queries as listings
from marketplace.needs import queries as needs
from marketplace.needs.rules import NeedState
from marketplace.payments import queries as payments
from marketplace.payments.rules import PaymentState
from marketplace.subsidies import queries as subsidies
from marketplace.workbench.rules import Act, Figure, Panel, Part

_ROUNDS = 4


def registrar_part(session: Session, actor: Actor, now: datetime) -> Part:
    """Read what a registrar's desk shows."""
    counts = contracts.queue_counts(session, actor.organisation_id or 0, today=local_date(now))
    with_us = sum(counts.by_status.get(status, 0) for status in WITH_REGISTRAR)
    amount, unit = scale(counts.registered_fen)
    figures = [
        Figure(f"{with_us:,}", "份", "待审合同", "contracts.registry"),
        Figure(
            f"{counts.by_status.get(ContractStatus.CORRECTION, 0):,}",
            "份",
            "退回补正中",
            "contracts.registry",
        ),
        Figure(f"{counts.registered_this_year:,}", "份", "本年已登记", "contracts.registry"),
        Figure(amount, unit, "本年登记成交额"),
    ]
    return Part(figures, [Act("审核队列", "contracts.registry")])


def reviewer_part(session: Session, actor: Actor, now: datetime) -> Part:
    """Read what the desk of a reviewer or of the treasurer shows."""
    rounds = subsidies.list_rounds(session)
    running = [view for view in rounds if view.open_on(local_date(now))]
    figures = [Figure(f"{len(running):,}", "批", "正在受理的申报")]
    if not actor.has(Role.TREASURER):
        waiting = len(subsidies.awaited_ids(session, actor))
        figures.insert(0, Figure(f"{waiting:,}", "件", "轮到我审的申报", "subsidies.desk"))
    panel = Panel(
        "workbench/panels/rounds.html",
        "申报批次和预算",
        rounds[:_ROUNDS],
        more=Act("全部批次", "subsidies.rounds"),
    )
    return Part(figures, [Act("审核台", "subsidies.desk")], [panel])


def operator_part(session: Session, actor: Actor, now: datetime) -> Part:
    """Read the trading centre's board of the day."""
    hall = listings.desk_counts(session)
    sums = payments.sums(session)
    reported = sums.get(PaymentState.REPORTED, (0, 0))[0]
    open_needs = needs.count_states(session)
    figures = [
        Figure(
            f"{len(accounts.awaiting_verification(session)):,}",
            "家",
            "待核验机构",
            "accounts.verification_queue",
        ),
        Figure(f"{open_needs.get(NeedState.REVIEW, 0):,}", "项", "待审需求", "needs.desk"),
        Figure(f"{hall.get('applied', 0):,}", "项", "待受理挂牌", "listings.desk"),
        Figure(f"{reported:,}", "笔", "待对账款项", "payments.desk"),
    ]
    panels = [
        Panel(
            "workbench/panels/hall.html",
            "交易大厅",
            [(key, listings.DESK[key][0], hall.get(key, 0)) for key in listings.DESK],
            more=Act("打开交易台", "listings.desk"),
        ),
        Panel(
            "workbench/panels/money.html",
            "款项",
            [(state, *sums[state]) for state in PaymentState if state in sums],
            more=Act("对账", "payments.desk"),
            beside=True,
        ),
    ]
    return Part(figures, [Act("统计看板", "statistics.board")], panels)
