"""Dated data with a source, read from seed/reference and validated by a typed model."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.reference_messages import explain

Model = TypeVar("Model", bound=BaseModel)


def text(name: str) -> str:
    """Return ``seed/reference/<name>.yaml`` as it is written."""
    path = files("seed.reference").joinpath(*f"{name}.yaml".split("/"))
    return path.read_text(encoding="utf-8")


def load(name: str, model: type[Model]) -> Model:
    """Read ``seed/reference/<name>.yaml`` into the model; refuse with the line and what fits."""
    content = text(name)
    try:
        return model.model_validate(yaml.safe_load(content) or {})
    except ValidationError as broken:
        told = explain(name, content, broken.errors(), keys_under(model))
        raise RuleBroken("reference.invalid", told) from broken


def keys_under(model: type[BaseModel]) -> dict[str, tuple[str, ...]]:
    """Return what may stand under each key that holds more keys; the file itself has no name."""
    known = {"": _keys(model)}
    for name, field in model.model_fields.items():
        for inner in _models_in(field.annotation):
            known |= {key or field.alias or name: keys for key, keys in keys_under(inner).items()}
    return known


def _keys(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def names(folder: str) -> list[str]:
    """List the entries of a folder under seed/reference, as ``load`` takes them, sorted."""
    directory = files("seed.reference").joinpath(folder)
    return sorted(
        f"{folder}/{entry.name.removesuffix('.yaml')}"
        for entry in directory.iterdir()
        if entry.name.endswith(".yaml")
    )
