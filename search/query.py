"""What a person types, understood: words, "phrases", -exclusions and field:filters.

Nothing that is typed is an error. What cannot be used is left out and named in ``notices``.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from search import text
from search.schema import Filters

MAX_CHARACTERS = 500
MAX_UNITS = 24
MAX_PHRASES = 8

# Names that a person may type before a colon. Values are matched against the caller's labels.
FIELD_NAMES: Mapping[str, str] = {
    "领域": "field",
    "技术领域": "field",
    "行业": "industry",
    "产业": "industry",
    "地区": "region",
    "区县": "region",
    "方式": "mode",
    "合作方式": "mode",
    "知识产权": "ip_kind",
    "专利": "ip_kind",
    "状态": "state",
    "分类号": "ipc",
    "ipc": "ipc",
}

_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "「": '"', "」": '"', "『": '"', "』": '"'})
_PIECE = re.compile(
    r'(?P<minus>(?<!\S)-)?(?:(?P<field>[^\s:："-]{1,8})[:：](?P<value>"[^"]*"|[^\s"]+)'
    r'|"(?P<phrase>[^"]*)"|(?P<free>[^\s"]+))'
)
# Words that stand in questions and carry no subject.
_EMPTY_WORDS = frozenset(
    Path(__file__).with_name("lexicon").joinpath("empty.words").read_text("utf-8").split()
)


class Notice(Enum):
    """What was done to a query that its author should know."""

    CUT = "cut"
    ONLY_PUNCTUATION = "only_punctuation"
    UNKNOWN_VALUE = "unknown_value"


@dataclass(frozen=True)
class Query:
    """A person's query, understood; ``shown`` is what to put back into the field."""

    shown: str
    free: str = ""
    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    filters: Filters = field(default_factory=Filters)
    notices: tuple[tuple[Notice, str], ...] = ()

    @property
    def empty(self) -> bool:
        """Tell whether nothing is asked for but filters."""
        return not (self.words or self.phrases or self.excluded)


def parse(typed: str, *, labels: Mapping[str, Mapping[str, str]] | None = None) -> Query:
    """Understand a query.

    ``labels`` maps, for each filter field, what a person may type to the stored value; a label
    that begins with the typed value counts too. Fields missing in it take values as typed.
    """
    notices: list[tuple[Notice, str]] = []
    # Cut before the costly work; a cut in the middle of a pair of quotes does no harm.
    shown = " ".join(text.norm(typed[: MAX_CHARACTERS * 4]).translate(_QUOTES).split())
    if len(shown) > MAX_CHARACTERS or len(typed) > MAX_CHARACTERS * 4:
        shown = shown[:MAX_CHARACTERS]
        notices.append((Notice.CUT, str(MAX_CHARACTERS)))
    free: list[str] = []
    phrases: list[str] = []
    excluded: list[str] = []
    chosen: dict[str, set[str]] = {}
    for piece in _PIECE.finditer(shown):
        name = FIELD_NAMES.get(piece["field"] or "")
        if name is not None and not piece["minus"]:
            value = piece["value"].strip('"')
            known = _value(name, value, labels or {})
            if known is None:
                notices.append((Notice.UNKNOWN_VALUE, value))
                free.append(value)
            else:
                chosen.setdefault(name, set()).add(known)
            continue
        said = piece["phrase"] if piece["phrase"] is not None else piece[0].removeprefix("-")
        said = said.replace('"', " ")
        if not text.runs(said):
            continue
        if piece["minus"]:
            excluded.append(said)
        elif piece["phrase"] is not None:
            phrases.append(said)
        else:
            free.append(said)
    asked = " ".join(free)
    if shown and not (text.runs(shown) or chosen):
        notices.append((Notice.ONLY_PUNCTUATION, shown))
    return Query(
        shown=shown,
        free=asked,
        words=content_words(asked)[:MAX_UNITS],
        phrases=tuple(dict.fromkeys(phrases))[:MAX_PHRASES],
        excluded=tuple(dict.fromkeys(excluded))[:MAX_PHRASES],
        filters=Filters({name: frozenset(values) for name, values in chosen.items()}),
        notices=tuple(notices),
    )


def content_words(asked: str) -> tuple[str, ...]:
    """Return the words that carry the subject, once each; all words where none would be left.

    The dictionary falls apart on terms it does not know: its single characters that stand side
    by side are taken together again where they are two, 脱 and 硝 as 脱硝.
    """
    found = tuple(dict.fromkeys(_joined(text.norm(asked))))
    subject = tuple(word for word in found if word not in _EMPTY_WORDS)
    return subject or found


def _joined(normal: str) -> list[str]:
    joined: list[str] = []
    for run in text.runs(normal):
        for single, group in itertools.groupby(text.words(run), _is_fragment):
            pieces = list(group)
            joined.extend(["".join(pieces)] if single and len(pieces) == 2 else pieces)
    return joined


def _is_fragment(word: str) -> bool:
    return len(word) == 1 and text.is_han(word) and word not in _EMPTY_WORDS


def _value(name: str, typed: str, labels: Mapping[str, Mapping[str, str]]) -> str | None:
    if name not in labels:
        return typed.upper() if name == "ipc" else typed
    known = {text.norm(label): value for label, value in labels[name].items()}
    if typed in known:
        return known[typed]
    return next((value for label, value in known.items() if label.startswith(typed)), None)
