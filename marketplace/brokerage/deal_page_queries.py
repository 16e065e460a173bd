"""What a deal's page shows beside the deal: what followed from it and what is owed on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.brokerage.chance_queries import OwnChance, measured_chances, own_chances
from marketplace.brokerage.chance_rules import Chance
from marketplace.brokerage.deal_queries import DealView
from marketplace.brokerage.dispute_queries import (
    DisputeView,
    RecognitionView,
    disputes_of_deal,
    recognitions_of_deal,
)
from marketplace.brokerage.facts_queries import facts_of
from marketplace.brokerage.feedback_queries import OwedAnswer, open_enquiry
from marketplace.brokerage.introduction_rules import DISPUTE
from marketplace.brokerage.ledger_queries import (
    EntryView,
    ExpenseView,
    entries_of_deal,
    expenses_of_deal,
)
from marketplace.brokerage.merge_queries import Relatives, relatives_of
from marketplace.brokerage.models import Deal
from marketplace.brokerage.paper_rules import PaperType, type_of
from marketplace.brokerage.pipeline_rules import Checked, checklist
from marketplace.brokerage.room_queries import Rung, ladder
from marketplace.brokerage.rules import TALKING, may_end
from marketplace.brokerage.talk_queries import TalkView, talks_of_deal
from marketplace.foundation.access import Actor, permits
from marketplace.foundation.clock import local_date


@dataclass(frozen=True)
class DealParts:
    """The parts of one deal's page for one reader."""

    recognitions: Sequence[RecognitionView]
    disputes: Sequence[DisputeView]
    may_dispute: bool
    entries: Sequence[EntryView]
    expenses: Sequence[ExpenseView]
    ladder: Sequence[Rung]
    talks: Sequence[TalkView]
    owed: OwedAnswer | None
    papers: Sequence[PaperType]
    chance: Chance | None
    own_chance: OwnChance | None
    checks: Sequence[Checked]
    relatives: Relatives


def parts_of(session: Session, actor: Actor, deal: DealView, *, now: datetime) -> DealParts:
    """Read the parts of a deal's page for who may see the deal."""
    fitting = type_of(deal.trading_mode)
    # A judgement of the leading side; the other parties do not see it.
    weighed = deal.leads and deal.stage in TALKING
    checks: Sequence[Checked] = ()
    if deal.onward is not None:
        facts = facts_of(session, session.get_one(Deal, deal.id), today=local_date(now))
        checks = checklist(facts, deal.onward)
    return DealParts(
        recognitions_of_deal(session, actor, deal.id),
        disputes_of_deal(session, actor, deal.id),
        permits(actor, DISPUTE) and may_end(deal.sides),
        entries_of_deal(session, actor, deal.id),
        expenses_of_deal(session, deal.id),
        ladder(session, deal, now=now),
        talks_of_deal(session, actor, deal.id),
        open_enquiry(session, deal.id),
        sorted(PaperType, key=lambda paper: paper is not fitting),
        measured_chances(session, actor)[deal.stage] if weighed else None,
        own_chances(session, actor, [deal.id]).get(deal.id) if weighed else None,
        checks,
        relatives_of(session, actor, deal),
    )
