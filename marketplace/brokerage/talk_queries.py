"""Reads of a deal's meetings: their times, whom they suit, and who can be given a task."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.brokerage.deal_queries import sees
from marketplace.brokerage.models import Deal
from marketplace.brokerage.seen_queries import seen_family
from marketplace.brokerage.talk_models import Talk, TalkSlot, TalkVote
from marketplace.brokerage.talk_rules import TalkKind, TalkState
from marketplace.foundation.access import Actor
from marketplace.foundation.errors import NotFound


@dataclass(frozen=True)
class SlotView:
    """A proposed time and whom it suits."""

    id: int
    starts_at: datetime
    ends_at: datetime
    suits: tuple[str, ...]
    suits_me: bool


@dataclass(frozen=True)
class TalkView:
    """A meeting as its sides see it."""

    id: int
    deal_id: int
    kind: TalkKind
    topic: str
    place: str
    state: TalkState
    proposed_by_name: str
    organisation_id: int | None
    starts_at: datetime | None
    ends_at: datetime | None
    minutes: str
    minutes_by_name: str
    cancelled_reason: str
    slots: tuple[SlotView, ...]


@dataclass(frozen=True)
class Person:
    """Somebody around a meeting."""

    user_id: int
    name: str


def talks_of_deal(session: Session, actor: Actor, deal_id: int) -> list[TalkView]:
    """List the meetings of a deal and of what was merged into it, the newest first."""
    rows = session.scalars(
        select(Talk)
        .where(Talk.deal_id.in_(seen_family(session, actor, deal_id)))
        .order_by(Talk.id.desc())
    ).all()
    return _views(session, actor, list(rows))


def get_talk(session: Session, actor: Actor, talk_id: int) -> TalkView:
    """Return a meeting to who takes part in its deal."""
    row = session.get(Talk, talk_id)
    if row is None or not sees(session, actor, row.deal_id):
        raise NotFound()
    return _views(session, actor, [row])[0]


def _views(session: Session, actor: Actor, rows: list[Talk]) -> list[TalkView]:
    slots = session.scalars(
        select(TalkSlot)
        .where(TalkSlot.talk_id.in_([row.id for row in rows]))
        .order_by(TalkSlot.starts_at)
    ).all()
    votes = session.scalars(
        select(TalkVote).where(TalkVote.slot_id.in_([slot.id for slot in slots]))
    ).all()
    names = accounts.get_organisations(session, {vote.organisation_id for vote in votes})

    def slot_view(slot: TalkSlot) -> SlotView:
        mine = [vote for vote in votes if vote.slot_id == slot.id]
        return SlotView(
            slot.id,
            slot.starts_at,
            slot.ends_at,
            tuple(names[vote.organisation_id].short_name for vote in mine),
            any(vote.organisation_id == actor.organisation_id for vote in mine),
        )

    return [
        TalkView(
            row.id,
            row.deal_id,
            row.kind,
            row.topic,
            row.place,
            row.state,
            row.proposed_by_name,
            row.organisation_id,
            row.starts_at,
            row.ends_at,
            row.minutes,
            row.minutes_by_name,
            row.cancelled_reason,
            tuple(slot_view(slot) for slot in slots if slot.talk_id == row.id),
        )
        for row in rows
    ]


def people_of(session: Session, actor: Actor, talk_id: int) -> list[Person]:
    """List who can be given a task of a meeting: the actor, the broker, who proposed and chose."""
    row = session.get_one(Talk, talk_id)
    deal = session.get_one(Deal, row.deal_id)
    chosen = session.scalars(
        select(TalkVote.user_id)
        .join(TalkSlot, TalkSlot.id == TalkVote.slot_id)
        .where(TalkSlot.talk_id == talk_id)
    ).all()
    ids = dict.fromkeys([actor.user_id, deal.broker_user_id, row.proposed_by_id, *chosen])
    people = accounts.get_users(session, [each for each in ids if each is not None])
    return [Person(each, people[each].name) for each in ids if each is not None]
