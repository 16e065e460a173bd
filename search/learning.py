"""Learn from answers which everyday words lead to which professional terms.

Pure: judged pairs go in, a table comes out, and a table gives expansion terms for a text. What a
voter is (a person, an organisation) and where answers are kept is the caller's business.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from search import expansion, query, text
from search.expansion import LEARNED, Term

# Fewer voices than this are an opinion; one voter alone can never make a pair.
LEAST_SUPPORTERS = 3
# As if so many more voters had used the word without meaning the term.
SMOOTHING = 2.0
LEAST_WEIGHT = 0.2
MOST_PER_WORD = 6
MOST_TERMS = 8
_LONGEST = 30


@dataclass(frozen=True)
class Answer:
    """One verdict: what was asked, the terms of what was offered, who judged, and how."""

    asked: str
    terms: tuple[str, ...]
    voter: str
    good: bool = True


@dataclass(frozen=True)
class Pair:
    """A word that people say and a term that it was found to mean, with the voters for and against.

    ``weight`` lies between 0 and 1, as those of the lexicon do.
    """

    said: str
    meant: str
    supporters: int
    opponents: int
    weight: float


def learn(
    answers: Iterable[Answer],
    *,
    common: Collection[str] = frozenset(),
    least: int = LEAST_SUPPORTERS,
) -> tuple[Pair, ...]:
    """Make the table: pairs with enough distinct voters for them, the surest of each word first.

    However often somebody votes, a pair counts each voter once, for or against: for, where more
    of the voter's answers speak for it. ``common`` are words that say nothing.
    """
    read = [
        (everyday_words(answer.asked, common=common), _fresh_terms(answer), answer)
        for answer in answers
    ]
    users = _voters((words, answer) for words, _terms, answer in read)
    holders = _voters((terms, answer) for _words, terms, answer in read)
    balance: defaultdict[tuple[str, str], defaultdict[str, int]] = defaultdict(
        lambda: defaultdict(int)
    )
    for words, terms, answer in read:
        # What too few voters have met cannot become a pair; most of a table would be that.
        kept = [term for term in terms if len(holders[term]) >= least]
        for word in (word for word in words if len(users[word]) >= least):
            for term in kept:
                balance[word, term][answer.voter] += 1 if answer.good else -1
    found: defaultdict[str, list[tuple[float, Pair]]] = defaultdict(list)
    for (said, meant), votes in balance.items():
        supporters = sum(1 for vote in votes.values() if vote > 0)
        opponents = sum(1 for vote in votes.values() if vote < 0)
        if supporters < least or supporters <= opponents:
            continue
        sureness = (supporters - opponents) / (len(users[said]) + SMOOTHING)
        found[said].append((sureness, Pair(said, meant, supporters, opponents, 0.0)))
    return tuple(pair for said in sorted(found) for pair in _weighed(found[said]) if pair.weight)


def _fresh_terms(answer: Answer) -> frozenset[str]:
    """Return the terms that the asker did not use himself."""
    normal = text.norm(answer.asked)
    terms = (_term(raw) for raw in answer.terms)
    return frozenset(term for term in terms if term and term not in normal)


def _voters(held: Iterable[tuple[Collection[str], Answer]]) -> defaultdict[str, set[str]]:
    """Return, for each word or term, who gave a good answer that holds it."""
    voters: defaultdict[str, set[str]] = defaultdict(set)
    for names, answer in held:
        if answer.good:
            for name in names:
                voters[name].add(answer.voter)
    return voters


def _weighed(pairs: list[tuple[float, Pair]]) -> list[Pair]:
    """Let the terms of one word share its weight: a word that means everything means nothing."""
    ordered = sorted(pairs, key=lambda entry: (-entry[0], entry[1].meant))
    share = len(ordered) ** 0.5
    return [
        Pair(p.said, p.meant, p.supporters, p.opponents, round(min(1.0, sureness / share), 4))
        for sureness, p in ordered[:MOST_PER_WORD]
        if sureness / share >= LEAST_WEIGHT
    ]


def everyday_words(asked: str, *, common: Collection[str] = frozenset()) -> frozenset[str]:
    """Return the words of a text that can mean something: no talk, no habits of asking."""
    habits = expansion.asking_words()
    return frozenset(
        word
        for clause in text.clauses(asked)
        if not expansion.is_talk(clause)
        for word in query.content_words(clause)
        if 1 < len(word) <= _LONGEST
        and text.is_han(word)
        and word not in habits
        and word not in common
    )


def document_terms(title: str, keywords: Sequence[str]) -> tuple[str, ...]:
    """Return the terms by which a document names itself: its keywords, its title's longer words.

    A dictionary word of two characters is seldom a term: 技术, 设施.
    """
    habits = expansion.asking_words()
    long_words = (word for word in query.content_words(title) if len(word) > 2)
    named = (term for raw in (*keywords, *long_words) if (term := _term(raw)))
    return tuple(dict.fromkeys(term for term in named if term not in habits))


def inverse(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    """Return the table read from the term to the word: for an offer that seeks who asks for it."""
    return tuple(Pair(p.meant, p.said, p.supporters, p.opponents, p.weight) for p in pairs)


def expand(
    pairs: Iterable[Pair], typed: str, *, without: Collection[str] = frozenset()
) -> tuple[Term, ...]:
    """Return the learned terms for a text, the surest first, less those it holds itself."""
    normal = text.norm(typed)
    best: dict[str, Pair] = {}
    for pair in pairs:
        if pair.said not in normal or pair.meant in normal or pair.meant in without:
            continue
        known = best.get(pair.meant)
        if known is None or known.weight < pair.weight:
            best[pair.meant] = pair
    ordered = sorted(best.values(), key=lambda pair: (-pair.weight, pair.meant))
    return tuple(
        Term(pair.meant, pair.said, "", pair.weight, LEARNED) for pair in ordered[:MOST_TERMS]
    )


def _term(raw: str) -> str:
    """Return a term in its normal form; empty where it is too short or long to be one."""
    normal = " ".join(text.norm(raw).split())
    return normal if 1 < len(normal) <= _LONGEST and text.runs(normal) else ""
