"""The port for a dense encoder: an operator's own model that turns texts into vectors.

None comes with this package. Without one nothing here is loaded and nothing changes; with one,
documents are also found that lie near a need in the model's space and share no word with it.
"""

from __future__ import annotations

import hashlib
import importlib
import math
from collections.abc import Sequence
from typing import Protocol

from search import text
from search.errors import AskRejected, EncoderFailed
from search.schema import Document

# Models read some hundreds of characters; what a document is about stands in its beginning.
MOST_CHARACTERS = 2000


class Encoder(Protocol):
    """Turns texts into vectors of ``length`` numbers, near where the texts mean nearly the same.

    ``name`` and ``version`` say which model it is: vectors of another one are never compared.
    """

    name: str
    version: str
    length: int

    def encode(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Return one vector for each text, in their order; any error means "not now"."""


class Unavailable:
    """Stands for an encoder that could not be made, so that everything else goes on."""

    name = "unavailable"
    version = ""
    length = 1

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def encode(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Raise why there is no encoder."""
        raise EncoderFailed(self._reason)


def load(address: str) -> Encoder:
    """Return the encoder that ``package.module:factory`` makes.

    An address that leads nowhere is a mistake in the settings and refused (``AskRejected``). A
    factory that fails (its model is away) gives an encoder that says so at every use.
    """
    module_name, _, factory_name = address.partition(":")
    try:
        factory = getattr(importlib.import_module(module_name), factory_name)
    except (ImportError, AttributeError, ValueError) as wrong:
        raise AskRejected(
            "SEARCH_ENCODER", f"write package.module:factory, not {address!r} ({wrong})"
        ) from wrong
    try:
        encoder: Encoder = factory()
        if not (encoder.name and encoder.length >= 1 and callable(encoder.encode)):
            raise EncoderFailed("name, length or encode is missing")
        return encoder
    except Exception as failed:  # an operator's code may raise anything
        return Unavailable(f"{address} gave no encoder: {type(failed).__name__}: {failed}")


def identity(encoder: Encoder) -> str:
    """Return a short name of the model that tells its vectors from those of every other."""
    said = f"{encoder.name}\n{encoder.version}\n{encoder.length}"
    return "v" + hashlib.sha256(said.encode()).hexdigest()[:8]


def spoken(document: Document) -> str:
    """Return the text of a document by which its meaning is known."""
    parts = (document.title, " ".join(document.keywords), document.body)
    return text.norm("\n".join(part for part in parts if part))[:MOST_CHARACTERS]


def digest(said: str) -> str:
    """Return what tells a spoken text from any other."""
    return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()


def encode(encoder: Encoder, texts: Sequence[str]) -> list[list[float]]:
    """Return checked vectors of length 1; raise ``EncoderFailed`` saying what was wrong.

    A vector of zeros (a text of which the model knows nothing) stays as it is: near to nothing.
    """
    try:
        given = [list(map(float, vector)) for vector in encoder.encode(texts)]
    except EncoderFailed:
        raise
    except Exception as failed:  # an operator's code may raise anything
        raise EncoderFailed(f"{encoder.name}: {type(failed).__name__}: {failed}") from failed
    if len(given) != len(texts):
        raise EncoderFailed(f"{encoder.name}: {len(given)} vectors for {len(texts)} texts")
    for vector in given:
        if len(vector) != encoder.length:
            raise EncoderFailed(
                f"{encoder.name}: a vector of {len(vector)} numbers where {encoder.length} "
                "were announced"
            )
        if not all(map(math.isfinite, vector)):
            raise EncoderFailed(f"{encoder.name}: a vector holds what is no finite number")
    return [_of_length_one(vector) for vector in given]


def _of_length_one(vector: list[float]) -> list[float]:
    size = math.sqrt(sum(value * value for value in vector))
    return [value / size for value in vector] if size else vector
