"""Reads of the match desk: what waits for a broker, one pair in full, what he laid aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.achievements.queries import AchievementView
from marketplace.achievements.rules import VISIBLE_STATES as OFFERED
from marketplace.brokerage import queries as brokerage
from marketplace.brokerage.proposal_queries import Taken, has_no_deal, taken_pairs
from marketplace.discovery import desk_rules
from marketplace.discovery.desk_models import DeskAnswer, MatchPair
from marketplace.discovery.desk_rules import WORK, DeskState, DismissReason, Point
from marketplace.discovery.models import MatchVerdict
from marketplace.discovery.rules import Verdict
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound
from marketplace.foundation.trade import TechnologyField
from marketplace.needs import queries as needs
from marketplace.needs.queries import NeedView
from marketplace.needs.rules import VISIBLE_STATES as ASKED

_SHOWN = 20
_LAID_ASIDE = 20


@dataclass(frozen=True)
class DeskEntry:
    """A pair as a line of the desk."""

    pair_id: int
    need_title: str
    achievement_title: str
    fit: int


@dataclass(frozen=True, kw_only=True)
class DeskItem:
    """A pair in full, as its reader may see it, with a draft of the words to begin with."""

    pair_id: int
    need: NeedView
    achievement: AchievementView
    buyer_name: str
    seller_name: str
    fit: int
    points: tuple[Point, ...]
    terms: tuple[str, ...]
    sentence: str
    opinion: str
    taken: Taken | None
    draft: str

    @property
    def anonymous(self) -> bool:
        """Tell whether the need does not say who asks."""
        return not self.buyer_name


@dataclass(frozen=True)
class Desk:
    """What waits for a broker, the best first; ``fields`` are those he named, none means all."""

    entries: tuple[DeskEntry, ...]
    count: int
    fields: tuple[TechnologyField, ...]


@dataclass(frozen=True)
class LaidAside:
    """A pair that rests or was dismissed, and why."""

    pair_id: int
    need_title: str
    achievement_title: str
    state: DeskState
    until: date | None
    reason: DismissReason | None
    words: str


def desk(session: Session, actor: Actor, *, now: datetime) -> Desk:
    """Read what waits for the actor; the number of statements does not grow with the pairs."""
    require(actor, WORK)
    entry = brokerage.find_broker(session, actor.user_id)
    fields = entry.fields if entry is not None else ()
    waiting = _waiting(actor, fields, now)
    count = session.scalar(select(func.count()).select_from(MatchPair).where(*waiting)) or 0
    rows = session.scalars(
        select(MatchPair)
        .where(*waiting)
        .order_by(MatchPair.weight.desc(), MatchPair.id)
        .limit(_SHOWN)
    ).all()
    titles = _titles(session, rows)
    lines = tuple(DeskEntry(row.id, *titles[row.id], row.fit) for row in rows if row.id in titles)
    return Desk(lines, count, tuple(fields))


def _waiting(
    actor: Actor, fields: Sequence[TechnologyField], now: datetime
) -> list[ColumnElement[bool]]:
    """Return the conditions for the pairs that wait for a broker.

    A pair that he or, by a verdict, a colleague has laid aside comes back when one of its records
    says something else; one that rests comes back on its day.
    """
    today = local_date(now)
    answered = exists().where(
        DeskAnswer.pair_id == MatchPair.id,
        DeskAnswer.broker_user_id == actor.user_id,
        or_(
            and_(DeskAnswer.state == DeskState.SNOOZED, DeskAnswer.until > today),
            and_(
                DeskAnswer.state != DeskState.SNOOZED,
                DeskAnswer.answered_at >= MatchPair.changed_at,
            ),
        ),
    )
    useless = exists().where(
        MatchVerdict.need_id == MatchPair.need_id,
        MatchVerdict.achievement_id == MatchPair.achievement_id,
        MatchVerdict.organisation_id == actor.organisation_id,
        MatchVerdict.verdict == Verdict.USELESS,
        MatchVerdict.judged_at >= MatchPair.changed_at,
    )
    own = actor.organisation_id
    conditions = [
        MatchPair.current.is_(True),
        MatchPair.buyer_organisation_id != own,
        MatchPair.seller_organisation_id != own,
        MatchPair.buyer_organisation_id != MatchPair.seller_organisation_id,
        ~answered,
        ~useless,
        has_no_deal(MatchPair.achievement_id, MatchPair.buyer_organisation_id),
    ]
    if fields:
        conditions.append(
            or_(MatchPair.need_field.in_(fields), MatchPair.achievement_field.in_(fields))
        )
    return conditions


def _titles(session: Session, rows: Sequence[MatchPair]) -> dict[int, tuple[str, str]]:
    """Return the titles of the pairs' records, by pair; without those that left the market."""
    asked = needs.rows_of(session, [row.need_id for row in rows])
    offered = achievements.rows_of(session, [row.achievement_id for row in rows])
    return {
        row.id: (asked[row.need_id].title, offered[row.achievement_id].title)
        for row in rows
        if asked[row.need_id].state in ASKED and offered[row.achievement_id].state in OFFERED
    }


def item(session: Session, actor: Actor, pair_id: int, *, now: datetime) -> DeskItem:
    """Read one pair in full; ``NotFound`` where the actor may not see both records any more."""
    require(actor, WORK)
    pair = session.get(MatchPair, pair_id)
    if pair is None or not pair.current:
        raise NotFound()
    need = needs.get_for(session, actor, pair.need_id)
    achievement = achievements.get_for(session, actor, pair.achievement_id)
    if not (need.open_to_others and achievement.open_to_others):
        raise NotFound()
    organisations = accounts.get_organisations(
        session,
        {number for number in (need.organisation_id, achievement.organisation_id) if number},
    )
    buyer = organisations.get(need.organisation_id or 0)
    seller_name = organisations[achievement.organisation_id].short_name
    buyer_name = buyer.short_name if buyer else ""
    points = tuple(Point(*point) for point in pair.points)
    key = pair.need_id, pair.achievement_id
    taken = taken_pairs(session, actor, [(*key, pair.buyer_organisation_id)], now=now)
    return DeskItem(
        pair_id=pair.id,
        need=need,
        achievement=achievement,
        buyer_name=buyer_name,
        seller_name=seller_name,
        fit=pair.fit,
        points=points,
        terms=tuple(pair.terms),
        sentence=pair.sentence,
        opinion=pair.opinion,
        taken=taken.get(key),
        draft=desk_rules.draft(
            need.content,
            achievement.content,
            points,
            buyer_name=buyer_name,
            seller_name=seller_name,
        ),
    )


def laid_aside(session: Session, actor: Actor) -> list[LaidAside]:
    """List what the actor let rest or dismissed, the newest first."""
    require(actor, WORK)
    rows = session.execute(
        select(DeskAnswer, MatchPair)
        .join(MatchPair, MatchPair.id == DeskAnswer.pair_id)
        .where(DeskAnswer.broker_user_id == actor.user_id, DeskAnswer.state != DeskState.PROPOSED)
        .order_by(DeskAnswer.answered_at.desc(), DeskAnswer.id.desc())
        .limit(_LAID_ASIDE)
    ).all()
    titles = _titles(session, [pair for _, pair in rows])
    return [
        LaidAside(
            pair.id, *titles[pair.id], answer.state, answer.until, answer.reason, answer.words
        )
        for answer, pair in rows
        if pair.id in titles
    ]
