"""The result of a listing: price, publicity, award, contract, or the end without one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import service as achievement_marks
from marketplace.foundation import outbox
from marketplace.foundation.access import SYSTEM, Actor, require, require_own
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.parameters import value_on
from marketplace.foundation.workdays import add_workdays
from marketplace.listings import certificate_service, priority_offer_service, rules
from marketplace.listings.events import (
    ListingAwarded,
    ListingFailed,
    ListingSigned,
    ListingWithdrawn,
    PriceAgreed,
)
from marketplace.listings.intent_service import (
    forfeit_deposit,
    lock_pair,
    lose,
    release_deposit,
)
from marketplace.listings.models import Intent, Listing
from marketplace.listings.rules import IntentState, ListingState, PricingMode
from marketplace.listings.trail import note, note_intent
from marketplace.publicity import queries as publicity_queries
from marketplace.publicity import service as publicity
from marketplace.publicity.rules import PublicityKind


def agree_price(
    session: Session, *, actor: Actor, now: datetime, intent_id: int, price_fen: Fen
) -> int:
    """Note the price that seller and a qualified buyer agreed, and put it before the public.

    Return the notice's id. 《山东省促进科技成果转化条例》第十四条: name and price, at least
    fifteen days.
    """
    require(actor, rules.APPLY)
    listing, intent = lock_pair(session, intent_id)
    require_own(actor, listing.organisation_id)
    if listing.pricing_mode is not PricingMode.NEGOTIATED:
        raise RuleBroken(
            "listings.not_negotiated", f"这个项目按“{listing.pricing_mode.label}”定价，不能协商价格"
        )
    if intent.state is not IntentState.QUALIFIED:
        raise RuleBroken(
            "listings.not_qualified", f"意向方现在是“{intent.state.label}”，获得资格后才能协议定价"
        )
    rules.check_agreed_price(price_fen, listing.base_price_fen)
    return conclude(session, listing, intent, price_fen, actor=actor, now=now)


def conclude(
    session: Session,
    listing: Listing,
    intent: Intent,
    price_fen: Fen,
    *,
    actor: Actor,
    now: datetime,
) -> int:
    """Settle buyer and price, release the others, and open the publicity; return its id.

    The listing is locked. A negotiated price is published 15 days, a result 5 working days.
    """
    negotiated = listing.pricing_mode is PricingMode.NEGOTIATED
    before = listing.state
    listing.state = rules.move(
        before, ListingState.PRICE_PUBLICITY if negotiated else ListingState.RESULT_PUBLICITY
    )
    listing.buyer_id = intent.organisation_id
    listing.price_fen = price_fen
    listing.related_party = intent.related_party
    listing.settled_at = now
    listing.version += 1
    was = intent.state
    intent.state = rules.move_intent(was, IntentState.WON)
    note_intent(session, intent, actor, "win", now, before=was, price_fen=price_fen)
    claimed = priority_offer_service.claimants(session, listing, intent)
    spared = {each.id for _, each in claimed}
    release_others(session, listing, now=now, actor=actor, but=spared)
    holders = [row.name for row, _ in claimed]
    listing.publicity_id = _publish_result(session, listing, intent, holders, actor=actor, now=now)
    ends_on = publicity_queries.get_notice(session, listing.publicity_id).ends_on
    priority_offer_service.offer(session, listing, claimed, ends_on=ends_on, now=now)
    if negotiated:
        outbox.publish(
            session,
            PriceAgreed(
                listing_id=listing.id,
                achievement_id=listing.achievement_id,
                seller_organisation_id=listing.organisation_id,
                buyer_organisation_id=intent.organisation_id,
                title=listing.title,
                price_fen=price_fen,
                related_party=intent.related_party,
                publicity_id=listing.publicity_id,
            ),
            now=now,
        )
    note(
        session,
        listing,
        actor,
        "conclude",
        now,
        before=before,
        buyer=intent.organisation_id,
        price_fen=price_fen,
    )
    return listing.publicity_id


def _publish_result(
    session: Session,
    listing: Listing,
    intent: Intent,
    holders: Sequence[str],
    *,
    actor: Actor,
    now: datetime,
) -> int:
    assert listing.price_fen is not None
    names = accounts.get_organisations(session, (listing.organisation_id, intent.organisation_id))
    negotiated = listing.pricing_mode is PricingMode.NEGOTIATED
    price = f"{format_yuan(listing.price_fen)} 元"
    facts = [
        ("挂牌编号", listing.number or ""),
        ("成果名称", listing.title),
        ("转让方", names[listing.organisation_id].name),
        ("受让方", names[intent.organisation_id].name),
        ("转化方式", listing.trading_mode.label),
        ("定价方式", listing.pricing_mode.label),
        ("挂牌底价", f"{format_yuan(listing.base_price_fen)} 元"),
        ("拟交易价格" if negotiated else "成交价格", price),
        ("支付方式", f"{listing.payment_mode.label}；{listing.payment_terms}"),
    ]
    if intent.related_party:
        facts.append(("关联关系", f"受让方与成果完成人或转让方有关联：{intent.relation}"))
    if holders:
        facts.append(("优先受让权", f"{'、'.join(holders)}主张优先受让，公示期内可以按此价格受让"))
    what = "拟以协议定价方式" if negotiated else f"经{listing.pricing_mode.label}"
    body = (
        f"{names[listing.organisation_id].name}的上述科技成果{what}"
        f"{listing.trading_mode.label}给{names[intent.organisation_id].name}，价格 {price}。\n"
        "公示期内，任何单位和个人对成果名称、价格、受让方或程序有异议的，可以在本页提出，"
        "写明事实和理由并留下联系方式。交易中心核查后答复，答复和结论在本页公布；"
        "异议答复前公示不结束，异议成立的，本次交易终止。"
    )
    return publicity.open(
        session,
        actor=actor,
        now=now,
        kind=PublicityKind.NEGOTIATED_PRICE if negotiated else PublicityKind.TRADING_RESULT,
        subject=f"listing:{listing.id}",
        title=f"{listing.title}（{'拟' if negotiated else ''}成交价 {price}）",
        body=body,
        organisation_id=listing.organisation_id,
        facts=facts,
    )


def publicity_closed(
    session: Session, *, now: datetime, listing_id: int, publicity_id: int, upheld: bool
) -> None:
    """Award the listing whose result stood before the public, or end it on an upheld objection."""
    listing = lock(session, Listing, listing_id)
    waiting = (ListingState.PRICE_PUBLICITY, ListingState.RESULT_PUBLICITY)
    if listing.publicity_id != publicity_id or listing.state not in waiting:
        return
    # Also where the sale ends: nobody is asked any more what he takes.
    taker = priority_offer_service.settle_offers(session, listing, now=now)
    if upheld:
        fail(session, listing, actor=SYSTEM, now=now, reason="公示期内异议成立，本次交易终止")
        return
    before = listing.state
    today = local_date(now)
    if taker is not None:
        _step_in(session, listing, taker, now=now)
    release_others(session, listing, now=now, actor=SYSTEM)
    listing.state = rules.move(before, ListingState.AWARDED)
    listing.awarded_at = now
    listing.sign_by = add_workdays(today, value_on("signing_workdays", today))
    listing.version += 1
    assert listing.buyer_id is not None
    assert listing.price_fen is not None
    outbox.publish(
        session,
        ListingAwarded(
            listing_id=listing.id,
            achievement_id=listing.achievement_id,
            seller_organisation_id=listing.organisation_id,
            buyer_organisation_id=listing.buyer_id,
            price_fen=listing.price_fen,
            trading_mode=listing.trading_mode.value,
            title=listing.title,
            sign_by=listing.sign_by,
        ),
        now=now,
    )
    note(session, listing, SYSTEM, "award", now, before=before, sign_by=listing.sign_by)


def _step_in(session: Session, listing: Listing, taker: Intent, *, now: datetime) -> None:
    """Put the holder of a priority right in the buyer's place, at the buyer's price."""
    for intent in locked_intents(session, listing, (IntentState.WON,)):
        reason = "优先权人按成交价受让，保证金无息退还"
        lose(session, intent, actor=SYSTEM, now=now, reason=reason)
    was = taker.state
    taker.state = rules.move_intent(was, IntentState.WON)
    listing.buyer_id = taker.organisation_id
    listing.related_party = taker.related_party
    note_intent(session, taker, SYSTEM, "win", now, before=was, price_fen=listing.price_fen)


def mark_signed(
    session: Session, *, actor: Actor, now: datetime, listing_id: int, contract_no: str
) -> None:
    """Note the registered contract of an awarded listing; repeating does nothing.

    The contracts slice has asked for permission. The buyer's deposit goes back.
    """
    listing = lock(session, Listing, listing_id)
    if listing.state is ListingState.SIGNED:
        return
    before = listing.state
    listing.state = rules.move(before, ListingState.SIGNED)
    listing.contract_no = contract_no
    listing.signed_at = now
    listing.ended_at = now
    listing.version += 1
    for intent in locked_intents(session, listing, (IntentState.WON,)):
        release_deposit(session, intent, now=now, reason="已签约，保证金无息退还")
    assert listing.buyer_id is not None
    outbox.publish(
        session,
        ListingSigned(
            listing_id=listing.id,
            achievement_id=listing.achievement_id,
            seller_organisation_id=listing.organisation_id,
            buyer_organisation_id=listing.buyer_id,
            title=listing.title,
            contract_no=contract_no,
        ),
        now=now,
    )
    note(session, listing, actor, "sign", now, before=before, contract_no=contract_no)
    certificate_service.issue(session, listing, actor=actor, now=now)


def withdraw(
    session: Session, *, actor: Actor, now: datetime, listing_id: int, reason: str
) -> None:
    """Take a listing back before bidding or a price binds it, with a reason; deposits go back."""
    require(actor, rules.APPLY)
    rules.check_reason(reason, "撤牌")
    listing = lock(session, Listing, listing_id)
    require_own(actor, listing.organisation_id)
    before = listing.state
    listing.state = rules.move(before, ListingState.WITHDRAWN)
    _end(session, listing, actor=actor, now=now, reason=reason.strip())
    outbox.publish(
        session,
        ListingWithdrawn(
            listing_id=listing.id,
            achievement_id=listing.achievement_id,
            seller_organisation_id=listing.organisation_id,
            title=listing.title,
            reason=listing.reason,
        ),
        now=now,
    )
    note(session, listing, actor, "withdraw", now, before=before, reason=listing.reason)


def terminate(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    listing_id: int,
    reason: str,
    forfeits: bool = False,
) -> None:
    """End an awarded listing that the parties did not sign, with the reason.

    ``forfeits`` where the buyer is at fault: its deposit does not go back.
    """
    require(actor, rules.OPERATE)
    rules.check_reason(reason, "终止交易")
    listing = lock(session, Listing, listing_id)
    if listing.state is not ListingState.AWARDED:
        raise RuleBroken(
            "listings.not_awarded", f"项目现在是“{listing.state.label}”，只有待签约的项目可以终止"
        )
    if forfeits:
        for intent in locked_intents(session, listing, (IntentState.WON,)):
            forfeit_deposit(session, intent, actor=actor, now=now, reason=reason.strip())
    fail(session, listing, actor=actor, now=now, reason=reason.strip())


def fail(session: Session, listing: Listing, *, actor: Actor, now: datetime, reason: str) -> None:
    """End a listing without a deal; the listing is locked."""
    before = listing.state
    listing.state = rules.move(before, ListingState.FAILED)
    _end(session, listing, actor=actor, now=now, reason=reason)
    outbox.publish(
        session,
        ListingFailed(
            listing_id=listing.id,
            achievement_id=listing.achievement_id,
            seller_organisation_id=listing.organisation_id,
            title=listing.title,
            reason=reason,
        ),
        now=now,
    )
    note(session, listing, actor, "fail", now, before=before, reason=reason)


def _end(session: Session, listing: Listing, *, actor: Actor, now: datetime, reason: str) -> None:
    listing.reason = reason
    listing.ended_at = now
    listing.version += 1
    for intent in locked_intents(session, listing, (IntentState.WON,)):
        lose(session, intent, actor=actor, now=now, reason="交易终止，保证金无息退还")
    release_others(session, listing, now=now, actor=actor)
    achievement_marks.mark_unlisted(
        session, actor=actor, now=now, achievement_id=listing.achievement_id
    )


def release_others(
    session: Session,
    listing: Listing,
    *,
    now: datetime,
    actor: Actor,
    but: Collection[int] = (),
) -> None:
    """Let every intent that did not win go, and its deposit with it, ``but`` for some."""
    for intent in locked_intents(session, listing, rules.LIVE_INTENTS):
        if intent.id not in but:
            lose(session, intent, actor=actor, now=now, reason="未成交，保证金无息退还")


def locked_intents(
    session: Session, listing: Listing, states: tuple[IntentState, ...]
) -> list[Intent]:
    """Lock a listing's intents in some states, oldest first; the listing is locked."""
    session.flush()
    return list(
        session.scalars(
            select(Intent)
            .where(Intent.listing_id == listing.id, Intent.state.in_(states))
            .order_by(Intent.id)
            .with_for_update()
        )
    )
