"""Reads for learning: votes on pairs, the answers to learn from, and the learned table."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.brokerage import deal_queries as brokerage
from marketplace.discovery.learning_rules import Vote
from marketplace.discovery.models import LearnedPair, Learning, MatchVerdict
from marketplace.discovery.rules import Verdict
from marketplace.foundation.access import ANONYMOUS
from marketplace.foundation.errors import NotFound
from marketplace.needs import queries as needs
from marketplace.needs import term_queries as need_terms
from search import learning, query
from search.learning import Answer, Pair

# Older answers say less about how people speak today, and the table is made in one go.
_MOST_ANSWERS = 5_000


@dataclass(frozen=True)
class PairView:
    """A learned pair for the operator, who may refuse it."""

    id: int
    said: str
    meant: str
    supporters: int
    opponents: int
    weight: float
    refused: bool


def votes_on_need(session: Session, need_id: int) -> dict[int, list[Vote]]:
    """Return the votes on a need's matches, by achievement."""
    return _votes(session, MatchVerdict.achievement_id, MatchVerdict.need_id, need_id)


def votes_on_achievement(session: Session, achievement_id: int) -> dict[int, list[Vote]]:
    """Return the votes on an achievement's matches, by need."""
    return _votes(session, MatchVerdict.need_id, MatchVerdict.achievement_id, achievement_id)


def learned_at(session: Session) -> datetime | None:
    """Return when the table was made, or None where it never was."""
    return session.scalar(select(Learning.learned_at))


def answered_at(session: Session) -> datetime | None:
    """Return when somebody last judged a match."""
    return session.scalar(select(func.max(MatchVerdict.judged_at)))


def pairs_for_need(session: Session, text: str) -> tuple[Pair, ...]:
    """Return the learned pairs whose everyday word stands in a need."""
    return _pairs(session, LearnedPair.said, learning.everyday_words(text))


def pairs_for_achievement(
    session: Session, text: str, keywords: Collection[str]
) -> tuple[Pair, ...]:
    """Return the learned pairs, read backwards, whose term stands in an achievement."""
    held = {*keywords, *query.content_words(text)}
    return learning.inverse(_pairs(session, LearnedPair.meant, held))


def list_pairs(session: Session, *, limit: int = 500) -> list[PairView]:
    """List the learned pairs for the operator, those with most voices first."""
    rows = session.scalars(
        select(LearnedPair)
        .order_by(LearnedPair.supporters.desc(), LearnedPair.said, LearnedPair.meant)
        .limit(limit)
    )
    return [
        PairView(r.id, r.said, r.meant, r.supporters, r.opponents, r.weight, r.refused)
        for r in rows
    ]


def answers(session: Session) -> list[Answer]:
    """Gather what there is to learn from, in texts that anybody may read.

    Verdicts of verified organisations, each pair's newest of each; signed deals, as the buyer's
    word; expert terms that needs carry. What an organisation says of its own achievement is left
    out. A need or an achievement that is not public any more teaches nothing.
    """
    texts = _PublicTexts(session)
    return [
        *_from_verdicts(session, texts),
        *_from_deals(session, texts),
        *_from_terms(session, texts),
    ]


class _PublicTexts:
    """What everybody may read of needs and achievements, each read once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._asked: dict[int, str] = {}
        self._offered: dict[int, tuple[tuple[str, ...], int | None]] = {}

    def asked(self, need_id: int) -> str:
        """Return a need's public text; empty where it has none."""
        if need_id not in self._asked:
            self._asked[need_id] = self._read_need(need_id)
        return self._asked[need_id]

    def offered(self, achievement_id: int) -> tuple[tuple[str, ...], int | None]:
        """Return an achievement's public terms and its owner; no terms where it is not public."""
        if achievement_id not in self._offered:
            self._offered[achievement_id] = self._read_achievement(achievement_id)
        return self._offered[achievement_id]

    def _read_need(self, need_id: int) -> str:
        try:
            content = needs.get_for(self._session, ANONYMOUS, need_id).content
        except NotFound:
            return ""
        return "\n".join((content.title, content.problem, content.present_solution))

    def _read_achievement(self, achievement_id: int) -> tuple[tuple[str, ...], int | None]:
        try:
            view = achievements.get_for(self._session, ANONYMOUS, achievement_id)
        except NotFound:
            return (), None
        terms = learning.document_terms(view.content.title, view.content.keywords)
        return terms, view.organisation_id


def _from_verdicts(session: Session, texts: _PublicTexts) -> Iterator[Answer]:
    rows = session.scalars(
        select(MatchVerdict)
        .where(MatchVerdict.organisation_id.is_not(None))
        .order_by(MatchVerdict.judged_at.desc(), MatchVerdict.id.desc())
        .limit(_MOST_ANSWERS)
    ).all()
    voters = accounts.get_organisations(session, {row.organisation_id or 0 for row in rows})
    said: set[tuple[int | None, int, int]] = set()
    for row in rows:
        key = row.organisation_id, row.need_id, row.achievement_id
        voter = voters.get(row.organisation_id or 0)
        if key in said or voter is None or not voter.verified:
            continue
        said.add(key)
        terms, owner_id = texts.offered(row.achievement_id)
        if owner_id != row.organisation_id and terms:
            yield Answer(
                texts.asked(row.need_id),
                terms,
                str(row.organisation_id),
                row.verdict is Verdict.USEFUL,
            )


def _from_deals(session: Session, texts: _PublicTexts) -> Iterator[Answer]:
    for pair in brokerage.signed_pairs(session, limit=_MOST_ANSWERS):
        terms, _owner = texts.offered(pair.achievement_id)
        yield Answer(texts.asked(pair.need_id), terms, str(pair.buyer_organisation_id))


def _from_terms(session: Session, texts: _PublicTexts) -> Iterator[Answer]:
    for stated in need_terms.stated_terms(session, limit=_MOST_ANSWERS):
        yield Answer(texts.asked(stated.need_id), stated.terms, str(stated.organisation_id))


def _votes(
    session: Session,
    key: InstrumentedAttribute[int],
    about: InstrumentedAttribute[int],
    about_id: int,
) -> dict[int, list[Vote]]:
    rows = session.execute(
        select(
            key,
            MatchVerdict.user_id,
            MatchVerdict.organisation_id,
            MatchVerdict.verdict,
            MatchVerdict.judged_at,
        ).where(about == about_id)
    ).all()
    voters = accounts.get_organisations(session, {row[2] for row in rows if row[2] is not None})
    found: dict[int, list[Vote]] = {}
    for other_id, user_id, organisation_id, verdict, judged_at in rows:
        voter = voters.get(organisation_id) if organisation_id is not None else None
        counted = organisation_id if voter is not None and voter.verified else None
        found.setdefault(other_id, []).append(Vote(user_id, counted, verdict, judged_at))
    return found


def _pairs(
    session: Session, column: InstrumentedAttribute[str], words: Collection[str]
) -> tuple[Pair, ...]:
    rows = session.scalars(
        select(LearnedPair).where(column.in_(sorted(words)), LearnedPair.refused.is_(False))
    )
    return tuple(Pair(r.said, r.meant, r.supporters, r.opponents, r.weight) for r in rows)
