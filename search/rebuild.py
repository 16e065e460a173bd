"""A new generation beside the one in use: fill, replay, verify, swap, keep the old one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from search import text
from search.engine import Ask, Engine, Unit
from search.errors import VerificationFailed
from search.schema import Document, Scope

Item = TypeVar("Item")

_BATCH = 2000
_PROBES = 200


@dataclass(frozen=True)
class Change:
    """What became of a document while a generation was being filled; None means gone."""

    id: str
    document: Document | None


@dataclass(frozen=True)
class Report:
    """What a rebuild did."""

    generation: str
    before: str | None
    documents: int
    replayed: int


def next_name(engine: Engine) -> str:
    """Name the generation after all held ones: analyser version, engine format, number.

    The one in use counts although its files may be gone: its name is still taken.
    """
    names = [*engine.generations(), engine.generation() or ""]
    numbers = [int(name.rpartition("-")[2]) for name in names if _numbered(name)]
    return f"g-{text.ANALYZER_VERSION}-{engine.format}-{max(numbers, default=0) + 1:06d}"


def build(engine: Engine, documents: Iterable[Document], *, expected: int = 0) -> str:
    """Fill a new generation and return its name; readers keep the one in use.

    ``expected`` is about how many documents there are, as many as before where it is not known.
    """
    name = next_name(engine)
    engine.create(name, expected=expected or engine.health().documents)
    with engine.writing():
        for batch in _batches(documents):
            engine.upsert(batch, generation=name)
        engine.commit(generation=name)
    return name


def replay(engine: Engine, changes: Iterable[Change], *, generation: str | None = None) -> int:
    """Apply what changed meanwhile; order and repetition do not matter. Return how many."""
    count = 0
    with engine.writing():
        for batch in _batches(changes):
            kept = [change.document for change in batch if change.document is not None]
            engine.delete((c.id for c in batch if c.document is None), generation=generation)
            engine.upsert(kept, generation=generation)
            count += len(batch)
        if count:
            engine.commit(generation=generation)
    return count


def rebuild(
    engine: Engine,
    documents: Callable[[], Iterable[Document]],
    *,
    changes: Callable[[], Iterable[Change]] = tuple,
    keep: int = 2,
) -> Report:
    """Build a generation, replay what changed meanwhile, verify it and take it into use.

    ``changes`` is read before the swap and once more after it: what was written to the old
    generation in between is thereby in the new one too. The newest ``keep`` generations stay.
    """
    held: set[str] = set()

    def noted() -> Iterator[Document]:
        for document in documents():
            held.add(document.id)
            yield document

    name = build(engine, noted())
    expected = set(held)
    meanwhile = list(changes())
    replayed = replay(engine, meanwhile, generation=name)
    for change in meanwhile:
        if change.document is None:
            expected.discard(change.id)
        else:
            expected.add(change.id)
    verify(engine, name, expected)
    before = engine.swap(name)
    replayed += replay(engine, changes())
    for old in engine.generations()[:-keep]:
        if old not in (name, before):
            engine.drop(old)
    return Report(name, before, len(expected), replayed)


def verify(engine: Engine, generation: str, expected: Collection[str]) -> None:
    """Raise ``VerificationFailed`` unless the generation holds exactly the expected documents."""
    held = set(engine.ids(generation=generation))
    missing, surplus = set(expected) - held, held - set(expected)
    if missing or surplus:
        raise VerificationFailed(
            f"generation {generation}: {len(missing)} missing, {len(surplus)} surplus"
        )


def probe(engine: Engine, documents: Iterable[Document]) -> list[str]:
    """Search known documents by their titles in the generation in use; return those not found."""
    lost = []
    for document in itertools.islice(documents, _PROBES):
        scope = scope_of(document)
        words = text.words(text.norm(document.title))
        units = tuple(Unit(word, (text.cover(word),)) for word in dict.fromkeys(words))
        ask = Ask(scope=scope, units=units, minimum=len(units))
        if engine.count(ask) == 0 or document.id not in engine.get([document.id], scope):
            lost.append(document.id)
    return lost


def scope_of(document: Document) -> Scope:
    """Return the narrowest scope in which a document can be found."""
    return Scope(kinds=frozenset({document.kind}), visibilities=frozenset({document.visibility}))


def roll_back(engine: Engine) -> str:
    """Take the generation before the one in use into use again; return its name."""
    names = engine.generations()
    current = engine.generation()
    older = names[: names.index(current)] if current in names else names
    if not older:
        raise VerificationFailed("there is no older generation to go back to")
    engine.swap(older[-1])
    return older[-1]


def _numbered(name: str) -> bool:
    return name.rpartition("-")[2].isdigit()


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, _BATCH)):
        yield batch
