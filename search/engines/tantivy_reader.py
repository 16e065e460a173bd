"""An embedded index as readers see it: the generation in use, as of its newest commit."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path

import tantivy

from search import text
from search.engines.tantivy_documents import FORMAT, SCHEMA
from search.errors import IndexBroken, IndexMissing, SearchUnavailable

Stamp = tuple[int, int, int]

# Remembered of one state of the index; some hundred bytes each.
_MOST_FREQUENCIES = 50_000
# The pages of the tabs and of the filters that are often chosen; some kilobytes each.
_MOST_FACETS = 200


@dataclass
class Opened:
    """An opened generation, the state of its commit file, and what was counted of that state."""

    generation: str
    index: tantivy.Index
    stamp: Stamp
    _averages: tuple[float, float] | None = None
    _frequencies: dict[tuple[str, str], int] = field(default_factory=dict)
    _facets: dict[Hashable, dict[str, dict[str, int]]] = field(default_factory=dict)

    def renewed(self, stamp: Stamp) -> Opened:
        """Return the same generation as it is now, nothing counted yet."""
        self.index.reload()
        return Opened(self.generation, self.index, stamp)

    def averages(self, searcher: tantivy.Searcher) -> tuple[float, float]:
        """Return the mean numbers of words and grams of a document."""
        if self._averages is None:
            wanted = {name: {"avg": {"field": name}} for name in ("w_length", "g_length")}
            answer = searcher.aggregate(tantivy.Query.all_query(), wanted)
            words, grams = (float(answer[name]["value"] or 1.0) for name in wanted)
            self._averages = words, grams
        return self._averages

    def frequency(self, searcher: tantivy.Searcher, name: str, term: str) -> int:
        """Return in how many documents a term of a field stands."""
        count = self._frequencies.get((name, term))
        if count is None:
            if len(self._frequencies) >= _MOST_FREQUENCIES:
                self._frequencies.clear()
            count = self._frequencies[name, term] = searcher.doc_freq(name, term)
        return count

    def remembered_facets(self, key: Hashable) -> dict[str, dict[str, int]] | None:
        """Return what was counted of this state before."""
        return self._facets.get(key)

    def remember_facets(self, key: Hashable, counts: dict[str, dict[str, int]]) -> None:
        """Keep what was counted of this state."""
        if len(self._facets) >= _MOST_FACETS:
            self._facets.clear()
        self._facets[key] = counts


class Reader:
    """Follows the generations of one folder; for any number of threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guard = threading.Lock()
        self._opened: Opened | None = None
        # The state of CURRENT when the generation was opened.
        self._named: Stamp | None = None

    def generation(self) -> str | None:
        """Name the generation in use."""
        try:
            return (self._folder / "CURRENT").read_text("utf-8").strip() or None
        except FileNotFoundError:
            return None
        except OSError as broken:
            raise SearchUnavailable(str(broken)) from broken

    def current(self) -> str:
        """Name the generation in use, which there must be."""
        name = self.generation()
        if name is None:
            raise IndexMissing("there is no index yet")
        return name

    def newest(self) -> Opened:
        """Return the generation in use as of its newest commit.

        Two looks at files tell whether it is still the one that was opened.
        """
        with self._guard:
            named = _stamp(self._folder / "CURRENT")
            if self._opened is None or named != self._named:
                name = self.current()
                # Before opening: a commit in between is then seen at the next question.
                stamp = self._committed(name)
                self._opened = Opened(name, self.open(name), stamp)
                self._named = named
            elif self._opened.stamp != (stamp := self._committed(self._opened.generation)):
                self._opened = self._opened.renewed(stamp)
            return self._opened

    def forget(self) -> None:
        """Open everything anew at the next question: something was broken."""
        with self._guard:
            self._opened = None

    def open(self, name: str) -> tantivy.Index:
        """Open a generation; raise ``IndexBroken`` where it is not one of ours, or damaged."""
        path = self._folder / name
        try:
            if f"-{FORMAT}-" not in name or text.ANALYZER_VERSION not in name:
                raise IndexBroken(f"generation {name} was made by another version")
            if not (path / "meta.json").exists():
                raise IndexBroken(f"generation {name} has no commit file")
            index = tantivy.Index(SCHEMA, path=str(path), reuse=True)
            index.config_reader(reload_policy="manual")
            index.reload()
        except (ValueError, OSError) as broken:
            raise IndexBroken(f"generation {name} cannot be opened: {broken}") from broken
        return index

    def _committed(self, name: str) -> Stamp:
        stamp = _stamp(self._folder / name / "meta.json")
        if stamp is None:
            raise IndexBroken(f"generation {name} has no commit file")
        return stamp


def _stamp(path: Path) -> Stamp | None:
    """Return what changes whenever a file is replaced or written; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
