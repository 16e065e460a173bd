"""A notice that stands is changed: a new version, the period anew when the change is material."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.achievements import queries as achievements
from marketplace.foundation import outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.db import lock
from marketplace.foundation.errors import RuleBroken
from marketplace.listings import rules
from marketplace.listings.announcement_rules import VersionKind
from marketplace.listings.award_service import release_others
from marketplace.listings.content_service import (
    ListingContent,
    announcement_length,
    check_content,
    set_announcement_end,
    write_content,
)
from marketplace.listings.events import AnnouncementRevised
from marketplace.listings.models import Listing
from marketplace.listings.notice_service import (
    ask_holders,
    check_rights,
    close_priorities,
    kind_of_change,
    publish_version,
    snapshot,
)
from marketplace.listings.right_rules import CheckMoment
from marketplace.listings.rules import ListingState
from marketplace.listings.trail import note


def revise(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    listing_id: int,
    content: ListingContent,
    reason: str,
) -> VersionKind:
    """Change a notice while it stands, with the reason; return what kind of change it was.

    A material change begins the period anew and lets the intents of the old notice go, deposits
    with them: who still wants it registers under the new one. A correction changes only words.
    """
    require(actor, rules.OPERATE)
    rules.check_reason(reason, "变更公告")
    listing = lock(session, Listing, listing_id)
    if listing.state is not ListingState.ANNOUNCED:
        raise RuleBroken(
            "listings.not_announced",
            f"项目现在是“{listing.state.label}”，只有挂牌中的公告可以变更；"
            "公告期满后要改条件，请撤牌后重新申请",
        )
    offered = achievements.get_internal(session, listing.achievement_id).content.modes
    check_content(content, offered, now)
    before = snapshot(session, listing)
    write_content(session, listing, content)
    session.flush()
    kind = kind_of_change(session, listing, before)
    if kind is VersionKind.MATERIAL:
        ask_holders(session, listing, actor=actor, now=now)
        close_priorities(session, listing, now=now)
        check_rights(session, listing, CheckMoment.LISTING, actor=actor, now=now)
        release_others(session, listing, now=now, actor=actor)
        set_announcement_end(listing, workdays=announcement_length(listing, None, now), now=now)
        listing.extension_count = 0
    listing.version += 1
    number = publish_version(session, listing, kind, now=now, reason=reason.strip())
    assert listing.announcement_ends_on is not None
    outbox.publish(
        session,
        AnnouncementRevised(
            listing_id=listing.id,
            achievement_id=listing.achievement_id,
            seller_organisation_id=listing.organisation_id,
            title=listing.title,
            number=number,
            kind=kind.value,
            reason=reason.strip(),
            ends_on=listing.announcement_ends_on,
        ),
        now=now,
    )
    note(
        session,
        listing,
        actor,
        "revise",
        now,
        before=ListingState.ANNOUNCED,
        version=number,
        kind=kind,
        reason=reason.strip(),
    )
    return kind
