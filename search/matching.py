"""Match a need with achievements, and an achievement with needs, by the same code.

Text and expansion find the candidates; visible features with weights from ``matching.yaml``
order them; every match says why, what is missing and what would change it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import yaml

from search import backwards, expansion, features, text
from search.engine import TOGETHER, Ask, Engine, Expansion, Hit
from search.features import Agreement, Seeker
from search.highlight import Marks
from search.ranking import Brought, Scorer, Scores, telling
from search.schema import Document, Scope

SETTINGS = Path(__file__).with_name("matching.yaml")

MAX_CHARACTERS = 4000
# As much as a term on which several entries of the lexicon agree.
ACCEPTED_WEIGHT = 2.0


@dataclass(frozen=True)
class Settings:
    """The weights of matching, as data; see ``matching.yaml`` for what each is."""

    candidates: int
    candidates_for_each: float
    expansion_weight: float
    expansion_candidates: int
    expansion_candidates_for_each: float
    telling_share: float
    answered_share: float
    talk_weight: float
    voters: int
    dense_weight: float
    features: Mapping[str, float]
    most_per_owner: int
    diverse_among: int
    terms_shown: int
    full_share: float
    full_share_of_offer: float
    full_terms: float


@cache
def load_settings(path: Path = SETTINGS) -> Settings:
    """Read the weights; an unknown or missing name raises ``TypeError``."""
    return Settings(**yaml.safe_load(path.read_text("utf-8")))


@dataclass(frozen=True)
class Match:
    """A document with its score (any scale), fit (0 to 100) and the reasons."""

    document: Document
    score: float
    fit: int
    strongest: tuple[tuple[str, float], ...]
    agreements: tuple[Agreement, ...]
    expansions: tuple[expansion.Term, ...]
    sentence: str
    unanswered: tuple[str, ...]
    near_misses: tuple[tuple[str, int], ...] = ()


def match(
    engine: Engine,
    seeker: Seeker,
    scope: Scope,
    *,
    settings: Settings | None = None,
    common: Collection[str] = frozenset(),
    expand: bool = True,
    without_terms: Collection[str] = frozenset(),
    learned: Sequence[expansion.Term] = (),
    adjust: Mapping[str, float] | None = None,
    limit: int = 10,
    most_per_owner: int | None = 3,
) -> list[Match]:
    """Return the best matches with their reasons, the best first.

    ``common`` are terms that say nothing (``text.boilerplate``); ``without_terms`` are expansion
    terms that the asker has switched off; ``learned`` are more of them, from ``search.learning``.
    ``adjust`` says by what the order counts single documents more or less, by id: what people
    said of this match. Score and fit stay what the texts give.
    """
    weights = settings or load_settings()
    terms = terms_for(seeker, expand=expand, without=without_terms, learned=learned)
    ask = build(seeker, scope, weights, terms, common)
    if not ask.grams and not ask.expansions:
        return []
    found = _Found.by(engine, ask, seeker, weights, terms, limit)
    ordered = found.ordered(adjust or {})
    chosen = ordered[:limit]
    if most_per_owner is not None:
        chosen = _diverse(ordered, found.scores.hits, limit, weights.diverse_among, most_per_owner)
    return [found.explained(place) for place in chosen]


def terms_for(
    seeker: Seeker,
    *,
    expand: bool = True,
    without: Collection[str] = frozenset(),
    learned: Sequence[expansion.Term] = (),
) -> tuple[expansion.Term, ...]:
    """Return every term that a match looks for besides the seeker's own words.

    Those that the seeker carries come first and with full weight, and are never switched off;
    then those of the lexicon; then the learned ones, each once.
    """
    found = {
        normal: expansion.Term(normal, "", "", ACCEPTED_WEIGHT, expansion.ACCEPTED)
        for term in seeker.terms
        if (normal := text.norm(term))
    }
    proposed = _bridge(seeker, without) if expand else ()
    for term in (*proposed, *(term for term in learned if term.text not in without)):
        found.setdefault(term.text, term)
    return tuple(found.values())


def build(
    seeker: Seeker,
    scope: Scope,
    settings: Settings,
    terms: Sequence[expansion.Term] = (),
    common: Collection[str] = frozenset(),
) -> Ask:
    """Build the ask of a match: every word of the text, talk about the company counting less."""
    common = expansion.asking_words().union(common)
    words: dict[str, float] = {}
    grams: dict[str, float] = {}
    for clause in text.clauses(_spoken(seeker)):
        weight = settings.talk_weight if expansion.is_talk(clause) else 1.0
        normal = text.norm(clause)
        for word in text.words(normal):
            if word not in common:
                words[word] = max(weight, words.get(word, 0.0))
        for gram in text.grams(normal):
            if gram not in common:
                grams[gram] = max(weight, grams.get(gram, 0.0))
    return Ask(
        scope=scope if not seeker.owner_id else replace(scope, without_owner=seeker.owner_id),
        words=words,
        grams=grams,
        expansions=tuple(
            Expansion(term.text, text.cover(term.text), term.weight * settings.expansion_weight)
            for term in terms
        ),
        meaning=text.norm(_spoken(seeker)),
    )


def _bridge(seeker: Seeker, without: Collection[str]) -> tuple[expansion.Term, ...]:
    """Return the expert's terms for a need, or the buyer's words for an achievement."""
    if not seeker.offers:
        return expansion.expand(_spoken(seeker), without=without)
    return tuple(t for t in backwards.everyday(_spoken(seeker)) if t.text not in without)


def _spoken(seeker: Seeker) -> str:
    return f"{seeker.title}\n{seeker.text}"[:MAX_CHARACTERS]


class _Found:
    """The candidates of one match, their scores, and what every feature makes of them."""

    def __init__(
        self,
        scorer: Scorer,
        scores: Scores,
        seeker: Seeker,
        settings: Settings,
        terms: Sequence[expansion.Term],
    ) -> None:
        self.scores = scores
        self._scorer, self._settings, self._terms = scorer, settings, terms
        self._seeker = seeker
        # What nearness in meaning brings is no text: it comes on top, and explains itself.
        self._full = _full(seeker, settings, scorer)
        self._dense = self._full * settings.dense_weight * scores.near * scores.ranks
        self._text = scores.totals() + self._dense
        self._documents = [hit.document for hit in scores.hits]
        self._asked_words = [
            word
            for word in scorer.weightiest()
            if len(word) > 1 and text.is_han(word) and text.names_something(word)
        ]
        self._first = scores.best_first(self._text)
        nearest = self._first[: settings.voters]
        votes = [(self._documents[place], float(self._text[place])) for place in nearest]
        self._features = features.Features(seeker, features.predict(votes), settings.features)
        self._totals = [
            value * (1.0 + self._features.gain(document))
            for value, document in zip(self._text.tolist(), self._documents, strict=True)
        ]

    @classmethod
    def by(
        cls,
        engine: Engine,
        ask: Ask,
        seeker: Seeker,
        settings: Settings,
        terms: Sequence[expansion.Term],
        limit: int,
    ) -> _Found:
        """Find by the seeker's own words, then by the proposed terms alone, and score both."""
        statistics = engine.statistics(*Scorer.terms(ask))
        scorer = Scorer(ask, statistics)
        own = telling(replace(ask, expansions=()), statistics, settings.telling_share)
        bridge = replace(ask, words={}, grams={})
        hits: dict[str, Hit] = {}
        for part, least, for_each in (
            (own, settings.candidates, settings.candidates_for_each),
            (bridge, settings.expansion_candidates, settings.expansion_candidates_for_each),
        ):
            if part.words or part.grams or part.expansions:
                most = max(least, round(for_each * limit))
                for hit in engine.candidates(part, limit=most):
                    hits.setdefault(hit.document.id, hit)
        scores = scorer.score(tuple(hits.values()))
        sure = {term.text for term in terms if term.source == expansion.ACCEPTED}
        scores.bridge(scores.bridge_needed(settings.answered_share), sure)
        return cls(scorer, scores, seeker, settings, terms)

    def ordered(self, factors: Mapping[str, float]) -> list[int]:
        """Return the candidates' places, the best first; factors move single documents, by id."""

        def key(place: int) -> tuple[float, str]:
            name = self._documents[place].id
            return -self._totals[place] * factors.get(name, 1.0), name

        return sorted(self._first, key=key)

    def explained(self, place: int) -> Match:
        """Return one candidate as a match with its reasons."""
        hit, settings = self.scores.hits[place], self._settings
        document, score = hit.document, self._totals[place]
        brought = self.scores.brought(place)
        spoken = {term: value for term, value in brought.words.items() if len(term) > 1}
        telling = {**spoken, **brought.expansions}
        strongest = sorted(telling.items(), key=lambda item: (-item[1], item[0]))
        total = brought.own + sum(brought.expansions.values())
        return Match(
            document=document,
            score=score,
            fit=self._fit(score),
            strongest=tuple((term, v / total) for term, v in strongest[: settings.terms_shown]),
            agreements=self._shares(place, hit.near),
            expansions=tuple(term for term in self._terms if term.text in brought.expansions),
            sentence=_sentence(document, telling),
            unanswered=self._unanswered(brought),
            near_misses=features.near_misses(document, self._seeker),
        )

    def _shares(self, place: int, near: float | None) -> tuple[Agreement, ...]:
        """Return the agreements with the share of the score that each brought."""
        document = self._documents[place]
        whole = 1.0 + self._features.gain(document)
        shares = tuple(
            agreement._replace(share=self._features.weighed(agreement) / whole)
            for agreement in self._features.of(document)
        )
        if near is None:
            return shares
        text_score = float(self._text[place])
        share = float(self._dense[place]) / (text_score * whole) if text_score else 0.0
        return (*shares, Agreement("dense", near, known=True, share=share))

    def _fit(self, score: float) -> int:
        """Return the score as 0 to 100, in the same order: 100 is what a very good answer reaches.

        Needs hold much that no document repeats, so a share of their weight is the full measure;
        and two professional terms found stand for the rest.
        """
        seeker, weights = self._seeker, self._settings.features
        wished = {"industry": seeker.industry, "field": seeker.field, "ipc": seeker.ipc}
        most = sum(weights[name] for name, values in wished.items() if values)
        reach = self._full * (1.0 + most)
        return min(100, round(100 * (score / reach) ** 0.75)) if reach else 0

    def _unanswered(self, brought: Brought) -> tuple[str, ...]:
        """Return the need's weightiest words of which the document says nothing."""
        bridged = "".join(term.because for term in self._terms if term.text in brought.expansions)
        open_words = (
            word for word in self._asked_words if word not in brought.words and word not in bridged
        )
        return tuple(itertools.islice(open_words, self._settings.terms_shown))


def _full(seeker: Seeker, settings: Settings, scorer: Scorer) -> float:
    """Return the text score of a very good answer."""
    share = settings.full_share_of_offer if seeker.offers else settings.full_share
    return share * scorer.asked + settings.full_terms * scorer.strongest_expansions(2)


def _diverse(
    ordered: Sequence[int], hits: Sequence[Hit], limit: int, among: int, most: int
) -> list[int]:
    """Keep at most ``most`` of one owner among the first ``among``; the others follow later."""
    first: list[int] = []
    later: list[int] = []
    owned: Counter[str] = Counter()
    for place in ordered:
        owner = hits[place].document.owner_id
        if len(first) < among and (not owner or owned[owner] < most):
            owned[owner] += 1
            first.append(place)
        else:
            later.append(place)
    return (first + later)[:limit]


def _sentence(document: Document, brought: Mapping[str, float]) -> str:
    """Return the document's sentence that answers most, as safe HTML with the terms marked."""
    brought = {
        piece: value / len(pieces)
        for term, value in brought.items()
        for pieces in (term.split(TOGETHER),)
        for piece in pieces
    }
    candidates = text.sentences(document.body) or [document.title]
    best = max(candidates, key=lambda sentence: _worth(text.norm(sentence), brought))
    return Marks(brought).passage(best)


def _worth(normal: str, brought: Mapping[str, float]) -> float:
    return sum(value for term, value in brought.items() if term in normal)
