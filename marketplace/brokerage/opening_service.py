"""How a deal begins: by a broker, the owner, an enterprise's interest or request."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.standing_queries import check_acting
from marketplace.achievements import queries as achievements
from marketplace.brokerage import rules
from marketplace.brokerage.diary_service import write_note
from marketplace.brokerage.events import DealOpened
from marketplace.brokerage.family_queries import goes_on
from marketplace.brokerage.models import Deal
from marketplace.brokerage.pipeline_parameters import pipelines
from marketplace.brokerage.pipeline_rules import Pipeline, occasion_of
from marketplace.brokerage.pipeline_service import assign_broker, lock_standing, subject
from marketplace.brokerage.register_queries import broker_was_asked
from marketplace.brokerage.rules import DealSource, NoteKind
from marketplace.brokerage.step_queries import place_of
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, Role, require
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.listings import queries as listings
from marketplace.needs import queries as needs
from marketplace.needs import service as need_service

_TITLE_PART = 18


def short_title(title: str) -> str:
    """Return the part of a title that names the thing, for a card on the board."""
    named = re.split(r"[：:，,；（(]", title, maxsplit=1)[0].strip() or title
    return named if len(named) <= _TITLE_PART else named[: _TITLE_PART - 1] + "…"


def find_live(
    session: Session,
    *,
    achievement_id: int | None,
    need_id: int | None,
    seller: int,
    buyer: int,
    merged: bool = True,
) -> Deal | None:
    """Return the open deal of a pair, locked, or None; of several parts of one thing the first.

    Where the pair's deal was ``merged`` into another, that one is returned. The trading hall does
    not look for it: an award is about one thing, and its price is no price of several.
    """
    statement = select(Deal.id).where(
        Deal.seller_organisation_id == seller,
        Deal.buyer_organisation_id == buyer,
        goes_on() if merged else Deal.stage.not_in(rules.CLOSED),
    )
    if achievement_id is not None:
        statement = statement.where(Deal.achievement_id == achievement_id)
    else:
        statement = statement.where(Deal.achievement_id.is_(None), Deal.need_id == need_id)
    found = session.scalar(statement.order_by(Deal.part, Deal.id).limit(1))
    if found is None:
        return None
    deal = lock_standing(session, found)
    # Closed by somebody while we waited for it.
    return None if deal.stage in rules.CLOSED else deal


def open_deal(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    achievement_id: int | None = None,
    need_id: int | None = None,
    buyer_organisation_id: int | None = None,
    title: str = "",
    pipeline: str | None = None,
) -> int:
    """Pair an achievement with a need or with an enterprise; return the deal's id.

    A broker pairs anything that is public; an officer pairs what his own organisation offers.
    Without an achievement the officer's organisation answers a need from scratch. Without the code
    of a pipeline the one that fits is taken. A pair that is already being worked on refuses with
    ``Conflict``.
    """
    require(actor, rules.OPEN)
    seller, supply = _supply(session, actor, achievement_id)
    buyer, demand = _demand(session, actor, need_id, buyer_organisation_id)
    rules.check_pair(seller, buyer)
    check_acting(session, (seller, buyer))
    by_broker = actor.has(Role.BROKER) and actor.organisation_id != seller
    if not by_broker and actor is not SYSTEM and actor.organisation_id != seller:
        raise NotAllowed(
            "deal.not_yours", "科研管理员只能为本单位的成果建立项目；其他单位的请找技术经理人"
        )
    existing = find_live(
        session, achievement_id=achievement_id, need_id=need_id, seller=seller, buyer=buyer
    )
    if existing is not None:
        raise Conflict(
            "deal.exists",
            f"这一对供需已有进行中的项目（{place_of(existing)[1].label}），"
            "请联系项目的经理人或成果方，不必另建",
        )
    name = accounts.get_organisation(session, buyer).short_name
    deal = create_deal(
        session,
        actor=actor,
        now=now,
        title=title.strip() or f"{short_title(supply or demand)} × {name}",
        source=DealSource.BROKER if by_broker else DealSource.SELLER,
        achievement_id=achievement_id,
        need_id=need_id,
        seller=seller,
        buyer=buyer,
        broker_user_id=actor.user_id if by_broker else None,
        agency_organisation_id=actor.organisation_id if by_broker else None,
        pipeline=pipelines().get(pipeline) if pipeline else None,
    )
    if need_id is not None:
        need_service.mark_matched(session, actor=SYSTEM, now=now, need_id=need_id)
    return deal.id


def _supply(session: Session, actor: Actor, achievement_id: int | None) -> tuple[int, str]:
    if achievement_id is not None:
        view = achievements.get_for(session, actor, achievement_id)
        if not view.open_to_others:
            raise RuleBroken(
                "deal.achievement_closed",
                "这项成果不在市场上，不能撮合；请确认编号，或请成果方先发布",
                "achievement_id",
            )
        return view.organisation_id, view.title
    if actor.organisation_id is None or actor.has(Role.BROKER):
        raise RuleBroken("deal.no_achievement", "请填写成果编号", "achievement_id")
    return actor.organisation_id, ""


def _demand(
    session: Session, actor: Actor, need_id: int | None, buyer_organisation_id: int | None
) -> tuple[int, str]:
    if need_id is not None:
        need = needs.get_for(session, actor, need_id)
        if need.organisation_id is None and broker_was_asked(session, need_id, actor.user_id):
            need = needs.get_internal(session, need_id)
        if need.organisation_id is None:
            raise RuleBroken(
                "deal.need_anonymous",
                "这项需求匿名发布，建立项目会暴露企业名称；"
                "请先在需求页面应答，企业采纳后自动建立项目",
                "need_id",
            )
        if not need.open_to_others:
            raise RuleBroken(
                "deal.need_closed", "这项需求已不在征集，不能撮合；请确认编号", "need_id"
            )
        return need.organisation_id, need.title
    if buyer_organisation_id is not None:
        return buyer_organisation_id, ""
    raise RuleBroken("deal.no_buyer", "请填写需求编号，或对方企业的统一社会信用代码", "buyer_uscc")


def express_interest(
    session: Session, *, actor: Actor, now: datetime, achievement_id: int, message: str
) -> int:
    """Let an enterprise tell the owner of an achievement that it wants it; return the deal's id.

    A deal that the pair already has receives the message as a note.
    """
    require(actor, rules.EXPRESS_INTEREST)
    if len(message.strip()) < 5:
        raise RuleBroken(
            "deal.interest_words", "请写几句想用在哪里、想知道什么（至少 5 个字）", "message"
        )
    view = achievements.get_for(session, actor, achievement_id)
    if not view.open_to_others or actor.organisation_id is None:
        raise NotFound()
    buyer = actor.organisation_id
    rules.check_pair(view.organisation_id, buyer)
    deal = find_live(
        session,
        achievement_id=achievement_id,
        need_id=None,
        seller=view.organisation_id,
        buyer=buyer,
    )
    if deal is None:
        name = accounts.get_organisation(session, buyer).short_name
        deal = create_deal(
            session,
            actor=actor,
            now=now,
            title=f"{short_title(view.title)} × {name}",
            source=DealSource.INTEREST,
            achievement_id=achievement_id,
            seller=view.organisation_id,
            buyer=buyer,
        )
    write_note(
        session,
        deal,
        actor=actor,
        now=now,
        kind=NoteKind.MESSAGE,
        body=message.strip(),
        shared=True,
    )
    return deal.id


def check_subject(
    session: Session, actor: Actor, *, achievement_id: int | None, need_id: int | None
) -> None:
    """Refuse a request about something that the asking organisation cannot see."""
    if achievement_id is not None:
        achievements.get_for(session, actor, achievement_id)
    if need_id is not None:
        needs.get_own(session, actor, need_id)


def open_for_request(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    achievement_id: int,
    buyer_organisation_id: int,
) -> int:
    """Give the pair's deal its broker, who was asked for, or open one; return its id."""
    view = achievements.get_internal(session, achievement_id)
    deal = find_live(
        session,
        achievement_id=achievement_id,
        need_id=None,
        seller=view.organisation_id,
        buyer=buyer_organisation_id,
    )
    if deal is None:
        name = accounts.get_organisation(session, buyer_organisation_id).short_name
        deal = create_deal(
            session,
            actor=actor,
            now=now,
            title=f"{short_title(view.title)} × {name}",
            source=DealSource.REQUEST,
            achievement_id=achievement_id,
            seller=view.organisation_id,
            buyer=buyer_organisation_id,
            broker_user_id=actor.user_id,
            agency_organisation_id=actor.organisation_id,
        )
    elif deal.broker_user_id is None:
        assign_broker(session, deal, actor=actor, now=now)
    return deal.id


def create_deal(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    title: str,
    source: DealSource,
    seller: int,
    buyer: int,
    achievement_id: int | None = None,
    need_id: int | None = None,
    broker_user_id: int | None = None,
    agency_organisation_id: int | None = None,
    pipeline: Pipeline | None = None,
) -> Deal:
    """Store a new deal at the beginning of a pipeline, the fitting one if none is said."""
    pipeline = pipeline or _fitting(session, source, achievement_id)
    first = pipeline.steps[0]
    deal = Deal(
        title=title[:80],
        source=source,
        pipeline=pipeline.code,
        step=first.code,
        stage=first.stage,
        stage_since=now,
        opened_at=now,
        touched_at=now,
        achievement_id=achievement_id,
        need_id=need_id,
        seller_organisation_id=seller,
        buyer_organisation_id=buyer,
        broker_user_id=broker_user_id,
        agency_organisation_id=agency_organisation_id,
    )
    session.add(deal)
    try:
        session.flush()
    except IntegrityError as taken:
        raise Conflict(
            "deal.exists", "这一对供需刚刚建立了项目，请刷新后在项目列表里打开它"
        ) from taken
    audit.record(
        session,
        actor=actor,
        action="brokerage.open_deal",
        subject=subject(deal.id),
        now=now,
        after={
            "title": deal.title,
            "source": source,
            "seller": seller,
            "buyer": buyer,
            "pipeline": pipeline.name,
        },
    )
    outbox.publish(
        session,
        DealOpened(
            deal_id=deal.id,
            title=deal.title,
            achievement_id=achievement_id,
            need_id=need_id,
            listing_id=None,
            seller_organisation_id=seller,
            buyer_organisation_id=buyer,
            broker_user_id=broker_user_id,
        ),
        now=now,
    )
    return deal


def _fitting(session: Session, source: DealSource, achievement_id: int | None) -> Pipeline:
    listing = listings.live_listing_of(session, achievement_id) if achievement_id else None
    return pipelines().fitting(
        occasion_of(
            source,
            has_achievement=achievement_id is not None,
            listed_as=listing.trading_mode if listing else None,
        )
    )
