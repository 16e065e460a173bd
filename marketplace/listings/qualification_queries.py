"""What the data tell of a buyer's relations."""

from __future__ import annotations

from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.listings import qualification_rules as qualification
from marketplace.listings.models import Listing
from marketplace.listings.qualification_rules import Side


def signs_of_relation(session: Session, listing_id: int, organisation_id: int) -> list[str]:
    """List the signs in the data that a buyer is tied to the seller or an inventor."""
    listing = session.get_one(Listing, listing_id)
    achievement = achievements.get_internal(session, listing.achievement_id)
    content = achievement.content
    return qualification.relations(
        _side(session, organisation_id),
        _side(session, listing.organisation_id),
        owner_ids=[owner.organisation_id for owner in content.owners if owner.organisation_id],
        inventor_ids=[person.user_id for person in content.inventors if person.user_id],
        inventor_names=[person.name for person in content.inventors],
    )


def _side(session: Session, organisation_id: int) -> Side:
    people = accounts.members(session, organisation_id)
    representative = accounts.get_organisation(session, organisation_id).representative
    names = {person.name for person in people} | ({representative} if representative else set())
    return Side(organisation_id, frozenset(p.user_id for p in people), frozenset(names))
