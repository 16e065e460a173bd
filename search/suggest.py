"""Suggestions while typing, in characters, full pinyin or initials, and did-you-mean.

The vocabulary lives in the index itself: what nobody may find is suggested to nobody, and a
deleted document takes its suggestions with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import rjieba
from pypinyin import Style, lazy_pinyin

from search import text
from search.engine import Ask, Engine, Unit
from search.schema import Document, Scope

# Each entry of a vocabulary is "key\tshown": by characters, by full pinyin, by initials; and the
# single words of titles and keywords by their pinyin, for did-you-mean.
PHRASES, PINYIN, INITIALS, WORDS = "phrases", "pinyin", "initials", "vocabulary"
VOCABULARIES = (PHRASES, PINYIN, INITIALS, WORDS)

_LONGEST_PHRASE = 24
_LONGEST_MISSPELLING = 8
_LEAD = re.compile(r"^(?:一种|一类|一套|基于|关于|用于)")
_TAIL = re.compile(r"(?:的?(?:制备|生产|加工|检测|测定|控制|处理)?方法|的研究)$")
_SPLIT = re.compile(r"[：:，,；;。、（）()\[\]【】《》“”\"!！?？|/]+|\s{1,}")


@dataclass(frozen=True)
class Suggestion:
    """A phrase to search for, and how many documents carry it."""

    phrase: str
    documents: int


def phrases(document: Document) -> list[str]:
    """Return the phrases of a document that are worth suggesting: keywords, parts of its title."""
    found = [keyword.strip() for keyword in document.keywords]
    for part in _SPLIT.split(document.title):
        core, more, _rest = _LEAD.sub("", part.strip()).partition("及其")
        found.append(core if more else _TAIL.sub("", core))
    return [
        phrase
        for phrase in dict.fromkeys(found)
        if 2 <= len(phrase) <= _LONGEST_PHRASE and not phrase.isdigit()
    ]


def full_pinyin(phrase: str) -> str:
    """Return the pinyin of a phrase without tones and spaces."""
    return "".join(full for word in rjieba.cut(phrase, hmm=False) for full in _syllables(word)[0])


def initials(phrase: str) -> str:
    """Return the first letters of a phrase's syllables."""
    return "".join(first for word in rjieba.cut(phrase, hmm=False) for first in _syllables(word)[1])


@lru_cache(maxsize=100_000)
def _syllables(word: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a word's syllables and their first letters; titles repeat the same words."""
    full = tuple(part.lower() for part in lazy_pinyin(word))
    first = tuple(part.lower() for part in lazy_pinyin(word, style=Style.FIRST_LETTER))
    return full, first


def entries(document: Document) -> dict[str, list[str]]:
    """Return what a document adds to each vocabulary."""
    shown = phrases(document)
    plain = [(phrase, text.norm(phrase)) for phrase in shown]
    single: dict[str, None] = {}
    for part in (document.title, *document.keywords):
        for word in text.words(text.norm(part)):
            if len(word) >= 2 and text.is_han(word):
                single[word] = None
    for _, normal in plain:
        if text.is_han(normal) and len(normal) <= _LONGEST_MISSPELLING:
            single[normal] = None
    return {
        PHRASES: [f"{normal}\t{phrase}" for phrase, normal in plain],
        PINYIN: [f"{full_pinyin(normal)}\t{phrase}" for phrase, normal in plain],
        INITIALS: [f"{initials(normal)}\t{phrase}" for phrase, normal in plain],
        WORDS: [f"{full_pinyin(word)}\t{word}" for word in single],
    }


def suggest(engine: Engine, typed: str, scope: Scope, *, limit: int = 8) -> list[Suggestion]:
    """Return phrases that begin with what was typed, the most frequent first.

    Latin letters are read as pinyin and as initials too.
    """
    normal = " ".join(text.norm(typed).split())[:_LONGEST_PHRASE]
    if not normal:
        return []
    letters = normal.replace(" ", "").replace("'", "")
    asked = [(PHRASES, normal)]
    if letters.isascii() and letters.isalnum():
        asked += [(PINYIN, letters), (INITIALS, letters)]
    found: dict[str, int] = {}
    for kind, prefix in asked:
        for entry, count in engine.vocabulary(kind, prefix, scope, limit=200):
            shown = entry.partition("\t")[2]
            found[shown] = max(found.get(shown, 0), count)
    ordered = sorted(found.items(), key=lambda item: (-item[1], len(item[0]), item[0]))
    return [Suggestion(phrase, count) for phrase, count in ordered[:limit]]


def did_you_mean(engine: Engine, typed: str, scope: Scope) -> str | None:
    """Return the query with its unknown words set right, or None where nothing is better.

    A run that stands nowhere is compared with known words of the same pinyin first and then
    with those that differ in one character.
    """
    normal = text.norm(typed)
    changed = False
    parts: list[str] = []
    position = 0
    for run in text.runs(normal):
        start = normal.index(run, position)
        parts.append(normal[position:start])
        position = start + len(run)
        better = _better_run(engine, run, scope) if text.is_han(run) else None
        changed = changed or better is not None
        parts.append(better or run)
    parts.append(normal[position:])
    return "".join(parts) if changed else None


def _better_run(engine: Engine, run: str, scope: Scope) -> str | None:
    """Correct the longest unknown stretch of a Chinese run that has a known twin."""
    segments = text.words(run)
    if len(run) > 40 or _known(engine, run, scope):
        return None
    for width in range(len(segments), 0, -1):
        for first in range(len(segments) - width + 1):
            stretch = "".join(segments[first : first + width])
            if not 2 <= len(stretch) <= _LONGEST_MISSPELLING or _known(engine, stretch, scope):
                continue
            twin = _twin(engine, stretch, scope)
            if twin is not None:
                before = "".join(segments[:first])
                after = "".join(segments[first + width :])
                return before + twin + after
    return None


def _known(engine: Engine, stretch: str, scope: Scope) -> bool:
    unit = Unit(stretch, (text.cover(stretch),))
    return engine.count(Ask(scope=scope, units=(unit,), minimum=1)) > 0


def _twin(engine: Engine, stretch: str, scope: Scope) -> str | None:
    pinyin = full_pinyin(stretch)
    same = _words_at(engine, f"{pinyin}\t", scope)
    same.pop(stretch, None)
    if same:
        return _most_frequent(same)
    if len(stretch) < 3:
        # Two characters leave one to go by: too little to tell a slip from another word.
        return None
    first = full_pinyin(stretch[0])
    near = {
        word: count
        for word, count in _words_at(engine, first, scope).items()
        if len(word) >= 3 and _one_edit(stretch, word)
    }
    return _most_frequent(near) if near else None


def _words_at(engine: Engine, prefix: str, scope: Scope) -> dict[str, int]:
    return {
        entry.partition("\t")[2]: count
        for entry, count in engine.vocabulary(WORDS, prefix, scope, limit=2000)
    }


def _most_frequent(counts: dict[str, int]) -> str:
    return min(counts, key=lambda word: (-counts[word], word))


def _one_edit(first: str, second: str) -> bool:
    """Tell whether one insertion, deletion, change or swap turns one word into the other."""
    if first == second or abs(len(first) - len(second)) > 1:
        return False
    if len(first) == len(second):
        differ = [i for i, (a, b) in enumerate(zip(first, second, strict=True)) if a != b]
        return len(differ) == 1 or (
            len(differ) == 2
            and differ[1] == differ[0] + 1
            and first[differ[0]] == second[differ[1]]
            and first[differ[1]] == second[differ[0]]
        )
    longer, shorter = (first, second) if len(first) > len(second) else (second, first)
    return any(longer[:i] + longer[i + 1 :] == shorter for i in range(len(longer)))
