"""A believable Chinese corpus of any size for the benchmarks of search, made as a stream.

Every document and query follows from its number alone, so that all engines, runs and processes
see the same. The vocabulary is the packaged lexicon's; its frequencies fall like Zipf's law, so
that a few posting lists are very long and most are short. Its few thousand words make lists longer
than real texts do: where BENCHMARK_TEXTS names a folder of real texts, they are mixed instead.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import yaml

from benchmarks.search_texts import Texts
from search import expansion
from search.features import Seeker
from search.schema import Document, Scope

Value = TypeVar("Value")

PHRASES = Path(__file__).with_name("search_phrases.yaml")
KIND = "achievement"
SCOPE = Scope(kinds=frozenset({KIND}))
# The facets that one page counts.
FACETS = ("field", "maturity_band", "ip_kind", "mode", "industry", "region")

_BODY_CHARACTERS = 200
_NEED_CHARACTERS = (60, 240)
_TITLE_CHARACTERS = 24
_KEYWORDS = 4
_DOCUMENTS_PER_OWNER = 40
_FIRST_DAY, _DAYS, _SECONDS = 1_600_000_000, 1_800, 86_400

_INDUSTRIES = tuple(f"{number:02}" for number in range(1, 21))
_FIELDS = tuple(f"{number:02}" for number in range(1, 12))
_REGIONS = tuple(f"3701{number:02}" for number in (2, 3, 4, 5, 12, 13, 14, 15, 16, 17, 24, 26))
_IP_KINDS = ("invention", "utility_model", "know_how", "software", "design", "variety", "layout")
_MODES = ("licence", "transfer", "development", "equity", "service")
_STATES = ("published", "listed")
_OWNER_KINDS = ("university", "research_institute", "enterprise", "person")


@dataclass(frozen=True)
class _Subject:
    """What a document is about: an entry of the lexicon and the classes that follow from it."""

    terms: tuple[str, ...]
    things: tuple[str, ...]
    industry: str
    field: str
    ipc: tuple[str, ...]


class _Zipf:
    """Draws places of a list: the n-th about as often as 1/(n + ``flat``)."""

    def __init__(self, size: int, flat: float) -> None:
        self._size, self._flat = size, flat
        self._ratio = (size + flat) / flat

    def __call__(self, chance: random.Random) -> int:
        place = self._flat * self._ratio ** chance.random() - self._flat
        return min(self._size - 1, int(place))


def documents(count: int, *, first: int = 0, version: int = 0) -> Iterator[Document]:
    """Yield ``count`` achievements, numbered from ``first``; another version has another text."""
    for number in range(first, first + count):
        yield document(number, of=max(first + count, _DOCUMENTS_PER_OWNER), version=version)


def document(number: int, *, of: int, version: int = 0) -> Document:
    """Return one achievement of a corpus of ``of`` documents."""
    world = _world()
    chance = random.Random(f"document {number} {version}")
    subject = world.subject(chance)
    beside = world.near(subject, chance)
    keywords = tuple(dict.fromkeys(subject.terms + beside.terms))[:_KEYWORDS]
    ipc = subject.ipc
    if texts := _texts():
        text = texts.text(number)
        title, body = text.title, texts.body(text, _BODY_CHARACTERS, chance)
        keywords, ipc = (), text.ipc
    else:
        title = world.fill("titles", subject, beside, chance)
        body = world.fill_until(_BODY_CHARACTERS, "sentences", subject, beside, chance)
    owner = _owner(of, chance)
    moment = _FIRST_DAY + chance.randrange(_DAYS) * _SECONDS
    return Document(
        id=f"{KIND}:{number}",
        kind=KIND,
        title=title,
        body=body,
        keywords=keywords,
        field=tuple(dict.fromkeys((subject.field, beside.field))),
        industry=(subject.industry,),
        ipc=ipc,
        ip_kind=(_often_first(_IP_KINDS, chance),),
        mode=tuple(dict.fromkeys(_often_first(_MODES, chance) for _ in range(2))),
        region=_REGIONS[owner % len(_REGIONS)],
        state=_often_first(_STATES, chance),
        owner_kind=_OWNER_KINDS[owner % len(_OWNER_KINDS)],
        owner_id=str(owner),
        maturity=chance.choice((None, *range(1, 10))),
        price=chance.choice((None, chance.randrange(1, 500) * 1_000_000)),
        published_at=moment,
        updated_at=moment + chance.randrange(90) * _SECONDS,
        rank=chance.choice((1.0, 1.0, 1.0, 0.7)),
        shown={"record_id": number, "owner": f"第{owner}研究所"},
    )


def queries(count: int) -> Iterator[str]:
    """Yield what people type into the search field: one to four words."""
    world, texts = _world(), _texts()
    for number in range(count):
        chance = random.Random(f"query {number}")
        if texts:
            yield texts.query(chance)
            continue
        subject = world.subject(chance)
        yield world.fill("queries", subject, world.near(subject, chance), chance)


def prefixes(count: int) -> Iterator[str]:
    """Yield the beginnings that people type before a suggestion appears."""
    for number, typed in enumerate(queries(count)):
        yield typed[: 1 + number % 4]


def needs(count: int) -> Iterator[Seeker]:
    """Yield whole needs of 60 to 250 characters; every second one names its classes."""
    world, texts = _world(), _texts()
    for number in range(count):
        chance = random.Random(f"need {number}")
        subject = world.subject(chance)
        beside = world.near(subject, chance)
        least = chance.randrange(*_NEED_CHARACTERS)
        title = f"{_often_first(subject.things, chance)}怎么解决"
        said = world.fill_until(least, "needs", subject, beside, chance)
        if texts:
            said = chance.choice(texts.needs)
            title = said[:_TITLE_CHARACTERS]
        classed = number % 2 == 0
        yield Seeker(
            title=title,
            text=said[: _NEED_CHARACTERS[1]].rstrip("，") + "。",
            industry=(subject.industry,) if classed else (),
            field=(subject.field,) if classed else (),
            maturity=chance.choice((None, 4, 6)),
            price=chance.choice((None, 50_000_000, 200_000_000)),
            region=chance.choice(_REGIONS),
            now=_FIRST_DAY + (_DAYS + 90) * _SECONDS,
        )


class _World:
    """The vocabulary in order of frequency, and the sentences; read once."""

    def __init__(self) -> None:
        phrases = yaml.safe_load(PHRASES.read_text("utf-8"))
        self._lists: dict[str, list[str]] = phrases.pop("lists")
        self._sentences = {
            kind: [_pieces(line) for line in lines] for kind, lines in phrases.items()
        }
        self._subjects = [_subject(entry) for entry in expansion.load()]
        random.Random("subjects").shuffle(self._subjects)
        self._by_industry: dict[str, list[_Subject]] = {}
        for subject in self._subjects:
            self._by_industry.setdefault(subject.industry, []).append(subject)
        self._vocabulary = sorted({w for s in self._subjects for w in (*s.terms, *s.things)})
        random.Random("vocabulary").shuffle(self._vocabulary)
        self._any_subject = _Zipf(len(self._subjects), 30.0)
        self._any_word = _Zipf(len(self._vocabulary), 20.0)

    def subject(self, chance: random.Random) -> _Subject:
        """Draw what a text is about."""
        return self._subjects[self._any_subject(chance)]

    def near(self, subject: _Subject, chance: random.Random) -> _Subject:
        """Draw a subject of the same industry."""
        return _often_first(self._by_industry[subject.industry], chance)

    def fill(self, kind: str, subject: _Subject, beside: _Subject, chance: random.Random) -> str:
        """Draw a sentence of a kind and fill it."""
        return self._filled(chance.choice(self._sentences[kind]), subject, beside, chance)

    def fill_until(
        self, length: int, kind: str, subject: _Subject, beside: _Subject, chance: random.Random
    ) -> str:
        """Draw different sentences of a kind until they have so many characters together."""
        sentences = self._sentences[kind]
        said = ""
        for pieces in chance.sample(sentences, len(sentences)):
            said += self._filled(pieces, subject, beside, chance)
            if len(said) >= length:
                break
        return said

    def _filled(
        self, pieces: list[str], subject: _Subject, beside: _Subject, chance: random.Random
    ) -> str:
        return "".join(
            self._word(piece, subject, beside, chance) if slot else piece
            for slot, piece in zip(itertools.cycle((False, True)), pieces, strict=False)
        )

    def _word(self, slot: str, subject: _Subject, beside: _Subject, chance: random.Random) -> str:
        if slot == "term":
            return _often_first(subject.terms, chance)
        if slot == "beside":
            return _often_first(beside.terms, chance)
        if slot == "thing":
            return _often_first(subject.things, chance)
        if slot == "other":
            return self._vocabulary[self._any_word(chance)]
        if slot in ("n", "m"):
            return str(chance.randrange(10, 100 if slot == "n" else 1000))
        return _often_first(self._lists[slot], chance)


@cache
def _world() -> _World:
    return _World()


@cache
def _texts() -> Texts | None:
    """Return the real texts, where a folder is named: parts run in processes that inherit it."""
    folder = os.environ.get("BENCHMARK_TEXTS")
    return Texts(Path(folder)) if folder else None


def _subject(entry: expansion.Entry) -> _Subject:
    chance = random.Random(f"{entry.industry} {entry.terms}")
    trade = random.Random(entry.industry)
    section = f"{trade.choice('ABCDEFGH')}{trade.randrange(1, 30):02}{trade.choice('BCDFGHJK')}"
    groups = sorted({chance.randrange(1, 60) for _ in range(2)})
    return _Subject(
        terms=entry.terms,
        things=tuple(dict.fromkeys(piece for trigger in entry.triggers for piece in trigger)),
        industry=trade.choice(_INDUSTRIES),
        field=trade.choice(_FIELDS),
        ipc=tuple(f"{section}{group}/{chance.randrange(10, 90, 2):02}" for group in groups),
    )


def _pieces(line: str) -> list[str]:
    """Split a sentence into plain pieces and the names of its slots, in turn."""
    return [part for half in line.split("{") for part in half.split("}")]


def _owner(of: int, chance: random.Random) -> int:
    return _Zipf(max(2, of // _DOCUMENTS_PER_OWNER), 10.0)(chance)


def _often_first(values: Sequence[Value], chance: random.Random) -> Value:
    """Draw one of a few values, an earlier one more often."""
    drawn = chance.random()
    return values[int(len(values) * drawn * drawn)]
