"""From the seller's application to the announcement: apply, return, correct, accept, announce."""

from __future__ import annotations

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
from marketplace.foundation.numbering import next_number
from marketplace.integrity import queries as integrity
from marketplace.listings import rules
from marketplace.listings.announcement_rules import VersionKind
from marketplace.listings.content_service import (
    ListingContent,
    announcement_length,
    check_content,
    columns,
    set_announcement_end,
    write_content,
    write_trial,
)
from marketplace.listings.events import (
    ListingAccepted,
    ListingAnnounced,
    ListingApplied,
    ListingReturned,
)
from marketplace.listings.models import Listing
from marketplace.listings.notice_service import (
    ask_holders,
    check_rights,
    close_priorities,
    publish_version,
)
from marketplace.listings.planning_service import check_officers
from marketplace.listings.right_rules import CheckMoment
from marketplace.listings.rules import ListingState
from marketplace.listings.trail import note


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
    check_content(content, achievement.content.modes, now)
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
        **columns(content),
    )
    session.add(listing)
    session.flush()
    write_trial(session, listing, content.trial)
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
    ask_holders(session, listing, actor=actor, now=now)
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
    check_content(content, achievement.content.modes, now)
    before = listing.state
    write_content(session, listing, content)
    ask_holders(session, listing, actor=actor, now=now)
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
    before = listing.state
    rules.check_to_announce(before)
    listing.state = rules.move(before, ListingState.ANNOUNCED)
    check_officers(session, listing.bidding_kind, now)
    length = announcement_length(listing, workdays, now)
    close_priorities(session, listing, now=now)
    check_rights(session, listing, CheckMoment.LISTING, actor=actor, now=now)
    listing.announced_at = now
    set_announcement_end(listing, workdays=length, now=now)
    publish_version(session, listing, VersionKind.FIRST, now=now)
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


def _check_integrity(session: Session, organisation_id: int, now: datetime) -> None:
    found = integrity.dishonesty_on(session, organisation_id, local_date(now))
    if found is not None:
        raise RuleBroken(
            "listings.dishonest",
            f"转让方在科研失信期内（{found.document}，至 {found.ends_on.isoformat()}），不能挂牌",
        )
