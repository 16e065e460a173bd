"""From the seller's application to the announcement: apply, return, correct, accept, announce."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.achievements import queries as achievements
from marketplace.achievements import service as achievement_marks
from marketplace.achievements.rules import AchievementState
from marketplace.foundation import outbox
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.money import FEN_PER_YUAN, Fen
from marketplace.foundation.numbering import next_number
from marketplace.foundation.parameters import value_on
from marketplace.foundation.trade import PaymentMode, TradingMode
from marketplace.foundation.workdays import add_workdays
from marketplace.integrity import queries as integrity
from marketplace.listings import rules
from marketplace.listings.events import (
    ListingAccepted,
    ListingAnnounced,
    ListingApplied,
    ListingReturned,
)
from marketplace.listings.models import Listing
from marketplace.listings.planning_service import check_officers
from marketplace.listings.rules import Limits, ListingState, Offer, PricingMode
from marketplace.listings.trail import note


@dataclass(frozen=True, kw_only=True)
class ListingContent:
    """What the seller's application states; amounts in fen."""

    title: str
    pricing_mode: PricingMode
    trading_mode: TradingMode
    base_price_fen: Fen
    increment_fen: Fen = Fen(0)
    deposit_fen: Fen = Fen(0)
    payment_mode: PaymentMode = PaymentMode.LUMP_SUM
    payment_terms: str = ""
    conditions: str = ""


def apply(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    achievement_id: int,
    content: ListingContent,
) -> int:
    """Ask to list a published achievement of the actor's organisation; return the listing's id."""
    require(actor, rules.APPLY)
    achievement = achievements.get_internal(session, achievement_id)
    require_own(actor, achievement.organisation_id)
    _check_integrity(session, achievement.organisation_id, now)
    if achievement.state not in (AchievementState.PUBLISHED, AchievementState.IN_DEAL):
        raise RuleBroken(
            "listings.not_published",
            f"成果现在是“{achievement.state.label}”，只有已发布的成果可以挂牌；请先完成单位审批和发布",
        )
    if achievement.missing_count:
        raise RuleBroken(
            "listings.incomplete",
            f"成果还有 {achievement.missing_count} 处没有填完，补齐后才能挂牌；请到“我的成果”补充",
        )
    _check_mode(content, achievement.content.modes)
    _check_offer(content, now)
    standing = session.scalar(
        select(Listing.id).where(
            Listing.achievement_id == achievement_id, Listing.state.not_in(rules.OVER)
        )
    )
    if standing is not None:
        raise Conflict("listings.standing", "这项成果已经有一个未结束的挂牌，不能重复申请")
    listing = Listing(
        number=None,
        state=ListingState.APPLIED,
        achievement_id=achievement_id,
        organisation_id=achievement.organisation_id,
        field=achievement.content.field,
        applied_at=now,
        applied_by_id=actor.user_id,
        accepted_at=None,
        announced_at=None,
        announcement_ends_on=None,
        announcement_closes_at=None,
        qualification_ends_on=None,
        qualification_closes_at=None,
        buyer_id=None,
        price_fen=None,
        settled_at=None,
        publicity_id=None,
        awarded_at=None,
        sign_by=None,
        signed_at=None,
        ended_at=None,
        **_columns(content),
    )
    session.add(listing)
    session.flush()
    outbox.publish(
        session,
        ListingApplied(
            listing_id=listing.id,
            achievement_id=achievement_id,
            seller_organisation_id=listing.organisation_id,
            title=listing.title,
        ),
        now=now,
    )
    note(session, listing, actor, "apply", now, base_price_fen=listing.base_price_fen)
    return listing.id


def correct(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    listing_id: int,
    content: ListingContent,
    version: int | None = None,
) -> None:
    """Change an application that is not accepted yet, and hand it in (again).

    ``version`` is what the page was opened with; another's change in between is a ``Conflict``.
    """
    require(actor, rules.APPLY)
    listing = lock(session, Listing, listing_id)
    require_own(actor, listing.organisation_id)
    if version is not None and version != listing.version:
        raise Conflict(
            "listings.stale", "这份申请刚被别人改过；请打开最新版本，对照后重新填写您的修改"
        )
    if listing.state not in rules.EDITABLE:
        raise RuleBroken(
            "listings.not_editable",
            f"申请已是“{listing.state.label}”，内容不能再改；要改条件，请撤牌后重新申请",
        )
    achievement = achievements.get_internal(session, listing.achievement_id)
    _check_mode(content, achievement.content.modes)
    _check_offer(content, now)
    before = listing.state
    for name, value in _columns(content).items():
        setattr(listing, name, value)
    if before is ListingState.RETURNED:
        listing.state = rules.move(before, ListingState.APPLIED)
        outbox.publish(
            session,
            ListingApplied(
                listing_id=listing.id,
                achievement_id=listing.achievement_id,
                seller_organisation_id=listing.organisation_id,
                title=listing.title,
            ),
            now=now,
        )
    listing.reason = ""
    listing.version += 1
    note(session, listing, actor, "correct", now, before=before)


def return_(session: Session, *, actor: Actor, now: datetime, listing_id: int, reason: str) -> None:
    """Send an application back to the seller with what is to be corrected."""
    require(actor, rules.OPERATE)
    rules.check_reason(reason, "退回")
    listing = lock(session, Listing, listing_id)
    before = listing.state
    listing.state = rules.move(before, ListingState.RETURNED)
    listing.reason = reason.strip()
    listing.version += 1
    outbox.publish(
        session,
        ListingReturned(
            listing_id=listing.id,
            achievement_id=listing.achievement_id,
            seller_organisation_id=listing.organisation_id,
            title=listing.title,
            reason=listing.reason,
        ),
        now=now,
    )
    note(session, listing, actor, "return", now, before=before, reason=listing.reason)


def accept(session: Session, *, actor: Actor, now: datetime, listing_id: int) -> None:
    """Accept an application and give it its number."""
    require(actor, rules.OPERATE)
    listing = lock(session, Listing, listing_id)
    before = listing.state
    listing.state = rules.move(before, ListingState.ACCEPTED)
    _check_integrity(session, listing.organisation_id, now)
    listing.number = next_number(session, "GP", local_date(now).year)
    listing.accepted_at = now
    listing.version += 1
    outbox.publish(
        session,
        ListingAccepted(
            listing_id=listing.id,
            achievement_id=listing.achievement_id,
            seller_organisation_id=listing.organisation_id,
            title=listing.title,
            number=listing.number,
        ),
        now=now,
    )
    note(session, listing, actor, "accept", now, before=before, number=listing.number)


def announce(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    listing_id: int,
    workdays: int | None = None,
) -> None:
    """Announce an accepted listing for ``workdays`` working days, by default as its price asks."""
    require(actor, rules.OPERATE)
    listing = lock(session, Listing, listing_id)
    today = local_date(now)
    before = listing.state
    listing.state = rules.move(before, ListingState.ANNOUNCED)
    check_officers(session, listing.bidding_kind, now)
    length = rules.announcement_workdays(
        listing.base_price_fen,
        chosen=workdays,
        usual=value_on("announcement_workdays", today),
        large=value_on("announcement_large_workdays", today),
        large_above_fen=Fen(value_on("announcement_large_above_yuan", today) * FEN_PER_YUAN),
        least=value_on("announcement_minimum_workdays", today),
    )
    listing.announced_at = now
    set_announcement_end(listing, workdays=length, now=now)
    listing.version += 1
    achievement_marks.mark_listed(
        session, actor=actor, now=now, achievement_id=listing.achievement_id
    )
    assert listing.announcement_ends_on is not None
    outbox.publish(
        session,
        ListingAnnounced(
            listing_id=listing.id,
            achievement_id=listing.achievement_id,
            seller_organisation_id=listing.organisation_id,
            title=listing.title,
            number=listing.number or "",
            pricing_mode=listing.pricing_mode.value,
            trading_mode=listing.trading_mode.value,
            base_price_fen=listing.base_price_fen,
            ends_on=listing.announcement_ends_on,
        ),
        now=now,
    )
    note(
        session,
        listing,
        actor,
        "announce",
        now,
        before=before,
        ends_on=listing.announcement_ends_on,
    )


def set_announcement_end(listing: Listing, *, workdays: int, now: datetime) -> None:
    """Set the end of the announcement, and of the qualification that follows it."""
    today = local_date(now)
    ends_on = add_workdays(today, workdays)
    qualified_by = add_workdays(ends_on, value_on("qualification_workdays", today))
    listing.announcement_ends_on = ends_on
    listing.announcement_closes_at = rules.end_of(ends_on)
    listing.qualification_ends_on = qualified_by
    listing.qualification_closes_at = rules.end_of(qualified_by)


def _columns(content: ListingContent) -> dict[str, object]:
    bare = content.pricing_mode is PricingMode.NEGOTIATED
    return {
        "title": content.title.strip(),
        "pricing_mode": content.pricing_mode,
        "trading_mode": content.trading_mode,
        "base_price_fen": content.base_price_fen,
        "increment_fen": Fen(0) if bare else content.increment_fen,
        "deposit_fen": content.deposit_fen,
        "payment_mode": content.payment_mode,
        "payment_terms": content.payment_terms.strip(),
        "conditions": content.conditions.strip(),
    }


def _check_mode(content: ListingContent, offered: tuple[TradingMode, ...]) -> None:
    if offered and content.trading_mode not in offered:
        names = "、".join(mode.label for mode in offered)
        raise RuleBroken(
            "listings.mode",
            f"成果登记的转化方式是{names}，不含“{content.trading_mode.label}”；请改选，或先修改成果",
            "trading_mode",
        )


def _check_offer(content: ListingContent, now: datetime) -> None:
    today = local_date(now)
    rules.check_offer(
        Offer(
            title=content.title,
            pricing_mode=content.pricing_mode,
            base_price_fen=content.base_price_fen,
            increment_fen=content.increment_fen,
            deposit_fen=content.deposit_fen,
            payment_terms=content.payment_terms,
            conditions=content.conditions,
        ),
        Limits(
            deposit_minimum_per_mille=value_on("deposit_minimum_per_mille", today),
            deposit_maximum_per_mille=value_on("deposit_maximum_per_mille", today),
        ),
    )


def _check_integrity(session: Session, organisation_id: int, now: datetime) -> None:
    found = integrity.dishonesty_on(session, organisation_id, local_date(now))
    if found is not None:
        raise RuleBroken(
            "listings.dishonest",
            f"转让方在科研失信期内（{found.document}，至 {found.ends_on.isoformat()}），不能挂牌",
        )
