"""Find matches for one reader: the need's or the achievement's words, terms, and what was said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from marketplace.achievements import queries as achievements
from marketplace.achievements.queries import AchievementRow
from marketplace.discovery import learning_queries, queries
from marketplace.discovery.asked import cleaned
from marketplace.discovery.indexing import SearchIndex
from marketplace.discovery.learning_rules import Adjustment, Vote, adjustment
from marketplace.discovery.matches import MatchView, view_of
from marketplace.discovery.results import scope_for
from marketplace.discovery.rules import Verdict
from marketplace.discovery.standing_queries import Entry, standing
from marketplace.foundation.access import Actor
from marketplace.needs import queries as needs
from marketplace.needs.rules import Indicator
from search import learning, matching
from search.errors import SearchUnavailable
from search.expansion import ACCEPTED, Term
from search.features import Seeker
from search.schema import Document

BEST = 10
# A need always shows its nearest achievements; an achievement shows needs that really come near.
_LEAST_FIT_OF_NEEDS = 15


@dataclass(frozen=True)
class Wishes:
    """What a reader switches off: single proposed terms, all of them, or the learned ones."""

    without: tuple[str, ...] = ()
    expand: bool = True
    learned: bool = True

    @classmethod
    def of(cls, arguments: MultiDict[str, str]) -> Self:
        """Read them from a URL's arguments."""
        return cls(
            without=cleaned(arguments.getlist("without")),
            expand=arguments.get("expand", "1") != "0",
            learned=arguments.get("learned", "1") != "0",
        )

    def arguments(self) -> dict[str, Any]:
        """Return the URL arguments that state them, without what is so anyway."""
        stated: dict[str, Any] = {}
        if self.without:
            stated["without"] = list(self.without)
        if not self.expand:
            stated["expand"] = "0"
        if not self.learned:
            stated["learned"] = "0"
        return stated

    def less(self, term: str) -> Self:
        """Return the wishes with one more term switched off."""
        return replace(self, without=(*self.without, term))


@dataclass(frozen=True)
class Dismissed:
    """A match that the reader has called useless, so that this can be taken back."""

    need_id: int
    achievement_id: int
    title: str


@dataclass(frozen=True)
class MatchList:
    """The matches of one need or achievement; ``down`` when the engine cannot answer.

    ``terms`` are the professional terms that were looked for, ``wishes`` what was switched off;
    ``dismissed`` what the reader has called useless and what is therefore not in sight.
    """

    matches: tuple[MatchView, ...]
    terms: tuple[Term, ...] = ()
    down: bool = False
    wishes: Wishes = Wishes()
    dismissed: tuple[Dismissed, ...] = ()

    @property
    def accepted(self) -> tuple[Term, ...]:
        """Return the terms that stand with the need."""
        return tuple(term for term in self.terms if term.source == ACCEPTED)

    @property
    def proposed(self) -> tuple[Term, ...]:
        """Return the terms that the platform looked for besides."""
        return tuple(term for term in self.terms if term.source != ACCEPTED)


@dataclass(frozen=True)
class Finder:
    """Finds matches for one reader at one moment."""

    index: SearchIndex
    session: Session
    actor: Actor
    now: datetime
    wishes: Wishes = Wishes()

    def of_need(
        self,
        need_id: int,
        *,
        indicators: Sequence[Indicator] = (),
        limit: int = BEST,
        owner_id: int | None = None,
    ) -> MatchList:
        """Return the best achievements for an open need; none while it is not in the index."""

        def learned(document: Document) -> tuple[Term, ...]:
            spoken = f"{document.title}\n{document.body}"
            pairs = learning_queries.pairs_for_need(self.session, spoken)
            return learning.expand(pairs, spoken, without=self.wishes.without)

        def adjusted() -> dict[str, Adjustment]:
            votes = learning_queries.votes_on_need(self.session, need_id)
            if not votes:
                return {}
            asker = needs.rows_of(self.session, [need_id])[need_id].organisation_id
            offered = achievements.rows_of(self.session, sorted(votes))
            return {
                f"achievement:{other}": self._adjustment(cast, asker, offered[other])
                for other, cast in votes.items()
                if other in offered
            }

        found = self._matches(
            f"need:{need_id}", "achievement", learned, adjusted, tuple(indicators), limit, owner_id
        )
        verdicts = queries.verdicts_on_need(self.session, self.actor, need_id)
        dismissed = self._dismissed(found, verdicts, "achievement")
        gone = tuple(Dismissed(need_id, entry.record_id, entry.title) for entry in dismissed)
        return replace(_judged(found, verdicts), dismissed=gone)

    def of_achievement(
        self, achievement_id: int, *, limit: int = 5, owner_id: int | None = None
    ) -> MatchList:
        """Return the best open needs for a published achievement."""

        def learned(document: Document) -> tuple[Term, ...]:
            spoken = f"{document.title}\n{' '.join(document.keywords)}\n{document.body}"
            pairs = learning_queries.pairs_for_achievement(self.session, spoken, document.keywords)
            return learning.expand(pairs, spoken, without=self.wishes.without)

        def adjusted() -> dict[str, Adjustment]:
            votes = learning_queries.votes_on_achievement(self.session, achievement_id)
            if not votes:
                return {}
            own = achievements.rows_of(self.session, [achievement_id])[achievement_id]
            askers = needs.rows_of(self.session, sorted(votes))
            return {
                f"need:{other}": self._adjustment(cast, askers[other].organisation_id, own)
                for other, cast in votes.items()
                if other in askers
            }

        found = self._matches(
            f"achievement:{achievement_id}", "need", learned, adjusted, (), limit, owner_id
        )
        verdicts = queries.verdicts_on_achievement(self.session, self.actor, achievement_id)
        dismissed = self._dismissed(found, verdicts, "need")
        gone = tuple(Dismissed(entry.record_id, achievement_id, entry.title) for entry in dismissed)
        return replace(_judged(found, verdicts), dismissed=gone)

    def _dismissed(self, found: MatchList, verdicts: dict[int, Verdict], kind: str) -> list[Entry]:
        """Return what the reader has dismissed and what the list does not show any more."""
        in_sight = {match.record_id for match in found.matches}
        names = [
            f"{kind}:{other}"
            for other, verdict in verdicts.items()
            if verdict is Verdict.USELESS and other not in in_sight
        ]
        return standing(self.session, names)

    def _adjustment(
        self, votes: Sequence[Vote], asker_id: int, offered: AchievementRow
    ) -> Adjustment:
        return adjustment(
            votes,
            asker_id=asker_id,
            offerer_id=offered.organisation_id,
            reader_user_id=self.actor.user_id,
            reader_organisation_id=self.actor.organisation_id,
        )

    def _matches(
        self,
        document_id: str,
        wanted: str,
        learned: Callable[[Document], tuple[Term, ...]],
        adjusted: Callable[[], dict[str, Adjustment]],
        indicators: tuple[Indicator, ...],
        limit: int,
        owner_id: int | None,
    ) -> MatchList:
        """Match one indexed document with documents of the other kind."""
        own_kind = document_id.partition(":")[0]
        engine, wishes = self.index.engine, self.wishes
        try:
            own = engine.get([document_id], scope_for(self.actor, own_kind)).get(document_id)
            if own is None:
                return MatchList((), wishes=wishes)
            seeker = _seeker(own.document, owner_id, self.now)
            taught = learned(own.document) if wishes.learned and wishes.expand else ()
            terms = matching.terms_for(
                seeker, expand=wishes.expand, without=wishes.without, learned=taught
            )
            adjustments = adjusted()
            found = matching.match(
                engine,
                seeker,
                scope_for(self.actor, wanted),
                common=self.index.common,
                expand=wishes.expand,
                without_terms=wishes.without,
                learned=taught,
                adjust={name: entry.factor for name, entry in adjustments.items()},
                limit=limit,
            )
        except SearchUnavailable:
            return MatchList((), down=True, wishes=wishes)
        least = _LEAST_FIT_OF_NEEDS if wanted == "need" else 0
        kept = [match for match in found if match.fit >= least]
        views = [
            view_of(own.document, match, indicators, self.actor, adjustments) for match in kept
        ]
        # The reader's own needs come first: they are why an enterprise opens the page.
        views.sort(key=lambda view: not view.own)
        return MatchList(tuple(views), terms, wishes=wishes)


def _judged(found: MatchList, verdicts: dict[int, Verdict]) -> MatchList:
    """Put the reader's own verdicts on the matches."""
    judged = tuple(replace(match, verdict=verdicts.get(match.record_id)) for match in found.matches)
    return replace(found, matches=judged)


def _seeker(document: Document, owner_id: int | None, now: datetime) -> Seeker:
    return Seeker(
        text=document.body,
        title=document.title,
        industry=document.industry,
        field=document.field,
        ipc=document.ipc,
        region=document.region,
        maturity=document.maturity,
        price=document.price,
        owner_id=str(owner_id) if owner_id is not None else document.owner_id,
        offers=document.kind == "achievement",
        terms=document.keywords if document.kind == "need" else (),
        now=int(now.timestamp()),
    )
