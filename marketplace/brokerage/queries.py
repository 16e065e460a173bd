"""Reads of brokerage in one place, for pages and other slices; and what waits for a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.achievements import queries as achievements
from marketplace.brokerage import register_rules, terms_rules
from marketplace.brokerage.board_queries import Board, Lane, Progress, Tab, board, progress
from marketplace.brokerage.deal_queries import (
    DealFilter,
    DealRow,
    DealView,
    get_deal,
    has_agreement,
    list_deals,
    visible_to,
)
from marketplace.brokerage.diary_queries import (
    HistoryLine,
    NoteView,
    TaskView,
    history,
    notes,
    open_tasks,
    tasks_of_deal,
)
from marketplace.brokerage.figures_queries import DealFigures, deal_figures
from marketplace.brokerage.models import Agreement, Broker, ContactRequest, Deal, Filing
from marketplace.brokerage.register_queries import (
    BrokerFilter,
    BrokerView,
    FilingView,
    RequestView,
    agency_filing_on,
    approved_terms,
    broker_choices,
    count_brokers,
    filings_of,
    find_broker,
    get_broker,
    get_filing,
    get_request,
    list_brokers,
    list_filings,
    requests_for,
    unconfirmed_brokers,
)
from marketplace.brokerage.register_rules import FilingStatus, RequestStatus
from marketplace.brokerage.rules import DealStage, LostReason
from marketplace.brokerage.terms_queries import (
    AgreementView,
    CommissionTotals,
    CommissionView,
    IntroductionView,
    agreements_awaiting,
    commission_totals,
    commissions_due,
    commissions_of_deal,
    commissions_to_confirm,
    find_agreement,
    get_agreement,
    introductions_awaiting,
    introductions_of_deal,
)
from marketplace.brokerage.terms_rules import AgreementStatus
from marketplace.brokerage.today_queries import TodayItem, TodayList, today_list
from marketplace.foundation.access import SYSTEM, Actor, Role, permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TradingMode
from marketplace.foundation.waiting import WaitingItem

__all__ = [
    "AgreementView",
    "Board",
    "BrokerFilter",
    "BrokerView",
    "CommissionTotals",
    "CommissionView",
    "DealFigures",
    "DealFilter",
    "DealRow",
    "DealView",
    "FilingView",
    "HistoryLine",
    "IntroductionView",
    "Lane",
    "LostCount",
    "LostDeal",
    "LostLesson",
    "NoteView",
    "Progress",
    "Prospect",
    "RequestView",
    "Tab",
    "TaskView",
    "TodayItem",
    "TodayList",
    "agency_filing_on",
    "approved_terms",
    "board",
    "broker_choices",
    "commission_totals",
    "commissions_due",
    "commissions_of_deal",
    "commissions_to_confirm",
    "count_brokers",
    "count_stages",
    "deal_figures",
    "filings_of",
    "find_agreement",
    "find_broker",
    "first_agreement_end",
    "get_agreement",
    "get_broker",
    "get_deal",
    "get_filing",
    "get_request",
    "has_agreement",
    "history",
    "introductions_of_deal",
    "lessons",
    "list_brokers",
    "list_deals",
    "list_filings",
    "lost_counts",
    "notes",
    "open_tasks",
    "progress",
    "prospect_of",
    "requests_for",
    "stages_of_achievements",
    "tasks_of_deal",
    "today_list",
    "unconfirmed_brokers",
    "waiting",
]


@dataclass(frozen=True)
class LostDeal:
    """One deal that came to nothing, as the university may read it."""

    deal_id: int
    title: str
    buyer_name: str
    reason_code: LostReason
    words: str
    lost_from: DealStage
    lost_at: datetime


@dataclass(frozen=True)
class LostCount:
    """How often a reason was given."""

    reason: LostReason
    count: int


@dataclass(frozen=True)
class LostLesson:
    """What the market said about one achievement."""

    achievement_id: int
    title: str
    counts: tuple[LostCount, ...]
    deals: tuple[LostDeal, ...]


def lessons(session: Session, actor: Actor, *, now: datetime, limit: int = 200) -> list[LostLesson]:
    """List the reasons why deals of the actor's organisation were lost, per achievement.

    An inventor sees those of the achievements that name him.
    """
    page = list_deals(
        session,
        actor,
        chosen=DealFilter(stage=DealStage.LOST, seller_organisation_id=actor.organisation_id or 0),
        now=now,
        size=limit,
    )
    rows = {
        row.id: row
        for row in session.scalars(select(Deal).where(Deal.id.in_([r.id for r in page.items])))
    }
    titles = achievements.rows_of(
        session, sorted({d.achievement_id for d in rows.values() if d.achievement_id is not None})
    )
    grouped: dict[int, list[LostDeal]] = {}
    for shown in page.items:
        deal = rows[shown.id]
        if deal.lost_reason is None or deal.lost_from is None or deal.lost_at is None:
            continue
        grouped.setdefault(deal.achievement_id or 0, []).append(
            LostDeal(
                deal.id,
                deal.title,
                shown.buyer_name,
                deal.lost_reason,
                deal.lost_words,
                deal.lost_from,
                deal.lost_at,
            )
        )
    found = [
        LostLesson(
            achievement_id,
            titles[achievement_id].title if achievement_id else "没有成果条目的项目",
            _counted(deal.reason_code for deal in deals),
            tuple(deals),
        )
        for achievement_id, deals in grouped.items()
    ]
    return sorted(found, key=lambda lesson: -len(lesson.deals))


def _counted(reasons: Iterable[LostReason]) -> tuple[LostCount, ...]:
    counts: dict[LostReason, int] = {}
    for reason in reasons:
        counts[reason] = counts.get(reason, 0) + 1
    return tuple(
        LostCount(reason, count)
        for reason, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    )


def lost_counts(session: Session, actor: Actor) -> list[LostCount]:
    """Count the reasons of the lost deals that ``lessons`` shows, the most frequent first."""
    rows = session.execute(
        select(Deal.lost_reason, func.count())
        .where(
            Deal.seller_organisation_id == (actor.organisation_id or 0),
            visible_to(session, actor),
            Deal.stage == DealStage.LOST,
            Deal.lost_reason.is_not(None),
        )
        .group_by(Deal.lost_reason)
        .order_by(func.count().desc())
    )
    return [LostCount(reason, count) for reason, count in rows if reason is not None]


def count_stages(session: Session) -> dict[DealStage, int]:
    """Count all deals of the platform by stage."""
    counts: dict[DealStage, int] = {}
    for stage, number in session.execute(select(Deal.stage, func.count()).group_by(Deal.stage)):
        counts[stage] = number
    return counts


def stages_of_achievements(
    session: Session, achievement_ids: Iterable[int]
) -> dict[int, dict[DealStage, int]]:
    """Count the deals of several achievements by stage, for the owner's funnel."""
    found: dict[int, dict[DealStage, int]] = {}
    rows = session.execute(
        select(Deal.achievement_id, Deal.stage, func.count())
        .where(Deal.achievement_id.in_(set(achievement_ids)))
        .group_by(Deal.achievement_id, Deal.stage)
    )
    for achievement_id, stage, count in rows:
        found.setdefault(achievement_id or 0, {})[stage] = count
    return found


@dataclass(frozen=True)
class Prospect:
    """What a deal would be as a contract, for the contract form and for an estimate of subsidy."""

    deal_id: int
    title: str
    stage: DealStage
    achievement_id: int | None
    listing_id: int | None
    need_id: int | None
    trading_mode: TradingMode | None
    amount_fen: Fen | None
    signed_on: date | None
    seller_organisation_id: int
    buyer_organisation_id: int
    agency_organisation_id: int | None
    broker_user_id: int | None


def prospect_of(session: Session, actor: Actor, deal_id: int) -> Prospect:
    """Return what a deal brings to its contract, for who takes part in it."""
    get_deal(session, actor, deal_id)
    deal = session.get_one(Deal, deal_id)
    return Prospect(
        deal.id,
        deal.title,
        deal.stage,
        deal.achievement_id,
        deal.listing_id,
        deal.need_id,
        deal.trading_mode,
        deal.amount_fen,
        deal.signed_on,
        deal.seller_organisation_id,
        deal.buyer_organisation_id,
        deal.agency_organisation_id,
        deal.broker_user_id,
    )


def first_agreement_end(session: Session) -> date | None:
    """Return the last day of the agreement that runs out first."""
    return session.scalar(
        select(func.min(Agreement.valid_to)).where(Agreement.status == AgreementStatus.ACCEPTED)
    )


def waiting(session: Session, actor: Actor, *, now: datetime) -> list[WaitingItem]:
    """List what waits for the actor: tasks, requests, confirmations, agreements, filings."""
    if actor is SYSTEM or actor.user_id is None:
        return []
    items = [
        WaitingItem(
            what=task.what,
            why=f"项目“{task.deal_title}”，{task.step.label}",
            endpoint="brokerage.show",
            params={"deal_id": task.deal_id},
            act="记结果",
            due_on=task.due_on,
        )
        for task in open_tasks(session, actor, limit=30)
    ]
    if actor.has(Role.BROKER):
        items += _for_broker(session, actor)
    if actor.organisation_id is not None and actor.verified:
        items += _for_party(session, actor, actor.organisation_id)
    if permits(actor, register_rules.DECIDE_FILING):
        items += _for_operator(session)
    return items


def _for_broker(session: Session, actor: Actor) -> list[WaitingItem]:
    asked = session.scalars(
        select(ContactRequest.id).where(
            ContactRequest.broker_user_id == actor.user_id,
            ContactRequest.status == RequestStatus.OPEN,
        )
    ).all()
    items = [
        WaitingItem(
            what=f"{len(asked)} 家机构请您联系",
            why="对方在等您的回音，接手或婉拒都请写几句",
            endpoint="brokerage.requests",
            act="答复",
        )
    ] * bool(asked)
    items += [
        WaitingItem(
            what=f"核对佣金是否到账：{view.deal_title}",
            why=f"{view.payer_name}应付，合同已登记",
            endpoint="brokerage.show",
            params={"deal_id": view.deal_id},
            act="核对",
        )
        for view in commissions_due(session, actor.user_id or 0)
    ]
    return items


def _for_party(session: Session, actor: Actor, own: int) -> list[WaitingItem]:
    items: list[WaitingItem] = []
    if permits(actor, terms_rules.ACKNOWLEDGE):
        items += [
            WaitingItem(
                what=f"确认介绍：{view.subject_title}",
                why="技术经理人把这次介绍存了证，请确认是否属实",
                endpoint="brokerage.show",
                params={"deal_id": view.deal_id},
                act="确认",
            )
            for view in introductions_awaiting(session, own, among=visible_to(session, actor))
        ]
    if permits(actor, terms_rules.ACCEPT_AGREEMENT):
        items += [
            WaitingItem(
                what=f"保密协议：{view.achievement_title}",
                why="成果方已提供协议，接受后可以看到保密内容",
                endpoint="brokerage.agreement",
                params={"agreement_id": view.id},
                act="阅读并决定",
            )
            for view in agreements_awaiting(session, own)
        ]
    if permits(actor, terms_rules.CONFIRM_COMMISSION):
        items += [
            WaitingItem(
                what=f"佣金约定：{view.deal_title}",
                why="技术经理人提出了佣金约定，等您确认",
                endpoint="brokerage.show",
                params={"deal_id": view.deal_id},
                act="决定",
            )
            for view in commissions_to_confirm(session, own)
        ]
    return items


def _for_operator(session: Session) -> list[WaitingItem]:
    filings = session.execute(
        select(Filing.id, Filing.organisation_id, Filing.applied_at)
        .where(Filing.status == FilingStatus.APPLIED)
        .order_by(Filing.applied_at)
        .limit(30)
    ).all()
    items = [
        WaitingItem(
            what="机构备案申请",
            why=f"{local_date(applied_at).isoformat()} 申请",
            endpoint="brokerage.filing",
            params={"filing_id": filing_id},
            act="审核",
        )
        for filing_id, _organisation_id, applied_at in filings
    ]
    unconfirmed = session.scalar(
        select(func.count()).where(Broker.level.is_not(None), Broker.confirmed_at.is_(None))
    )
    if unconfirmed:
        items.append(
            WaitingItem(
                what=f"核验 {unconfirmed} 位技术经理人的证书",
                why="核验后才在公开名录显示级别",
                endpoint="brokerage.certificates",
                act="核验",
            )
        )
    return items
