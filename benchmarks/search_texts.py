"""Real texts for the benchmarks of search, from a folder that stays outside the repository.

The folder holds ``docs``, ``needs`` and ``queries_kw`` as ``.jsonl.gz``, as ``search.evaluate``
reads them. A corpus larger than the folder is made by mixing: every document has the title of one
text and sentences of it and of two others of its discipline, so that no two are alike and words
occur together as they do in the texts.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SENTENCE = re.compile(r"[^。；！？]+[。；！？]?")


@dataclass(frozen=True)
class Text:
    """A text as it was found: its title, its sentences, its disciplines and its classes."""

    title: str
    sentences: tuple[str, ...]
    disciplines: tuple[str, ...]
    ipc: tuple[str, ...]


class Texts:
    """All texts of a folder, and what was asked of them."""

    def __init__(self, folder: Path) -> None:
        self._texts = [_text(row) for row in _rows(folder / "docs.jsonl.gz")]
        self.queries = [row["text"] for row in _rows(folder / "queries_kw.jsonl.gz")]
        self.needs = [row["text"] for row in _rows(folder / "needs.jsonl.gz")]
        self._beside: dict[tuple[str, ...], list[Text]] = defaultdict(list)
        for text in self._texts:
            self._beside[text.disciplines].append(text)

    def text(self, number: int) -> Text:
        """Return the text whose title the document of this number bears."""
        return self._texts[number % len(self._texts)]

    def body(self, text: Text, characters: int, chance: random.Random) -> str:
        """Mix sentences of a text and of two others of its discipline."""
        beside = self._beside[text.disciplines]
        sentences = [
            sentence
            for one in (text, chance.choice(beside), chance.choice(beside))
            for sentence in one.sentences
        ]
        chance.shuffle(sentences)
        body = ""
        for sentence in sentences:
            if len(body) >= characters:
                break
            body += sentence
        return body

    def query(self, chance: random.Random) -> str:
        """Return one to four words that somebody might type: keywords of one text."""
        words = chance.choice(self.queries).split()
        return " ".join(words[: chance.randrange(1, len(words) + 1)])


def _text(row: dict[str, Any]) -> Text:
    return Text(
        title=row["title"],
        sentences=tuple(_SENTENCE.findall(row["abstract"])),
        disciplines=tuple(row["discipline"]),
        ipc=tuple(row["ipc"]),
    )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)
