"""The `marketplace` script: what needs no platform starts without loading it.

Every command is defined in its own module and gathered in ``cli``; those named here are found
without importing ``cli``, which brings the web application, the database and all slices.
"""

from __future__ import annotations

import gc
from functools import cache
from importlib import import_module

import click

# Commands that work on files alone, by their group, and where the group with only them is defined.
_ALONE = {"subsidies": ("simulate", "marketplace.subsidies.commands")}
_ALL = "marketplace.cli"


class _Main(click.Group):
    """The same commands as ``cli.main``, each loaded when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return _whole().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _ALONE:
            return _Partly(cmd_name)
        return _whole().get_command(ctx, cmd_name)


class _Partly(click.Group):
    """A group of which one command works on files alone; the others bring the platform."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return self._all(ctx).list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        alone, module = _ALONE[str(self.name)]
        if cmd_name == alone:
            light: click.Group = import_module(module).group
            return light.get_command(ctx, cmd_name)
        return self._all(ctx).get_command(ctx, cmd_name)

    def _all(self, ctx: click.Context) -> click.Group:
        group = _whole().get_command(ctx, str(self.name))
        assert isinstance(group, click.Group)
        return group


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
