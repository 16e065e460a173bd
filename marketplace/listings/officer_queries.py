"""Who holds an opening key, and who holds a share of a session's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.clock import local_date
from marketplace.foundation.parameters import value_on
from marketplace.listings.bidding_models import KeyShare, OfficerKey
from marketplace.listings.room_queries import find_session


@dataclass(frozen=True)
class Officers:
    """The officers of the operator with when each set a passphrase."""

    people: tuple[tuple[str, datetime | None], ...]
    own_made_at: datetime | None
    needed: int
    threshold: int


@dataclass(frozen=True)
class ShareHolder:
    """One officer of an opening: the share's number, the name, and when it was given."""

    number: int
    name: str
    given_at: datetime | None


def officers(session: Session, actor: Actor, *, now: datetime) -> Officers:
    """List the officers and their keys."""
    ids = accounts.users_with_role(session, Role.OPERATOR)
    people = accounts.get_users(session, ids)
    made = {row.user_id: row.made_at for row in session.scalars(select(OfficerKey))}
    today = local_date(now)
    return Officers(
        people=tuple((people[user].name, made.get(user)) for user in ids),
        own_made_at=made.get(actor.user_id or 0),
        needed=value_on("opening_officers_count", today),
        threshold=value_on("opening_threshold_count", today),
    )


def share_holders(session: Session, listing_id: int) -> list[ShareHolder]:
    """List who holds a share of the latest session's key."""
    row = find_session(session, listing_id)
    shares = session.scalars(
        select(KeyShare).where(KeyShare.session_id == row.id).order_by(KeyShare.number)
    ).all()
    people = accounts.get_users(session, {share.user_id for share in shares})
    return [ShareHolder(s.number, people[s.user_id].name, s.given_at) for s in shares]
