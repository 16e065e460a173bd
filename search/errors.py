"""What can go wrong in search, each said so that the caller knows what to do."""

from __future__ import annotations


class SearchError(Exception):
    """The base of every error that this package raises on purpose."""


class SearchUnavailable(SearchError):
    """The engine cannot answer now; the caller falls back and says so."""


class IndexMissing(SearchUnavailable):
    """There is no generation in use yet; a rebuild makes one."""


class IndexBroken(SearchUnavailable):
    """The index in use cannot be opened or was made by another version; a rebuild heals it."""


class WriterBusy(SearchUnavailable):
    """Another process writes to the index and did not finish in time; try again later."""


class AskRejected(SearchError):
    """The request names a field or a value that search does not know.

    ``name`` is what was not understood, for the caller's own message.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class VerificationFailed(SearchError):
    """A new generation does not hold what it should and was not taken into use."""


class EncoderFailed(SearchError):
    """The dense encoder gave no usable vectors; search goes on without it."""


class VectorsBroken(SearchError):
    """The vectors of a generation are missing or damaged; a rebuild heals them."""
