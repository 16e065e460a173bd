"""How bids are to be given, chosen by the seller before the announcement publishes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.parameters import value_on
from marketplace.listings import rules, sealed_rules
from marketplace.listings.bidding_rules import BiddingKind
from marketplace.listings.models import Listing
from marketplace.listings.rules import PricingMode
from marketplace.listings.sealed_rules import Criterion
from marketplace.listings.trail import note


def choose_bidding(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    listing_id: int,
    kind: BiddingKind,
    criteria: Sequence[Criterion] = (),
) -> None:
    """Choose the kind of bidding and, for weighted bidding, what is scored beside the price.

    Possible until the announcement, which publishes both; nothing of it changes afterwards.
    """
    require(actor, rules.APPLY)
    listing = lock(session, Listing, listing_id)
    require_own(actor, listing.organisation_id)
    if listing.state not in rules.UNPUBLISHED:
        raise RuleBroken(
            "listings.bidding_fixed",
            f"项目已是“{listing.state.label}”，竞价方式已随公告公布，不能再改",
        )
    if listing.pricing_mode is PricingMode.NEGOTIATED:
        raise RuleBroken("listings.not_bidding", "协议定价的项目不竞价，不用选竞价方式", "kind")
    if kind is BiddingKind.WEIGHTED:
        sealed_rules.check_criteria(
            criteria, least_price_weight=value_on("weighted_price_minimum_percent", local_date(now))
        )
    else:
        criteria = ()
    listing.bidding_kind = kind
    listing.criteria = [
        {"name": criterion.name.strip(), "weight": criterion.weight} for criterion in criteria
    ]
    listing.version += 1
    note(
        session,
        listing,
        actor,
        "choose_bidding",
        now,
        bidding_kind=kind,
        criteria=listing.criteria,
    )
