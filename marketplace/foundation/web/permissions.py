"""Every view declares the permission it asks for; a route without one fails the build."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from marketplace.foundation.access import Permission, require
from marketplace.foundation.web.requests import actor

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_ATTRIBUTE = "required_permission"


def permits(
    permission: Permission,
) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Let a view run only for actors who hold the permission."""

    def decorate(view: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        @wraps(view)
        def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            require(actor(), permission)
            return view(*args, **kwargs)

        setattr(guarded, _ATTRIBUTE, permission)
        return guarded

    return decorate


def permission_of(view: Callable[..., object]) -> Permission | None:
    """Return the permission a view declares, or None."""
    found = getattr(view, _ATTRIBUTE, None)
    return found if isinstance(found, Permission) else None
