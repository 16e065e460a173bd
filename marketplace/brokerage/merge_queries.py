"""What a merge or a split would do, read before it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from marketplace.brokerage import merge_rules, rules
from marketplace.brokerage.deal_queries import (
    DealView,
    get_deal,
    has_agreement,
    parties_of,
    visible_to,
)
from marketplace.brokerage.family_queries import belongs_to, covering_ids
from marketplace.brokerage.introduction_models import Dispute, Recognition
from marketplace.brokerage.introduction_rules import DisputeState, RecognitionState
from marketplace.brokerage.merge_rules import DealFootprint, MergedPrice, SplitSubject
from marketplace.brokerage.models import Commission, Deal, Introduction, Note, Task
from marketplace.brokerage.room_models import Room, RoomFile
from marketplace.brokerage.rules import DealStage, NoteKind, NoteVisibility
from marketplace.brokerage.talk_models import Talk
from marketplace.brokerage.terms_rules import CommissionStatus
from marketplace.foundation.access import Actor
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound, Problem
from marketplace.foundation.money import Fen

_MOST = 50
_IN_FORCE = (CommissionStatus.AGREED, CommissionStatus.DUE, CommissionStatus.INVOICED)


def footprint(session: Session, deal: Deal, *, today: date) -> DealFootprint:
    """Collect what decides whether a deal can be merged or split."""
    proofs = select(Introduction.id).where(Introduction.deal_id.in_(covering_ids(session, deal.id)))
    disputed = select(Dispute.id).where(
        Dispute.introduction_id.in_(proofs), Dispute.state == DisputeState.OPEN
    )
    unchecked = select(Recognition.id).where(
        Recognition.introduction_id.in_(proofs), Recognition.state == RecognitionState.TO_CHECK
    )
    agreed = select(Commission.id).where(
        belongs_to(Commission.deal_id, deal.id), Commission.status.in_(_IN_FORCE)
    )
    return DealFootprint(
        id=deal.id,
        title=deal.title,
        stage=deal.stage,
        seller_organisation_id=deal.seller_organisation_id,
        buyer_organisation_id=deal.buyer_organisation_id,
        broker_user_id=deal.broker_user_id,
        agency_organisation_id=deal.agency_organisation_id,
        achievement_id=deal.achievement_id,
        need_id=deal.need_id,
        part=deal.part,
        listed=deal.listing_id is not None or deal.intent_id is not None,
        amount_fen=deal.amount_fen,
        agreement_holds=has_agreement(
            session, deal.buyer_organisation_id, deal.achievement_id, today
        ),
        agreement_waived=bool(deal.agreement_waiver),
        commission_agreed=session.scalar(agreed.limit(1)) is not None,
        disputed=bool(session.scalar(select(or_(disputed.exists(), unchecked.exists())))),
    )


@dataclass(frozen=True)
class Candidate:
    """A deal that another of the same parties could be merged into."""

    id: int
    title: str
    stage: DealStage
    amount_fen: Fen | None
    opened_at: datetime


def candidates(session: Session, actor: Actor, deal_id: int) -> list[Candidate]:
    """List the other deals under way between a deal's parties that the actor leads."""
    deal = session.get_one(Deal, deal_id)
    rows = session.scalars(
        select(Deal)
        .where(
            Deal.id != deal_id,
            Deal.seller_organisation_id == deal.seller_organisation_id,
            Deal.buyer_organisation_id == deal.buyer_organisation_id,
            Deal.stage.in_(rules.TALKING),
            visible_to(session, actor),
        )
        .order_by(Deal.id)
        .limit(_MOST)
    )
    return [
        Candidate(row.id, row.title, row.stage, row.amount_fen, row.opened_at)
        for row in rows
        if rules.leads(rules.sides_of(actor, parties_of(row)), parties_of(row))
    ]


def get_led(session: Session, actor: Actor, deal_id: int) -> DealView:
    """Return a deal to who leads it; everybody else gets ``NotFound``."""
    view = get_deal(session, actor, deal_id)
    if not view.leads:
        raise NotFound()
    return view


@dataclass(frozen=True, kw_only=True)
class MergePreview:
    """What would happen: why not, what is shown from then on, what ends.

    Counts are of what the actor himself may read; others' private notes are not among them.
    """

    ending: DealView
    standing: DealView
    problems: Sequence[Problem]
    price: MergedPrice
    sum_fen: Fen | None
    note_count: int
    task_count: int
    talk_count: int
    introduction_count: int
    file_count: int
    takes_commission: bool
    proposed_count: int


def preview(
    session: Session, actor: Actor, *, deal_id: int, into_deal_id: int, now: datetime
) -> MergePreview:
    """Tell who leads two deals what merging one into the other would do."""
    ending, standing = get_led(session, actor, deal_id), get_led(session, actor, into_deal_id)
    today = local_date(now)
    before = footprint(session, session.get_one(Deal, deal_id), today=today)
    other = footprint(session, session.get_one(Deal, into_deal_id), today=today)

    def count(counted: InstrumentedAttribute[int], *conditions: ColumnElement[bool]) -> int:
        return session.scalar(select(func.count(counted)).where(*conditions)) or 0

    files = and_(
        belongs_to(Room.deal_id, deal_id),
        RoomFile.room_id == Room.id,
        RoomFile.withdrawn_at.is_(None),
    )
    proposed = belongs_to(Commission.deal_id, deal_id)
    if before.commission_agreed:
        proposed = or_(proposed, belongs_to(Commission.deal_id, into_deal_id))
    prices = [each for each in (before.amount_fen, other.amount_fen) if each is not None]
    return MergePreview(
        ending=ending,
        standing=standing,
        problems=merge_rules.refusals(before, other),
        price=merge_rules.suggested_price(before, other),
        sum_fen=Fen(sum(prices)) if prices else None,
        note_count=count(Note.id, belongs_to(Note.deal_id, deal_id), _readable(actor)),
        task_count=count(Task.id, belongs_to(Task.deal_id, deal_id), Task.done_at.is_(None)),
        talk_count=count(Talk.id, belongs_to(Talk.deal_id, deal_id)),
        introduction_count=count(Introduction.id, belongs_to(Introduction.deal_id, deal_id)),
        file_count=count(RoomFile.id, files),
        takes_commission=before.commission_agreed,
        proposed_count=count(
            Commission.id, proposed, Commission.status == CommissionStatus.PROPOSED
        ),
    )


def _readable(actor: Actor) -> ColumnElement[bool]:
    return or_(Note.visibility == NoteVisibility.SHARED, Note.author_user_id == actor.user_id)


def movable_notes(actor: Actor, deal_id: int) -> ColumnElement[bool]:
    """Return the condition for the notes of a deal that its leader may move: shared and his own."""
    return and_(Note.deal_id == deal_id, _readable(actor))


def movable_tasks(deal_id: int) -> ColumnElement[bool]:
    """Return the condition for the tasks of a deal that may be moved: what is still to be done."""
    return and_(Task.deal_id == deal_id, Task.done_at.is_(None))


@dataclass(frozen=True)
class SplitChoices:
    """What can be split off a deal, what may go along as (value, label), and why it cannot be."""

    subjects: Sequence[SplitSubject]
    tasks: Sequence[tuple[str, str]]
    notes: Sequence[tuple[str, str]]
    problems: Sequence[Problem]


def split_choices(session: Session, actor: Actor, deal_id: int, *, now: datetime) -> SplitChoices:
    """List the tasks and notes of a deal that its leader may give to a new one."""
    today = local_date(now)
    tasks = session.scalars(
        select(Task).where(movable_tasks(deal_id)).order_by(Task.due_on, Task.id)
    )
    notes = session.scalars(
        select(Note).where(movable_notes(actor, deal_id)).order_by(Note.id.desc())
    )
    found = footprint(session, session.get_one(Deal, deal_id), today=today)
    return SplitChoices(
        merge_rules.subjects_of(found),
        [(str(row.id), f"{row.due_on.isoformat()}，{row.what}") for row in tasks],
        [(str(row.id), _note_label(row.kind, row.written_at, row.body)) for row in notes],
        merge_rules.split_refusals(found),
    )


def _note_label(kind: NoteKind, written_at: datetime, body: str) -> str:
    words = " ".join(body.split())
    shown = words if len(words) <= 40 else f"{words[:39]}…"
    return f"{local_date(written_at).isoformat()} {kind.label}：{shown}"


@dataclass(frozen=True)
class Relative:
    """A deal that was merged into another, or that was split from one."""

    id: int
    title: str
    stage: DealStage
    at: datetime | None


@dataclass(frozen=True)
class Relatives:
    """The deals that a reader may see around one: what it took in, is part of, and gave off."""

    merged: Sequence[Relative]
    into: Relative | None
    origin: Relative | None
    parts: Sequence[Relative]


def relatives_of(session: Session, actor: Actor, deal: DealView) -> Relatives:
    """Read what a deal was merged with and split from, as far as the actor may see it."""
    near = or_(
        Deal.merged_into_id == deal.id,
        Deal.split_from_id == deal.id,
        Deal.id.in_([each for each in (deal.merged_into_id, deal.split_from_id) if each]),
    )
    rows = session.scalars(
        select(Deal).where(near, visible_to(session, actor)).order_by(Deal.id)
    ).all()

    def relative(row: Deal) -> Relative:
        return Relative(row.id, row.title, row.stage, row.merged_at)

    by_id = {row.id: relative(row) for row in rows}
    return Relatives(
        [relative(row) for row in rows if row.merged_into_id == deal.id],
        by_id.get(deal.merged_into_id or 0),
        by_id.get(deal.split_from_id or 0),
        [relative(row) for row in rows if row.split_from_id == deal.id],
    )
