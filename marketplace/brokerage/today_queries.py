"""What a person has to do next on deals, ordered by worth times urgency.

Ordering and classing happen in the database, so that a person with ten thousand deals reads a
page of them and not all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Float,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from marketplace.accounts import queries as accounts
from marketplace.brokerage import rules
from marketplace.brokerage.chance_models import ChanceOverride
from marketplace.brokerage.chance_queries import measured_chances, own_chances
from marketplace.brokerage.chance_rules import Chance, expected_worth, share_that_counts
from marketplace.brokerage.deal_queries import led_by, parties_of, visible_to
from marketplace.brokerage.family_queries import standing_of
from marketplace.brokerage.feedback_models import Enquiry
from marketplace.brokerage.models import Agreement, Deal, Task
from marketplace.brokerage.pipeline_rules import Step, onward
from marketplace.brokerage.rules import CLOSED, DealStage
from marketplace.brokerage.step_queries import place_of, went_stale
from marketplace.brokerage.terms_rules import AgreementStatus
from marketplace.brokerage.today_rules import NOW, URGENCY, WAITS_FOR, Pressing
from marketplace.foundation.access import Actor, permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.money import Fen


class Part(IntEnum):
    """The parts of the list, from above."""

    NOW = 1
    WAITING = 2
    COMING = 3


_SHOWN = {Part.NOW: 40, Part.WAITING: 15, Part.COMING: 15}


@dataclass(frozen=True)
class NextTask:
    """The earliest open task of the reader on a deal."""

    id: int
    what: str


@dataclass(frozen=True, kw_only=True)
class TodayItem:
    """One deal on the list, with why it is there and what can be done at once."""

    deal_id: int
    title: str
    step: Step
    pressing: Pressing
    seller_name: str
    buyer_name: str
    amount_fen: Fen | None
    expected_fen: Fen | None
    chance: Chance | None
    own_percent: int | None
    task: NextTask | None
    due_on: date | None
    last_contact_at: datetime | None
    waits_for: str
    following: Step | None


@dataclass(frozen=True)
class TodayList:
    """What to do now, what others have to do, what comes later; and how many of each kind."""

    now: list[TodayItem]
    waiting: list[TodayItem]
    coming: list[TodayItem]
    counts: dict[Pressing, int]

    @property
    def now_count(self) -> int:
        """Count what asks for something to be done today, shown or not."""
        return sum(self.counts[kind] for kind in NOW)


def today_list(session: Session, actor: Actor, *, now: datetime) -> TodayList:
    """Read what the actor has to do next; the number of statements does not grow with the deals."""
    if actor.user_id is None:
        return TodayList([], [], [], dict.fromkeys(Pressing, 0))
    chances = measured_chances(session, actor)
    set_on = aliased(Deal)
    stands = standing_of(set_on)
    own_tasks = (
        select(stands.label("deal_id"), func.min(Task.due_on).label("due_on"))
        .join(set_on, set_on.id == Task.deal_id)
        .where(Task.owner_user_id == actor.user_id, Task.done_at.is_(None))
        .group_by(stands)
        .subquery()
    )
    typical = session.scalar(
        select(func.avg(Deal.amount_fen)).where(led_by(actor), Deal.stage.not_in(CLOSED))
    )
    classed = (
        select(
            Deal.id,
            Deal.stage,
            Deal.amount_fen,
            ChanceOverride.percent,
            own_tasks.c.due_on,
            _pressing(actor, own_tasks.c.due_on, now).label("pressing"),
        )
        .outerjoin(own_tasks, own_tasks.c.deal_id == Deal.id)
        .outerjoin(ChanceOverride, and_(ChanceOverride.deal_id == Deal.id, led_by(actor)))
        .where(Deal.stage.not_in(CLOSED), visible_to(session, actor))
        .where(or_(led_by(actor), own_tasks.c.due_on.is_not(None)))
        .cte("classed")
    )
    counts = dict.fromkeys(Pressing, 0)
    places: dict[int, tuple[date | None, Pressing]] = {}
    for row in session.execute(_first(classed, _score(classed, chances, float(typical or 1)))):
        counts[Pressing(row.pressing)] = row.alike
        if row.place <= _SHOWN[Part(row.part)]:
            places[row.id] = (row.due_on, Pressing(row.pressing))
    deals = {d.id: d for d in session.scalars(select(Deal).where(Deal.id.in_(places)))}
    found = [(deals[id_], due_on, kind) for id_, (due_on, kind) in places.items()]
    items = _items(session, actor, found, chances)
    return TodayList(
        [item for item in items if item.pressing in NOW],
        [item for item in items if item.pressing is Pressing.WAITING],
        [item for item in items if item.pressing is Pressing.COMING],
        counts,
    )


def _pressing(
    actor: Actor, due_on: ColumnElement[date | None], now: datetime
) -> ColumnElement[str]:
    today = local_date(now)
    offered = exists().where(
        Agreement.achievement_id == Deal.achievement_id,
        Agreement.buyer_organisation_id == Deal.buyer_organisation_id,
        Agreement.status == AgreementStatus.OFFERED,
    )
    waits = or_(
        Deal.stage.in_((DealStage.SIGNED, DealStage.REGISTERED)),
        and_(Deal.stage == DealStage.CONFIDENTIALITY, offered),
    )
    # Read once for all deals, not looked for from each of them.
    asked_on = aliased(Deal)
    asked = Deal.id.in_(
        select(standing_of(asked_on))
        .join(Enquiry, Enquiry.deal_id == asked_on.id)
        .where(Enquiry.closed_at.is_(None), Enquiry.organisation_id == actor.organisation_id)
    )
    return case(
        (due_on < today, _named(Pressing.OVERDUE)),
        (due_on == today, _named(Pressing.DUE_TODAY)),
        (asked, _named(Pressing.ASKED)),
        (went_stale(now), _named(Pressing.STALE)),
        (waits, _named(Pressing.WAITING)),
        (due_on.is_(None), _named(Pressing.NO_NEXT)),
        else_=_named(Pressing.COMING),
    )


def _named(kind: Pressing) -> ColumnElement[str]:
    return literal(kind.value, String)


def _score(classed: CTE, chances: dict[DealStage, Chance], typical: float) -> ColumnElement[float]:
    # A deal whose price nobody knows yet counts as the average one, or it would never come up.
    measured = case(
        *(
            (classed.c.stage == stage, literal(chance.share, Float))
            for stage, chance in chances.items()
        ),
        else_=literal(1.0, Float),
    )
    # What the leader thinks himself counts before what was measured.
    share = func.coalesce(cast(classed.c.percent, Float) / 100.0, measured)
    urgency = case(
        *(
            (classed.c.pressing == _named(kind), literal(factor, Float))
            for kind, factor in URGENCY.items()
        ),
        else_=literal(1.0, Float),
    )
    worth = cast(func.coalesce(classed.c.amount_fen, literal(int(typical))), Float)
    return worth * share * urgency


def _first(classed: CTE, score: ColumnElement[float]) -> Select[Any]:
    """Choose the first of each part, and one of each kind with how many are of it.

    One walk over the deals sorts, counts and cuts.
    """
    part = case(
        (classed.c.pressing == _named(Pressing.WAITING), literal(int(Part.WAITING))),
        (classed.c.pressing == _named(Pressing.COMING), literal(int(Part.COMING))),
        else_=literal(int(Part.NOW)),
    )
    of_kind: dict[str, Any] = {"partition_by": classed.c.pressing}
    placed = select(
        classed.c.id,
        classed.c.due_on,
        classed.c.pressing,
        part.label("part"),
        func.row_number()
        .over(partition_by=part, order_by=(score.desc(), classed.c.id))
        .label("place"),
        func.row_number().over(**of_kind, order_by=classed.c.id).label("number"),
        func.count().over(**of_kind).label("alike"),
    ).subquery()
    shown = or_(
        *(and_(placed.c.part == int(p), placed.c.place <= most) for p, most in _SHOWN.items())
    )
    return (
        select(placed)
        .where(or_(shown, placed.c.number == 1))
        .order_by(placed.c.part, placed.c.place)
    )


def _items(
    session: Session,
    actor: Actor,
    found: Sequence[tuple[Deal, date | None, Pressing]],
    chances: dict[DealStage, Chance],
) -> list[TodayItem]:
    tasks: dict[int, NextTask] = {}
    set_on = aliased(Deal)
    ids = [deal.id for deal, _, _ in found]
    for deal_id, task in session.execute(
        select(standing_of(set_on), Task)
        .join(Task, Task.deal_id == set_on.id)
        .where(
            or_(set_on.id.in_(ids), set_on.merged_into_id.in_(ids)),
            Task.owner_user_id == actor.user_id,
            Task.done_at.is_(None),
        )
        .order_by(Task.due_on, Task.id)
    ):
        tasks.setdefault(deal_id, NextTask(task.id, task.what))
    own = own_chances(session, actor, [deal.id for deal, _, _ in found])
    sides = {d.seller_organisation_id for d, _, _ in found}
    sides |= {d.buyer_organisation_id for d, _, _ in found}
    organisations = accounts.get_organisations(session, sides)
    may_lead = permits(actor, rules.LEAD)

    def item(deal: Deal, due_on: date | None, pressing: Pressing) -> TodayItem:
        chance, parties = chances.get(deal.stage), parties_of(deal)
        leading = may_lead and rules.leads(rules.sides_of(actor, parties), parties)
        said = own.get(deal.id) if chance else None
        share = share_that_counts(chance, said.percent if said else None) if chance else 1.0
        pipeline, step = place_of(deal)
        return TodayItem(
            deal_id=deal.id,
            title=deal.title,
            step=step,
            pressing=pressing,
            seller_name=organisations[deal.seller_organisation_id].short_name,
            buyer_name=organisations[deal.buyer_organisation_id].short_name,
            amount_fen=deal.amount_fen,
            expected_fen=expected_worth(deal.amount_fen, share),
            chance=chance,
            own_percent=said.percent if said else None,
            task=tasks.get(deal.id),
            due_on=due_on,
            last_contact_at=deal.last_contact_at,
            waits_for=WAITS_FOR.get(deal.stage, "") if pressing is Pressing.WAITING else "",
            following=onward(pipeline, deal.stage, deal.step) if leading else None,
        )

    return [item(*entry) for entry in found]
