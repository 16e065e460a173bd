"""Dated data with a source, read from seed/reference and validated by a typed model."""

from __future__ import annotations

from importlib.resources import files
from typing import TypeVar

import yaml
from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)


def text(name: str) -> str:
    """Return ``seed/reference/<name>.yaml`` as it is written."""
    path = files("seed.reference").joinpath(*f"{name}.yaml".split("/"))
    return path.read_text(encoding="utf-8")


def load(name: str, model: type[Model]) -> Model:
    """Read ``seed/reference/<name>.yaml`` into the model; unknown keys refuse to load."""
    return model.model_validate(yaml.safe_load(text(name)) or {})


def names(folder: str) -> list[str]:
    """List the entries of a folder under seed/reference, as ``load`` takes them, sorted."""
    directory = files("seed.reference").joinpath(folder)
    return sorted(
        f"{folder}/{entry.name.removesuffix('.yaml')}"
        for entry in directory.iterdir()
        if entry.name.endswith(".yaml")
    )
