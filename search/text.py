"""Analysis, done once and here for every engine: normal form, words, grams, unigrams.

Engines receive tokens separated by spaces and split on whitespace only.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache

import rjieba

# Part of every generation's name: change it with anything that changes a token.
ANALYZER_VERSION = "a2"

# Stands between parts of a text in the positional field; no phrase can contain it.
GAP = "¦"

_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_RUNS = re.compile(rf"[{_HAN}]+|[^\W_{_HAN}]+(?:\.[0-9]+)?")
_HAN_RUN = re.compile(rf"[{_HAN}]+\Z")
# Every mark that separates thoughts, as the inside of a character class.
CLAUSE_MARKS = r"。！？!?；;，,、：:（）()\n\r"
_MEANINGFUL = re.compile(r"[^\W_]")
# Control and format characters (bidirectional marks, zero-width joiners) carry no meaning here.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)

_STRANGE = re.compile(_UNSEEN.pattern[:-1] + r"\ud800-\udfff]")


# The wide forms that stand in almost every Chinese text, and what NFKC makes of them.
_WIDE = tuple((wide, unicodedata.normalize("NFKC", wide)) for wide in "，：；（）！？％～－℃\u3000")


def norm(text: str) -> str:
    """Return the normal form in which texts are compared: NFKC, lower case, nothing unseen."""
    # What this leaves is most often normal but for capitals, and it is ten times as quick.
    text = narrowed(text)
    if is_plain(text):
        return text.lower()
    # Lone surrogates can be typed into a URL and would break every engine's UTF-8.
    clean = text.encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFKC", _UNSEEN.sub("", clean)).lower()


def narrowed(text: str) -> str:
    """Return a text with its common wide forms replaced by what NFKC makes of them."""
    for wide, narrow in _WIDE:
        text = text.replace(wide, narrow)
    return text


def narrowed_in_place(text: str) -> str:
    """Return a text of the same length: what becomes more than one character stays wide."""
    for wide, narrow in _WIDE:
        if len(narrow) == 1:
            text = text.replace(wide, narrow)
    return text


def is_plain(text: str) -> bool:
    """Tell whether only lower case is wanting for the normal form; quick, as most text is."""
    # Nothing strange can be printed, and looking for that is the quicker of the two.
    return unicodedata.is_normalized("NFKC", text) and (
        text.replace("\n", " ").isprintable() or _STRANGE.search(text) is None
    )


def runs(normal: str) -> list[str]:
    """Split a normal text into runs: unbroken Chinese, or one whole Latin word or number."""
    return _RUNS.findall(normal)


def is_han(run: str) -> bool:
    """Tell whether a run is Chinese."""
    return _HAN_RUN.match(run) is not None


def words(normal: str) -> list[str]:
    """Segment a normal text into dictionary words, without guessing unknown ones.

    Latin words and numbers stay whole, as they do in the grams.
    """
    found: list[str] = []
    for run in runs(normal):
        if is_han(run):
            found.extend(rjieba.cut(run, hmm=False))
        else:
            found.append(run)
    return found


# Parts of speech of jieba's dictionary that name nothing: conjunctions, adverbs, prepositions,
# pronouns, particles, numerals and measures, directions, times, interjections, modal words.
_NAMELESS = frozenset("cdpruymqfteoh")


@lru_cache(maxsize=50_000)
def names_something(word: str) -> bool:
    """Tell whether a Chinese word can name a thing, an action or a quality."""
    return any(flag[0] not in _NAMELESS for _part, flag in rjieba.tag(word))


def grams(normal: str) -> list[str]:
    """Return Chinese unigrams and bigrams, Latin words and numbers whole."""
    return [gram for run in runs(normal) for gram in _run_grams(run)]


def _run_grams(run: str) -> Iterator[str]:
    if not is_han(run):
        yield run
        return
    yield from run
    for first, second in itertools.pairwise(run):
        yield first + second


def unigrams(normal: str) -> list[str]:
    """Return single Chinese characters, Latin words and numbers, in their order."""
    return [unit for run in runs(normal) for unit in (run if is_han(run) else (run,))]


# The terms of the lexicon come again and again.
@lru_cache(maxsize=20_000)
def cover(unit: str) -> tuple[str, ...]:
    """Return the fewest grams that a text with this word must contain.

    A character stands for itself, a longer Chinese run for its bigrams.
    """
    covering: list[str] = []
    for run in runs(unit):
        if not is_han(run) or len(run) == 1:
            covering.append(run)
        else:
            covering.extend(first + second for first, second in itertools.pairwise(run))
    return tuple(dict.fromkeys(covering))


def contains(haystack: list[str], needle: list[str]) -> bool:
    """Tell whether one sequence of unigrams occurs unbroken in another."""
    if not needle:
        return False
    width = len(needle)
    return any(
        haystack[start : start + width] == needle for start in range(len(haystack) - width + 1)
    )


def sentences(text: str) -> list[str]:
    """Split an original text into sentences, without their final marks and empty ones."""
    parts = re.split(r"[。！？!?；;\n\r]+", text)
    return [part.strip() for part in parts if _MEANINGFUL.search(part)]


def clauses(text: str) -> list[str]:
    """Split an original text at every mark that separates thoughts."""
    parts = re.split(rf"[{CLAUSE_MARKS}]+", text)
    return [part.strip() for part in parts if says_something(part)]


def says_something(text: str) -> bool:
    """Tell whether a text holds more than marks and spaces."""
    return _MEANINGFUL.search(text) is not None


def boilerplate(
    needs: Iterable[str], documents: Iterable[str], *, share: float = 0.04, factor: float = 4.0
) -> frozenset[str]:
    """Find the terms that are frequent in needs and rare in documents: how people ask.

    A term counts when it stands in at least ``share`` of the needs and its share there is at
    least ``factor`` times its share in the documents. Fewer than 100 needs say nothing.
    """
    asked, needs_count = _frequencies(needs)
    offered, documents_count = _frequencies(documents)
    if needs_count < 100 or documents_count == 0:
        return frozenset()
    return frozenset(
        term
        for term, count in asked.items()
        if count / needs_count >= share
        and count / needs_count >= factor * offered[term] / documents_count
    )


def _frequencies(texts: Iterable[str]) -> tuple[Counter[str], int]:
    found: Counter[str] = Counter()
    total = 0
    for text in texts:
        normal = norm(text)
        found.update(set(words(normal)) | set(grams(normal)))
        total += 1
    return found, total
