"""Views of the deals that a person keeps under a name. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.brokerage.rules import READ
from marketplace.foundation.access import Permission
from marketplace.foundation.errors import Conflict, RuleBroken

KEEP_VIEWS = Permission("brokerage.keep_views", READ.roles, verified=False)

KEPT = ("q", "pipeline", "step", "stage", "overdue", "stale", "broker", "seller")
"""The arguments of the deals' address that a view holds."""

NAME_MAX = 20
MOST_KEPT = 12


def check_name(name: str) -> str:
    """Return the name as it is kept; refuse an empty or overlong one."""
    kept = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    if not 1 <= len(kept) <= NAME_MAX:
        raise RuleBroken("view.name", f"请给这个视图起一个 1 到 {NAME_MAX} 个字的名字", "name")
    return kept


def check_arguments(arguments: Mapping[str, str]) -> dict[str, str]:
    """Return what a view holds of an address; refuse one without any condition."""
    kept = {name: arguments[name] for name in KEPT if arguments.get(name)}
    if not kept:
        raise RuleBroken("view.empty", "请先选好条件并筛选，再保存为视图")
    return kept


def check_room(count: int) -> None:
    """Refuse more views than stand beside each other in sight."""
    if count >= MOST_KEPT:
        raise Conflict("view.many", f"最多保存 {MOST_KEPT} 个视图，请先删掉不用的")
