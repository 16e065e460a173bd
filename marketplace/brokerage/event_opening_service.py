"""How a deal begins or goes on by what happened elsewhere: an answer, an intent, an award."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.brokerage import rules
from marketplace.brokerage.models import Deal
from marketplace.brokerage.opening_service import create_deal, find_live, short_title
from marketplace.brokerage.pipeline_service import advance
from marketplace.brokerage.rules import DealSource, DealStage
from marketplace.brokerage.step_queries import place_of
from marketplace.foundation.access import SYSTEM, Actor
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TradingMode
from marketplace.needs import queries as needs
from marketplace.needs import service as need_service


def open_from_answer(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    need_id: int,
    achievement_id: int | None,
    seller_organisation_id: int,
    buyer_organisation_id: int,
) -> int:
    """Open a lead for an accepted answer to a need, unless the pair has a deal."""
    known = session.scalar(
        select(Deal.id).where(
            Deal.need_id == need_id,
            Deal.seller_organisation_id == seller_organisation_id,
            Deal.source == DealSource.ANSWER,
        )
    )
    if known is not None:
        return known
    deal = find_live(
        session,
        achievement_id=achievement_id,
        need_id=need_id,
        seller=seller_organisation_id,
        buyer=buyer_organisation_id,
    )
    if deal is None:
        name = accounts.get_organisation(session, buyer_organisation_id).short_name
        title = needs.get_internal(session, need_id).title
        deal = create_deal(
            session,
            actor=actor,
            now=now,
            title=f"{short_title(title)} × {name}",
            source=DealSource.ANSWER,
            achievement_id=achievement_id,
            need_id=need_id,
            seller=seller_organisation_id,
            buyer=buyer_organisation_id,
        )
    need_service.mark_matched(session, actor=SYSTEM, now=now, need_id=need_id)
    return deal.id


def open_from_intent(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    intent_id: int,
    listing_id: int,
    achievement_id: int,
    seller_organisation_id: int,
    buyer_organisation_id: int,
) -> int:
    """Open a lead for an intent registered in the trading hall, unless the pair has a deal."""
    known = session.scalar(select(Deal.id).where(Deal.intent_id == intent_id))
    if known is not None:
        return known
    deal = _of_listing(
        session,
        actor=actor,
        now=now,
        source=DealSource.INTENT,
        listing_id=listing_id,
        achievement_id=achievement_id,
        seller=seller_organisation_id,
        buyer=buyer_organisation_id,
    )
    deal.intent_id = intent_id
    return deal.id


def take_award(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    listing_id: int,
    achievement_id: int,
    seller_organisation_id: int,
    buyer_organisation_id: int,
    price_fen: Fen,
    trading_mode: TradingMode | None,
) -> int:
    """Bring the pair's deal to the contract draft with the price at which it was awarded."""
    deal = _of_listing(
        session,
        actor=actor,
        now=now,
        source=DealSource.AWARD,
        listing_id=listing_id,
        achievement_id=achievement_id,
        seller=seller_organisation_id,
        buyer=buyer_organisation_id,
    )
    if rules.can_take_award(deal.stage):
        deal.amount_fen = price_fen
        deal.trading_mode = trading_mode or deal.trading_mode
        if deal.stage is not DealStage.CONTRACT_DRAFT:
            advance(
                session,
                deal,
                place_of(deal)[0].draft,
                action="brokerage.award",
                actor=actor,
                now=now,
            )
    return deal.id


def _of_listing(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    source: DealSource,
    listing_id: int,
    achievement_id: int,
    seller: int,
    buyer: int,
) -> Deal:
    """Return the pair's deal about what is listed, a new lead where it has none."""
    deal = find_live(
        session,
        achievement_id=achievement_id,
        need_id=None,
        seller=seller,
        buyer=buyer,
        merged=False,
    )
    if deal is None:
        name = accounts.get_organisation(session, buyer).short_name
        title = achievements.get_internal(session, achievement_id).title
        deal = create_deal(
            session,
            actor=actor,
            now=now,
            title=f"{short_title(title)} × {name}",
            source=source,
            achievement_id=achievement_id,
            seller=seller,
            buyer=buyer,
        )
    deal.listing_id = listing_id
    return deal
