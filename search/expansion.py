"""The bridge from the asker's words to the expert's: visible terms that can be switched off."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import yaml

from search import text
from search.likeness import Likeness, Weights

LEXICON = Path(__file__).with_name("lexicon")
# Where a term comes from: written by hand, learned from answers, or accepted by a person.
LEXICON_TERM = "lexicon"
LEARNED = "learned"
ACCEPTED = "accepted"

SETTINGS = Path(__file__).with_name("expansion.yaml")


@dataclass(frozen=True)
class Settings(Weights):
    """The weights of the bridge, as data; see ``expansion.yaml`` for what each is."""

    entries: int
    least_share: float
    power: float
    talk_weight: float
    most_terms: int
    offer_entries: int
    offer_most_words: int


@cache
def load_settings(path: Path = SETTINGS) -> Settings:
    """Read the weights; an unknown or missing name raises ``TypeError``."""
    return Settings(**yaml.safe_load(path.read_text("utf-8")))


@dataclass(frozen=True)
class Term:
    """A professional term, the typed words that led to it, its industry, and where it comes from.

    ``because`` is empty where a person has written or accepted the term.
    """

    text: str
    because: str
    industry: str
    weight: float = 1.0
    source: str = LEXICON_TERM


@dataclass(frozen=True)
class Entry:
    """One line of the lexicon: any of the triggers leads to all the terms.

    A trigger is a group of word pieces that must all stand in one sentence.
    """

    triggers: tuple[tuple[str, ...], ...]
    terms: tuple[str, ...]
    industry: str


def expand(
    typed: str, *, without: Collection[str] = frozenset(), most: int | None = None
) -> tuple[Term, ...]:
    """Return the professional terms for a text, the surest first, at most ``most``.

    They come from the entries that the text sets off, and from those whose everyday words are
    like it. Terms in ``without`` and terms that the text itself holds are left out. The terms of
    one entry share its weight, so that an entry with many names does not outweigh the others;
    what several entries propose adds up.
    """
    return _expanded(typed, frozenset(without), most or load_settings().most_terms)


# A page and its matches ask for the terms of the same text several times.
@lru_cache(maxsize=64)
def _expanded(typed: str, without: frozenset[str], most: int) -> tuple[Term, ...]:
    settings = load_settings()
    normal = text.norm(typed)
    weights: dict[str, float] = {}
    # Which entry proposes a term, and the trigger that led to it; none where it is only alike.
    led: dict[str, tuple[Entry, tuple[str, ...] | None]] = {}
    for entry, trigger in _triggered(typed, normal):
        fresh = [term for term in entry.terms if term not in normal and term not in without]
        for term in fresh:
            weight = sureness(trigger) / len(fresh) ** 0.5
            if weights.get(term, 0.0) < weight:
                weights[term] = weight
                led[term] = entry, trigger
    for entry, share in _alike(_problem_grams(typed, settings), settings):
        fresh = [term for term in entry.terms if term not in normal and term not in without]
        for term in fresh:
            weights[term] = weights.get(term, 0.0) + share**settings.power / len(fresh) ** 0.5
            led.setdefault(term, (entry, None))
    surest = sorted(weights, key=lambda term: (-weights[term], term))[:most]
    places = _places_of_pairs(normal)
    return tuple(
        Term(term, _because(*led[term], normal, places), led[term][0].industry, weights[term])
        for term in surest
    )


def prepare() -> None:
    """Read and index the lexicon, which takes a second, before anybody asks."""
    expand("水")


def fields(typed: str, *, most: int = 3) -> tuple[tuple[str, float], ...]:
    """Return the fields of the trade that a text is about, each with its share of the evidence."""
    weights: dict[str, float] = {}
    settings = load_settings()
    for entry, share in _alike(_problem_grams(typed, settings), settings):
        weights[entry.industry] = weights.get(entry.industry, 0.0) + share
    whole = sum(weights.values())
    best = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))[:most]
    return tuple((name, weight / whole) for name, weight in best)


@cache
def asking_words() -> frozenset[str]:
    """Return the words with which people ask, whatever they ask for."""
    return frozenset((LEXICON / "asking.words").read_text("utf-8").split())


# The clauses of one need are looked at by the bridge, the match and the page.
@lru_cache(maxsize=1024)
def is_talk(clause: str) -> bool:
    """Tell whether a clause tells about the asker or the deal; one that asks never does."""
    return not is_asking(clause) and _talk().search(text.norm(clause)) is not None


def is_asking(clause: str) -> bool:
    """Tell whether a clause says what is wanted."""
    return _asking().search(text.norm(clause)) is not None


def patterns(name: str) -> re.Pattern[str]:
    """Read one of the lexicon's files of patterns, one a line, as one pattern."""
    lines = (LEXICON / name).read_text("utf-8").splitlines()
    kept = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return re.compile("|".join(f"(?:{pattern})" for pattern in kept))


@cache
def load(folder: Path = LEXICON) -> tuple[Entry, ...]:
    """Read the lexicon; a line that cannot be understood raises ``ValueError`` with its place."""
    entries: list[Entry] = []
    for path in sorted(folder.glob("*.txt")):
        industry = ""
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            stripped = line.strip()
            if stripped.startswith("#"):
                continue
            if stripped.startswith("[") and stripped.endswith("]"):
                industry = stripped[1:-1]
            elif stripped:
                entries.append(_entry(stripped, industry, f"{path.name}:{number}"))
    return tuple(entries)


@cache
def _by_key() -> dict[str, tuple[tuple[int, tuple[str, ...]], ...]]:
    """Return the triggers by the two characters with which their longest piece begins.

    Each stands with its entry's place in the lexicon.
    """
    keyed: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
    for place, entry in enumerate(load()):
        for trigger in entry.triggers:
            keyed.setdefault(max(trigger, key=len)[:2], []).append((place, trigger))
    return {key: tuple(triggers) for key, triggers in keyed.items()}


def _triggered(typed: str, normal: str) -> Iterator[tuple[Entry, tuple[str, ...]]]:
    """Yield the entries of which a trigger stands in one of the text's sentences."""
    sentences = [text.norm(sentence) for sentence in text.sentences(typed)]
    entries = load()
    for place, triggers in _possible(normal).items():
        set_off = [trigger for trigger in triggers if _stands(trigger, sentences)]
        if set_off:
            yield entries[place], _longest(set_off, entries[place])


def _problem_grams(typed: str, settings: Settings) -> dict[str, float]:
    """Return the grams of a text with their weights: what tells about the company weighs less."""
    grams: dict[str, float] = {}
    for clause in text.clauses(typed):
        weight = settings.talk_weight if is_talk(clause) else 1.0
        for gram in text.grams(text.norm(clause)):
            if gram not in asking_words():
                grams[gram] = max(weight, grams.get(gram, 0.0))
    return grams


def _alike(grams: Mapping[str, float], settings: Settings) -> Iterator[tuple[Entry, float]]:
    """Yield the entries whose triggers are most like the grams, with their share of the best."""
    entries = load()
    nearest = _likeness().nearest(grams, most=settings.entries, least_share=settings.least_share)
    for number, share in nearest:
        yield entries[number], share


@cache
def _likeness() -> Likeness:
    """Index the triggers once; about 10,000 short texts."""
    said = [[piece for trigger in entry.triggers for piece in trigger] for entry in load()]
    return Likeness(said, load_settings())


def _because(
    entry: Entry, trigger: tuple[str, ...] | None, normal: str, places: Mapping[str, list[int]]
) -> str:
    """Return the words of a text that led to an entry: its trigger, or all that it shares."""
    return " ".join(trigger) if trigger else _shared(entry, normal, places)


def _places_of_pairs(normal: str) -> dict[str, list[int]]:
    """Return where each pair of neighbouring characters stands in a text."""
    places: dict[str, list[int]] = {}
    for place in range(len(normal) - 1):
        places.setdefault(normal[place : place + 2], []).append(place)
    return places


def _shared(entry: Entry, normal: str, places: Mapping[str, list[int]]) -> str:
    """Return the stretches of a normal text that an entry's triggers share with it."""
    pairs = {
        piece[place : place + 2]
        for trigger in entry.triggers
        for piece in trigger
        for place in range(len(piece) - 1)
    }
    stretches: list[str] = []
    start = end = -1
    for place in sorted(place for pair in pairs for place in places.get(pair, ())):
        if place >= end:
            if end > 0:
                stretches.append(normal[start:end])
            start = place
        end = place + 2
    if end > 0:
        stretches.append(normal[start:end])
    return " ".join(dict.fromkeys(stretches))


def _possible(normal: str) -> dict[int, list[tuple[str, ...]]]:
    """Return the triggers of which every piece stands in a text, by entry, in stable order."""
    keys = {normal[place : place + width] for width in (1, 2) for place in range(len(normal))}
    keyed = _by_key()
    possible: dict[int, list[tuple[str, ...]]] = {}
    for key in sorted(keyed.keys() & keys):
        for place, trigger in keyed[key]:
            for piece in trigger:
                if piece not in normal:
                    break
            else:
                possible.setdefault(place, []).append(trigger)
    return possible


def _entry(line: str, industry: str, place: str) -> Entry:
    said, arrow, meant = line.partition("=>")
    triggers = tuple(
        tuple(text.norm(piece.strip()) for piece in trigger.split("+"))
        for trigger in said.split(",")
    )
    terms = tuple(dict.fromkeys(text.norm(term.strip()) for term in meant.split(",")))
    if not arrow or not industry or not all(terms) or not all(map(all, triggers)):
        raise ValueError(f"{place}: expected 'words, a+b => term, term' under an [industry]")
    return Entry(triggers, terms, industry)


def _stands(trigger: tuple[str, ...], sentences: list[str]) -> bool:
    """Tell whether all pieces of a trigger stand in one of the sentences."""
    for sentence in sentences:
        for piece in trigger:
            if piece not in sentence:
                break
        else:
            return True
    return False


def _longest(set_off: list[tuple[str, ...]], entry: Entry) -> tuple[str, ...]:
    """Return the longest of an entry's triggers, the entry's first where several are."""
    return max(set_off, key=lambda trigger: (_length(trigger), -entry.triggers.index(trigger)))


def _length(trigger: tuple[str, ...]) -> int:
    return sum(map(len, trigger))


def sureness(trigger: tuple[str, ...]) -> float:
    """Return how sure a trigger is: long or combined ones say more than two characters do."""
    return min(1.0, 0.4 + 0.15 * _length(trigger))


@cache
def _talk() -> re.Pattern[str]:
    return patterns("talk.regex")


@cache
def _asking() -> re.Pattern[str]:
    return patterns("ask.regex")
