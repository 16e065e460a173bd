"""Reads of proposals, and of what already stands between the two sides of a pair."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.brokerage.family_queries import goes_on
from marketplace.brokerage.models import Deal, Introduction
from marketplace.brokerage.proposal_models import Proposal
from marketplace.brokerage.proposal_rules import (
    ANSWER_PROPOSAL,
    ProposalState,
    SideAnswer,
)
from marketplace.foundation.access import Actor, Role, permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.needs import queries as needs


@dataclass(frozen=True, kw_only=True)
class ProposalView:
    """A proposal for who made it or who is asked; names that a reader may not learn are empty."""

    id: int
    need_id: int
    need_title: str
    achievement_id: int
    achievement_title: str
    seller_name: str
    buyer_name: str
    broker_name: str
    broker_user_id: int
    agency_name: str
    words: str
    proposed_at: datetime
    valid_to: date
    state: ProposalState
    buyer_answer: SideAnswer
    seller_answer: SideAnswer
    buyer_words: str
    seller_words: str
    deal_id: int | None
    anonymous: bool
    mine: bool
    may_answer: bool


def _seen_by(actor: Actor) -> ColumnElement[bool]:
    """Return the condition for the proposals that an actor made or is asked about."""
    if actor.user_id is None or actor.organisation_id is None:
        return false()
    own, not_asked = actor.organisation_id, SideAnswer.NOT_ASKED
    ways: list[ColumnElement[bool]] = []
    if actor.has(Role.BROKER):
        ways.append(
            and_(Proposal.broker_user_id == actor.user_id, Proposal.agency_organisation_id == own)
        )
    if actor.has(*(ANSWER_PROPOSAL.roles or ())):
        ways += [
            and_(Proposal.buyer_organisation_id == own, Proposal.buyer_answer != not_asked),
            and_(Proposal.seller_organisation_id == own, Proposal.seller_answer != not_asked),
        ]
    return or_(*ways) if ways else false()


def list_proposals(
    session: Session, actor: Actor, *, now: datetime, after: str | None = None, size: int = 20
) -> Page[ProposalView]:
    """List the proposals that the actor made or is asked about, the newest first."""
    page = paginate(
        session,
        select(Proposal).where(_seen_by(actor)),
        keys=[Proposal.id.desc()],
        after=after,
        size=size,
    )
    return Page(_views(session, actor, page.items, today=local_date(now)), page.next_token)


def get_proposal(
    session: Session, actor: Actor, proposal_id: int, *, now: datetime
) -> ProposalView:
    """Return a proposal to who made it or is asked; everybody else gets ``NotFound``."""
    row = session.scalar(select(Proposal).where(Proposal.id == proposal_id, _seen_by(actor)))
    if row is None:
        raise NotFound()
    return _views(session, actor, [row], today=local_date(now))[0]


def first_end(session: Session, *, reminded: bool | None = None) -> date | None:
    """Return the last day of the proposal that ends first, among those still to be reminded of."""
    statement = select(func.min(Proposal.valid_to)).where(Proposal.state == ProposalState.OPEN)
    if reminded is False:
        statement = statement.where(Proposal.reminded_at.is_(None))
    return session.scalar(statement)


def awaiting_answer(
    session: Session, actor: Actor, *, now: datetime, limit: int = 30
) -> list[ProposalView]:
    """List the proposals that wait for an answer of the actor's organisation, oldest first."""
    if not permits(actor, ANSWER_PROPOSAL):
        return []
    own, today = actor.organisation_id, local_date(now)
    rows = session.scalars(
        select(Proposal)
        .where(
            Proposal.state == ProposalState.OPEN,
            Proposal.valid_to >= today,
            or_(
                and_(
                    Proposal.buyer_organisation_id == own,
                    Proposal.buyer_answer == SideAnswer.WAITING,
                ),
                and_(
                    Proposal.seller_organisation_id == own,
                    Proposal.seller_answer == SideAnswer.WAITING,
                ),
            ),
        )
        .order_by(Proposal.id)
        .limit(limit)
    ).all()
    return _views(session, actor, list(rows), today=today)


def _views(
    session: Session, actor: Actor, rows: list[Proposal], *, today: date
) -> list[ProposalView]:
    asked = needs.rows_of(session, [row.need_id for row in rows])
    offered = achievements.rows_of(session, [row.achievement_id for row in rows])
    organisations = accounts.get_organisations(
        session,
        {
            number
            for row in rows
            for number in (
                row.seller_organisation_id,
                row.buyer_organisation_id,
                row.agency_organisation_id,
            )
            if number is not None
        },
    )
    brokers = accounts.get_users(session, {row.broker_user_id for row in rows})
    answers = permits(actor, ANSWER_PROPOSAL)

    def view(row: Proposal) -> ProposalView:
        own = actor.organisation_id
        waits = (own == row.buyer_organisation_id and row.buyer_answer is SideAnswer.WAITING) or (
            own == row.seller_organisation_id and row.seller_answer is SideAnswer.WAITING
        )
        named = (
            not row.anonymous
            or own == row.buyer_organisation_id
            or row.state is ProposalState.AGREED
        )
        agency = organisations.get(row.agency_organisation_id or 0)
        open_ = row.state is ProposalState.OPEN
        return ProposalView(
            id=row.id,
            need_id=row.need_id,
            need_title=asked[row.need_id].title,
            achievement_id=row.achievement_id,
            achievement_title=offered[row.achievement_id].title,
            seller_name=organisations[row.seller_organisation_id].name,
            buyer_name=organisations[row.buyer_organisation_id].name if named else "",
            broker_name=brokers[row.broker_user_id].name,
            broker_user_id=row.broker_user_id,
            agency_name=agency.name if agency else "",
            words=row.words,
            proposed_at=row.proposed_at,
            valid_to=row.valid_to,
            state=ProposalState.LAPSED if open_ and row.valid_to < today else row.state,
            buyer_answer=row.buyer_answer,
            seller_answer=row.seller_answer,
            buyer_words=row.buyer_words,
            seller_words=row.seller_words,
            deal_id=row.deal_id,
            anonymous=row.anonymous,
            mine=row.broker_user_id == actor.user_id,
            may_answer=answers and waits and open_ and row.valid_to >= today,
        )

    return [view(row) for row in rows]


def has_no_deal(
    achievement_id: InstrumentedAttribute[int], buyer_organisation_id: InstrumentedAttribute[int]
) -> ColumnElement[bool]:
    """Return the condition that no open deal brings an achievement and a buyer together."""
    return ~exists().where(
        Deal.achievement_id == achievement_id,
        Deal.buyer_organisation_id == buyer_organisation_id,
        goes_on(),
    )


@dataclass(frozen=True)
class Taken:
    """Why a pair is not to be proposed again: an introduction that stands or a proposal."""

    said: str
    since: datetime
    mine: bool


def taken_pairs(
    session: Session, actor: Actor, pairs: Collection[tuple[int, int, int]], *, now: datetime
) -> dict[tuple[int, int], Taken]:
    """Tell which pairs of (need, achievement, buyer) another or the actor has taken up before.

    Who introduced is told to nobody but himself; two statements for any number of pairs.
    """
    if not pairs:
        return {}
    today = local_date(now)
    found: dict[tuple[int, int], Taken] = {}
    waiting = session.execute(
        select(
            Proposal.need_id,
            Proposal.achievement_id,
            Proposal.proposed_at,
            Proposal.broker_user_id,
        ).where(
            tuple_(Proposal.need_id, Proposal.achievement_id).in_(
                [(need_id, achievement_id) for need_id, achievement_id, _buyer in pairs]
            ),
            Proposal.state == ProposalState.OPEN,
            Proposal.valid_to >= today,
        )
    )
    for need_id, achievement_id, since, broker_user_id in waiting:
        mine = broker_user_id == actor.user_id
        who = "您" if mine else "另一位技术经理人"
        found[need_id, achievement_id] = Taken(f"{who}已提出对接，正在等答复", since, mine)
    subjects: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for need_id, achievement_id, buyer in pairs:
        about = f"achievement:{achievement_id}", buyer
        subjects.setdefault(about, []).append((need_id, achievement_id))
    introduced = session.execute(
        select(
            Introduction.subject,
            Introduction.buyer_organisation_id,
            Introduction.introduced_at,
            Introduction.broker_user_id,
        ).where(
            tuple_(Introduction.subject, Introduction.buyer_organisation_id).in_(list(subjects)),
            Introduction.ended_at.is_(None),
            Introduction.valid_to >= today,
        )
    )
    for subject, buyer, since, broker_user_id in introduced:
        mine = broker_user_id == actor.user_id
        who = "您" if mine else "另一位技术经理人"
        for pair in subjects[subject, buyer]:
            found[pair] = Taken(f"{who}已先作介绍存证，以先到的为准", since, mine)
    return found
