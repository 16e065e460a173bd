"""Meetings and site visits: proposed, answered, fixed, cancelled, minuted with tasks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.brokerage import rules, talk_rules
from marketplace.brokerage.diary_service import assign_task, write_note
from marketplace.brokerage.events import TalkCancelled, TalkFixed, TalkProposed
from marketplace.brokerage.models import Deal
from marketplace.brokerage.pipeline_service import load, subject
from marketplace.brokerage.rules import NoteKind
from marketplace.brokerage.talk_models import Talk, TalkSlot, TalkVote
from marketplace.brokerage.talk_queries import people_of
from marketplace.brokerage.talk_rules import Slot, TalkKind, TalkState
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken


def propose_talk(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    deal_id: int,
    kind: TalkKind,
    topic: str,
    place: str,
    slots: Sequence[Slot],
) -> int:
    """Propose times for a meeting or a site visit; the proposer's own side suits them all."""
    require(actor, rules.WRITE_NOTE)
    deal, _sides = load(session, actor, deal_id)
    if deal.stage in rules.CLOSED:
        raise Conflict("deal.closed", f"项目已经是“{deal.stage.label}”，不再约会议")
    text = talk_rules.check_proposal(topic, slots, now=now)
    talk = Talk(
        deal_id=deal.id,
        kind=kind,
        topic=text,
        place=place.strip(),
        state=TalkState.PROPOSED,
        proposed_at=now,
        proposed_by_id=actor.user_id,
        proposed_by_name=actor.name,
        organisation_id=actor.organisation_id,
    )
    session.add(talk)
    session.flush()
    for slot in sorted(slots, key=lambda each: each.starts_at):
        session.add(TalkSlot(talk_id=talk.id, starts_at=slot.starts_at, ends_at=slot.ends_at))
    session.flush()
    _note(session, deal, talk, "brokerage.propose_talk", actor=actor, now=now)
    outbox.publish(
        session,
        TalkProposed(
            talk_id=talk.id,
            deal_id=deal.id,
            title=deal.title,
            topic=talk.topic,
            seller_organisation_id=deal.seller_organisation_id,
            buyer_organisation_id=deal.buyer_organisation_id,
            broker_user_id=deal.broker_user_id,
        ),
        now=now,
    )
    return talk.id


def choose_slots(
    session: Session, *, actor: Actor, now: datetime, talk_id: int, slot_ids: Collection[int]
) -> int:
    """Say for one's organisation which proposed times suit; return the deal's id."""
    require(actor, rules.WRITE_NOTE)
    talk, deal = _load(session, actor, talk_id)
    if talk.state is not TalkState.PROPOSED:
        raise Conflict("talk.state", f"这次会议{talk.state.label}，不用再选时间；请刷新页面")
    if actor.organisation_id is None or actor.organisation_id == talk.organisation_id:
        raise NotAllowed("talk.own", "时间是您这一方提的；请等对方选择")
    offered = session.scalars(select(TalkSlot.id).where(TalkSlot.talk_id == talk.id)).all()
    if not set(slot_ids) <= set(offered):
        raise NotFound()
    if not slot_ids:
        raise RuleBroken(
            "talk.no_choice", "请勾选可以的时间；都不合适，请另约或写一条备注", "slots"
        )
    session.execute(
        delete(TalkVote).where(
            TalkVote.slot_id.in_(offered), TalkVote.organisation_id == actor.organisation_id
        )
    )
    for slot_id in sorted(slot_ids):
        session.add(
            TalkVote(
                slot_id=slot_id,
                organisation_id=actor.organisation_id,
                user_id=actor.user_id,
                person=actor.name,
            )
        )
    _note(session, deal, talk, "brokerage.choose_slots", actor=actor, now=now)
    return deal.id


def fix_talk(session: Session, *, actor: Actor, now: datetime, talk_id: int, slot_id: int) -> int:
    """Fix one of the times that suit another side; return the deal's id."""
    require(actor, rules.WRITE_NOTE)
    talk, deal = _load(session, actor, talk_id)
    if actor.organisation_id != talk.organisation_id:
        raise NotAllowed("talk.not_proposer", "请由提出会议的一方确定时间")
    slot = session.get(TalkSlot, slot_id)
    if slot is None or slot.talk_id != talk.id:
        raise NotFound()
    suits = session.scalar(select(TalkVote.slot_id).where(TalkVote.slot_id == slot.id).limit(1))
    talk_rules.check_fix(
        talk.state, suits_others=suits is not None, starts_at=slot.starts_at, now=now
    )
    talk.state, talk.starts_at, talk.ends_at = TalkState.FIXED, slot.starts_at, slot.ends_at
    _note(session, deal, talk, "brokerage.fix_talk", actor=actor, now=now)
    outbox.publish(
        session,
        TalkFixed(
            talk_id=talk.id,
            deal_id=deal.id,
            title=deal.title,
            topic=talk.topic,
            starts_at=slot.starts_at,
            place=talk.place,
            seller_organisation_id=deal.seller_organisation_id,
            buyer_organisation_id=deal.buyer_organisation_id,
            broker_user_id=deal.broker_user_id,
        ),
        now=now,
    )
    return deal.id


def cancel_talk(session: Session, *, actor: Actor, now: datetime, talk_id: int, reason: str) -> int:
    """Cancel a meeting with the reason; return the deal's id."""
    require(actor, rules.WRITE_NOTE)
    talk, deal = _load(session, actor, talk_id)
    talk_rules.check_open(talk.state)
    words = reason.strip()
    if len(words) < 2:
        raise RuleBroken("talk.reason", "请写明为什么取消，各方都会看到", "reason")
    talk.state, talk.cancelled_reason = TalkState.CANCELLED, words
    _note(session, deal, talk, "brokerage.cancel_talk", actor=actor, now=now)
    outbox.publish(
        session,
        TalkCancelled(
            talk_id=talk.id,
            deal_id=deal.id,
            title=deal.title,
            topic=talk.topic,
            reason=words,
            seller_organisation_id=deal.seller_organisation_id,
            buyer_organisation_id=deal.buyer_organisation_id,
            broker_user_id=deal.broker_user_id,
        ),
        now=now,
    )
    return deal.id


def write_minutes(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    talk_id: int,
    minutes: str,
    tasks: Sequence[tuple[str, date, int]] = (),
) -> int:
    """Write the minutes for all sides and give out the tasks; return the deal's id.

    ``tasks`` are (what, day, user id) of people around the deal.
    """
    require(actor, rules.WRITE_NOTE)
    talk, deal = _load(session, actor, talk_id)
    words = talk_rules.check_minutes(talk.state, minutes, starts_at=talk.starts_at, now=now)
    around = {person.user_id for person in people_of(session, actor, talk.id)}
    talk.state, talk.minutes = TalkState.HELD, words
    talk.minutes_by_name, talk.minutes_at = actor.name, now
    write_note(
        session,
        deal,
        actor=actor,
        now=now,
        kind=NoteKind.VISIT if talk.kind is TalkKind.SITE else NoteKind.MEETING,
        body=f"{talk.topic}\n{words}",
        shared=True,
    )
    for what, due_on, user_id in tasks:
        if user_id not in around:
            raise RuleBroken("talk.task_owner", "请从参加的人中选择谁来办", "tasks")
        assign_task(
            session,
            deal,
            actor=actor,
            now=now,
            what=what,
            due_on=due_on,
            owner_user_id=user_id,
        )
    _note(session, deal, talk, "brokerage.write_minutes", actor=actor, now=now)
    return deal.id


def _load(session: Session, actor: Actor, talk_id: int) -> tuple[Talk, Deal]:
    talk = lock(session, Talk, talk_id)
    deal, _sides = load(session, actor, talk.deal_id)
    return talk, deal


def _note(
    session: Session, deal: Deal, talk: Talk, action: str, *, actor: Actor, now: datetime
) -> None:
    deal.touched_at = now
    audit.record(
        session,
        actor=actor,
        action=action,
        subject=subject(deal.id),
        now=now,
        after={"talk": talk.id, "topic": talk.topic, "starts_at": talk.starts_at},
    )
