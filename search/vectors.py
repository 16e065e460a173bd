"""The vectors of one generation on disk: appended to, mapped into memory, compared exactly.

``vectors.f32`` holds the rows; ``rows.log`` which document each belongs to (``+digest id``, with
the digest of the text it was made of) and which documents went (``-id``). ``state.json`` says how
much of both counts; it is replaced in one step, so a reader never sees half a write and a writer
cuts off what a crash left behind.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from search.errors import VectorsBroken

Floats = npt.NDArray[np.float32]

_BYTES = 4
# Cosines of vectors in single precision differ by less than this from what they are.
_ROUNDING = 1e-4


@dataclass(frozen=True)
class _Held:
    """What a reader saw at one moment: the matrix, and in which of its rows each document is."""

    rows: Mapping[str, tuple[int, str]]
    names: tuple[str, ...]
    places: npt.NDArray[np.int64]
    matrix: Floats


class Likeness:
    """How near every document's vector lies to one other."""

    def __init__(self, held: _Held, vector: Sequence[float]) -> None:
        self._held = held
        self._cosines = held.matrix @ np.asarray(vector, np.float32)
        # Many models put all texts near each other: near is what is nearer than usual.
        usual = float(self._cosines[held.places].mean()) if held.names else 0.0
        self._usual = max(0.0, usual)

    def of(self, document_id: str, digest: str) -> float | None:
        """Return 0 for a document no nearer than the average one, 1 for the very same meaning.

        None where the document has no vector of the text with this digest.
        """
        row, made_of = self._held.rows.get(document_id, (-1, ""))
        if made_of != digest:
            return None
        if self._usual >= 1.0:
            return 0.0
        nearer = (float(self._cosines[row]) - self._usual) / (1.0 - self._usual)
        return min(1.0, nearer) if nearer > _ROUNDING else 0.0

    def best(self) -> Iterator[str]:
        """Name the documents that are nearer than the average one, the nearest first."""
        cosines = self._cosines[self._held.places]
        for place in np.argsort(-cosines, kind="stable"):
            if cosines[place] <= self._usual + _ROUNDING:
                return
            yield self._held.names[place]


class Vectors:
    """The vectors in one folder. Any number of processes read; writes wait for each other."""

    def __init__(self, folder: Path, length: int) -> None:
        self._folder = folder
        self._length = length
        self._guard = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._log_read = 0
        self._appended = 0
        self._held = _held({}, np.zeros((0, length), np.float32))

    def create(self) -> None:
        """Make an empty folder in place of whatever stood there."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        for name in ("vectors.f32", "rows.log"):
            (self._folder / name).touch()
        self._announce({"length": self._length, "rows": 0, "log": 0})

    def put(self, documents: Sequence[tuple[str, str]], vectors: Sequence[Sequence[float]]) -> None:
        """Put in the vectors of documents (id, digest of the text), replacing those they had."""
        rows = np.asarray(vectors, np.float32).reshape(len(documents), self._length)
        with self._writing() as state:
            self._append("vectors.f32", state["rows"] * self._length * _BYTES, rows.tobytes())
            lines = "".join(f"+{digest} {name}\n" for name, digest in documents)
            self._log(state, lines, len(documents))

    def take_out(self, ids: Iterable[str]) -> None:
        """Forget the vectors of documents; unknown ids are no error."""
        lines = "".join(f"-{name}\n" for name in ids)
        if lines:
            with self._writing() as state:
                self._log(state, lines, 0)

    def count(self) -> int:
        """Return how many documents have a vector."""
        return len(self._newest().names)

    def likeness(self, vector: Sequence[float]) -> Likeness:
        """Compare a vector of length 1 with every document's."""
        return Likeness(self._newest(), vector)

    @contextmanager
    def _writing(self) -> Iterator[dict[str, int]]:
        try:
            with (self._folder / "write.lock").open("a") as lock:
                # Held for milliseconds, and freed by the system if its holder dies.
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield self._state()
        except OSError as broken:
            raise VectorsBroken(f"vectors in {self._folder} cannot be written: {broken}") from None

    def _state(self) -> dict[str, int]:
        try:
            state: dict[str, int] = json.loads((self._folder / "state.json").read_text("utf-8"))
            if state["length"] != self._length:
                raise VectorsBroken(f"vectors in {self._folder} have another length")
            return {"length": self._length, "rows": int(state["rows"]), "log": int(state["log"])}
        except (OSError, ValueError, KeyError, TypeError) as broken:
            raise VectorsBroken(f"no vectors can be read in {self._folder}: {broken}") from broken

    def _log(self, state: dict[str, int], lines: str, rows: int) -> None:
        written = lines.encode()
        self._append("rows.log", state["log"], written)
        grown = {"rows": state["rows"] + rows, "log": state["log"] + len(written)}
        self._announce(state | grown)

    def _append(self, name: str, counted: int, written: bytes) -> None:
        with (self._folder / name).open("r+b") as file:
            file.truncate(counted)
            file.seek(counted)
            file.write(written)
            file.flush()
            os.fsync(file.fileno())

    def _announce(self, state: dict[str, int]) -> None:
        fresh = self._folder / f"state.{os.getpid()}"
        fresh.write_text(json.dumps(state), "utf-8")
        fresh.replace(self._folder / "state.json")

    def _newest(self) -> _Held:
        """Return what is held now; read only what was written since the last look."""
        try:
            with self._guard:
                found = (self._folder / "state.json").stat()
                stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
                if stamp != self._stamp:
                    self._held = self._read(self._state())
                    self._stamp = stamp
                return self._held
        except (OSError, ValueError) as broken:
            raise VectorsBroken(f"vectors in {self._folder}: {broken}") from broken

    def _read(self, state: dict[str, int]) -> _Held:
        rows = dict(self._held.rows)
        with (self._folder / "rows.log").open("rb") as file:
            file.seek(self._log_read)
            lines = file.read(state["log"] - self._log_read).decode("utf-8").splitlines()
        appended = self._appended
        for line in lines:
            made_of, _, name = line[1:].rpartition(" ")
            rows.pop(name, None)
            if line[:1] == "+":
                rows[name] = appended, made_of
                appended += 1
        if appended != state["rows"]:
            raise VectorsBroken(f"vectors in {self._folder}: log and rows do not agree")
        matrix: Floats = self._held.matrix
        if appended:
            shape = (appended, self._length)
            matrix = np.memmap(self._folder / "vectors.f32", np.float32, "r", shape=shape)
        self._log_read, self._appended = state["log"], appended
        return _held(rows, matrix)


def _held(rows: Mapping[str, tuple[int, str]], matrix: Floats) -> _Held:
    places = np.fromiter((row for row, _ in rows.values()), np.int64, len(rows))
    return _Held(rows, tuple(rows), places, matrix)
