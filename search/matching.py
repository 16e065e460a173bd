"""Match a need with achievements, and an achievement with needs, by the same code.

Text and expansion find the candidates; visible features with weights from ``matching.yaml``
order them; every match says why, what is missing and what would change it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import yaml

from search import backwards, expansion, features, text
from search.engine import TOGETHER, Ask, Engine, Expansion
from search.features import Agreement, Prediction, Seeker
from search.highlight import Marks
from search.ranking import Scored, Scorer, best_first
from search.schema import Document, Scope

SETTINGS = Path(__file__).with_name("matching.yaml")

MAX_CHARACTERS = 4000
# As much as a term on which several entries of the lexicon agree.
ACCEPTED_WEIGHT = 2.0


@dataclass(frozen=True)
class Settings:
    """The weights of matching, as data; see ``matching.yaml`` for what each is."""

    candidates: int
    expansion_weight: float
    expansion_candidates: int
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
    factors = adjust or {}
    terms = terms_for(seeker, expand=expand, without=without_terms, learned=learned)
    ask = build(seeker, scope, weights, terms, common)
    if not ask.grams and not ask.expansions:
        return []
    scorer = Scorer(ask, engine.statistics(*Scorer.terms(ask)))
    own = replace(ask, expansions=())
    scored = {
        hit.document.id: scorer.score(hit)
        for hit in (engine.candidates(own, limit=weights.candidates) if ask.grams else ())
    }
    if ask.expansions:
        bridge = replace(ask, words={}, grams={})
        for hit in engine.candidates(bridge, limit=weights.expansion_candidates):
            if hit.document.id not in scored:
                scored[hit.document.id] = scorer.score(hit)
        needed = scorer.bridge_needed(scored.values(), weights.answered_share)
        sure = {term.text for term in terms if term.source == expansion.ACCEPTED}
        scored = {name: entry.bridged(needed, sure) for name, entry in scored.items()}
    worth = weights.dense_weight * _full(seeker, weights, scorer)
    first = sorted((entry.likened(worth) for entry in scored.values()), key=best_first)
    predicted = features.predict(first[: weights.voters])
    ordered = sorted(
        (_weighed(entry, seeker, predicted, weights) for entry in first),
        key=lambda pair: (
            -pair[1] * factors.get(pair[0].hit.document.id, 1.0),
            pair[0].hit.document.id,
        ),
    )
    chosen = ordered[:limit]
    if most_per_owner is not None:
        chosen = _diverse(ordered, limit, weights.diverse_among, most_per_owner)
    return [
        _explained(entry, score, seeker, predicted, weights, scorer, terms)
        for entry, score in chosen
    ]


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


def _weighed(
    entry: Scored, seeker: Seeker, predicted: Prediction, settings: Settings
) -> tuple[Scored, float]:
    found = features.agreements(entry.hit.document, seeker, predicted)
    return entry, entry.score * (1.0 + _gains(found, settings))


def _gains(found: Sequence[Agreement], settings: Settings) -> float:
    return sum(settings.features[entry.weight_name] * entry.degree for entry in found)


def _diverse(
    ordered: Sequence[tuple[Scored, float]], limit: int, among: int, most: int
) -> list[tuple[Scored, float]]:
    """Keep at most ``most`` of one owner among the first ``among``; the others follow later."""
    first: list[tuple[Scored, float]] = []
    later: list[tuple[Scored, float]] = []
    owned: Counter[str] = Counter()
    for pair in ordered:
        owner = pair[0].hit.document.owner_id
        if len(first) < among and (not owner or owned[owner] < most):
            owned[owner] += 1
            first.append(pair)
        else:
            later.append(pair)
    return (first + later)[:limit]


def _explained(
    entry: Scored,
    score: float,
    seeker: Seeker,
    predicted: Prediction,
    settings: Settings,
    scorer: Scorer,
    terms: Sequence[expansion.Term],
) -> Match:
    document = entry.hit.document
    found = features.agreements(document, seeker, predicted)
    whole = 1.0 + _gains(found, settings)
    shares = tuple(
        replace(a, share=settings.features[a.weight_name] * a.degree / whole) for a in found
    )
    if entry.hit.near is not None:
        share = entry.dense * document.rank / (entry.score * whole) if entry.score else 0.0
        shares += (Agreement("dense", entry.hit.near, known=True, share=share),)
    spoken = {term: value for term, value in entry.words.items() if len(term) > 1}
    brought = {**spoken, **entry.expansions}
    strongest = sorted(brought.items(), key=lambda item: (-item[1], item[0]))
    shown = tuple(strongest[: settings.terms_shown])
    total = sum(entry.words.values()) + sum(entry.grams.values()) + sum(entry.expansions.values())
    return Match(
        document=document,
        score=score,
        fit=_fit(score, seeker, settings, scorer),
        strongest=tuple((term, value / total) for term, value in shown),
        agreements=shares,
        expansions=tuple(term for term in terms if term.text in entry.expansions),
        sentence=_sentence(document, brought),
        unanswered=_unanswered(entry, scorer, terms, settings.terms_shown),
        near_misses=features.near_misses(document, seeker),
    )


def _fit(score: float, seeker: Seeker, settings: Settings, scorer: Scorer) -> int:
    """Return the score as 0 to 100, in the same order: 100 is what a very good answer reaches.

    Needs hold much that no document repeats, so a share of their weight is the full measure;
    and two professional terms found stand for the rest.
    """
    wished = {"industry": seeker.industry, "field": seeker.field, "ipc": seeker.ipc}
    most = sum(settings.features[name] for name, values in wished.items() if values)
    reach = _full(seeker, settings, scorer) * (1.0 + most)
    return min(100, round(100 * (score / reach) ** 0.75)) if reach else 0


def _full(seeker: Seeker, settings: Settings, scorer: Scorer) -> float:
    """Return the text score of a very good answer."""
    share = settings.full_share_of_offer if seeker.offers else settings.full_share
    return share * scorer.asked + settings.full_terms * scorer.strongest_expansions(2)


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


def _unanswered(
    entry: Scored, scorer: Scorer, terms: Sequence[expansion.Term], most: int
) -> tuple[str, ...]:
    """Return the need's weightiest words of which the document says nothing."""
    bridged = "".join(term.because for term in terms if term.text in entry.expansions)
    open_words = [
        word
        for word in scorer.weightiest()
        if len(word) > 1 and text.is_han(word) and word not in entry.words and word not in bridged
    ]
    return tuple(open_words[:most])
