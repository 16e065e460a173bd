"""The `marketplace` script: what needs no platform starts without loading it.

Most commands are gathered in ``cli``, which brings the web application, the database and all
slices; those named here are found without importing it.
"""

from __future__ import annotations

import gc
from functools import cache
from importlib import import_module

import click

# Groups whose commands need no platform but what their own modules import.
_ALONE = {
    "subsidies": (
        "补助政策与测算。",
        {
            "simulate": "marketplace.subsidies.commands",
            "recompute": "marketplace.subsidies.year_commands",
        },
    )
}
_ALL = "marketplace.cli"


class _Main(click.Group):
    """The commands of ``cli.main`` and those that stand alone, each loaded when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*_whole().list_commands(ctx), *_ALONE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _ALONE:
            words, modules = _ALONE[cmd_name]
            return _Alone(cmd_name, words, modules)
        return _whole().get_command(ctx, cmd_name)


class _Alone(click.Group):
    """A group of commands that stand alone."""

    def __init__(self, name: str, words: str, modules: dict[str, str]) -> None:
        super().__init__(name, help=words)
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = self._modules.get(cmd_name)
        if module is None:
            return None
        command: click.Command = getattr(import_module(module), cmd_name)
        return command


@cache
def _whole() -> click.Group:
    # What is imported stays: to look through it for garbage costs a seventh of the start. Frozen,
    # it is also left alone in the processes that are forked from this one.
    gc.disable()
    try:
        whole: click.Group = import_module(_ALL).main
    finally:
        gc.enable()
    gc.freeze()
    return whole


main = _Main(name="marketplace", help="Run and look after the technology market of Jinan.")
