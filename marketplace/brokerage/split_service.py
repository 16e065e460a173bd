"""A deal that is about several things becomes two."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.brokerage import merge_rules, rules
from marketplace.brokerage.diary_service import refresh_next_task
from marketplace.brokerage.events import DealSplit
from marketplace.brokerage.facts_queries import facts_of
from marketplace.brokerage.merge_queries import footprint, movable_notes, movable_tasks
from marketplace.brokerage.merge_rules import SplitSubject
from marketplace.brokerage.models import Deal, Note, Task
from marketplace.brokerage.pipeline_service import load_led, subject
from marketplace.brokerage.step_queries import place_of
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.money import Fen


def split_deal(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    deal_id: int,
    title: str,
    what: SplitSubject,
    part: str,
    amount_fen: Fen | None,
    task_ids: Collection[int] = (),
    note_ids: Collection[int] = (),
    version: int | None = None,
) -> int:
    """Let who leads a deal make a deal of its own out of a part of it; return the new one's id.

    The chosen tasks and notes go with it and keep their readers; the price is divided, so that
    both come to what was agreed before. The introduction stays where it was recorded and covers
    both; a commission stays with the deal for which it was confirmed.
    """
    require(actor, rules.LEAD)
    deal = load_led(session, actor, deal_id)
    if version is not None and version != deal.version:
        raise Conflict(
            "deal.stale", "项目刚被别人改过；请另开一页核对最新内容，再拆分（您填写的内容还在）"
        )
    today = local_date(now)
    words = merge_rules.check_split(
        footprint(session, deal, today=today), subject=what, part=part, amount_fen=amount_fen
    )
    new = _part_of(deal, title=title, what=what, part=words, amount_fen=amount_fen, now=now)
    before = {"amount_fen": deal.amount_fen, "need": deal.need_id}
    if what is SplitSubject.NEED:
        deal.need_id = None
    if amount_fen is not None:
        deal.amount_fen = Fen((deal.amount_fen or 0) - amount_fen)
    session.add(new)
    try:
        session.flush()
    except IntegrityError as taken:
        raise Conflict(
            "split.exists", "双方已有一个这样的项目，请换一个名称写明是哪一部分", "part"
        ) from taken
    facts = facts_of(session, new, today=today)
    begins = merge_rules.step_of_part(place_of(new)[0], facts, reached=deal.step)
    new.step, new.stage = begins.code, begins.stage
    if new.step == deal.step:
        new.stage_since = deal.stage_since
    _move(session, actor, deal, new, task_ids=task_ids, note_ids=note_ids)
    deal.touched_at = now
    deal.version += 1
    audit.record(
        session,
        actor=actor,
        action="brokerage.split",
        subject=subject(deal.id),
        now=now,
        before=before,
        after={
            "deal": new.id,
            "amount_fen": deal.amount_fen,
            "need": deal.need_id,
            "tasks": sorted(task_ids),
            "notes": sorted(note_ids),
        },
    )
    audit.record(
        session,
        actor=actor,
        action="brokerage.split_off",
        subject=subject(new.id),
        now=now,
        after={"deal": deal.id, "title": new.title, "step": begins.label, "amount_fen": amount_fen},
    )
    outbox.publish(
        session,
        DealSplit(
            deal_id=deal.id,
            title=deal.title,
            new_deal_id=new.id,
            new_title=new.title,
            seller_organisation_id=deal.seller_organisation_id,
            buyer_organisation_id=deal.buyer_organisation_id,
            broker_user_id=deal.broker_user_id,
        ),
        now=now,
    )
    return new.id


def _part_of(
    deal: Deal,
    *,
    title: str,
    what: SplitSubject,
    part: str,
    amount_fen: Fen | None,
    now: datetime,
) -> Deal:
    first = place_of(deal)[0].steps[0]
    return Deal(
        title=title.strip()[:80],
        source=deal.source,
        pipeline=deal.pipeline,
        step=first.code,
        stage=first.stage,
        stage_since=now,
        opened_at=now,
        touched_at=now,
        last_contact_at=deal.last_contact_at,
        achievement_id=None if what is SplitSubject.NEED else deal.achievement_id,
        need_id=deal.need_id,
        part=part,
        split_from_id=deal.id,
        seller_organisation_id=deal.seller_organisation_id,
        buyer_organisation_id=deal.buyer_organisation_id,
        broker_user_id=deal.broker_user_id,
        agency_organisation_id=deal.agency_organisation_id,
        amount_fen=amount_fen,
        trading_mode=deal.trading_mode,
    )


def _move(
    session: Session,
    actor: Actor,
    deal: Deal,
    new: Deal,
    *,
    task_ids: Collection[int],
    note_ids: Collection[int],
) -> None:
    """Give tasks and notes to the new deal; refuse what is not there any more or not his."""
    tasks = session.scalars(
        select(Task)
        .where(Task.id.in_(task_ids), movable_tasks(deal.id))
        .order_by(Task.id)
        .with_for_update()
    ).all()
    notes = session.scalars(
        select(Note)
        .where(Note.id.in_(note_ids), movable_notes(actor, deal.id))
        .order_by(Note.id)
        .with_for_update()
    ).all()
    if (len(tasks), len(notes)) != (len(set(task_ids)), len(set(note_ids))):
        raise RuleBroken(
            "split.gone", "选中的待办或备注刚刚办结或转走了，请刷新页面重新选择", "task_ids"
        )
    for task in tasks:
        task.deal_id = new.id
    for note in notes:
        note.deal_id = new.id
    session.flush()
    refresh_next_task(session, deal)
    refresh_next_task(session, new)
