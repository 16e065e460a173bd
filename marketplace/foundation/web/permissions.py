"""Every view declares the permission it asks for; a route without one fails the build.

A view whose step is sensitive also declares that: it is carried out only for somebody who has
proved a moment ago who they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import request, url_for
from flask.typing import ResponseReturnValue

from marketplace.foundation.access import Permission, require
from marketplace.foundation.web.requests import actor, carried_out_before, resource

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_ATTRIBUTE = "required_permission"
_SENSITIVE = "is_sensitive"
_UNCARRIED = "keeps_secret"
_READING = ("GET", "HEAD", "OPTIONS")


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


@dataclass(frozen=True)
class Reauthentication:
    """How a person proves again who they are; accounts hands it in.

    ``ask`` returns None when the person has just done so, else the page that asks for it. That
    page carries what was typed and sends it to the same address again with the proof.
    ``ask_before`` carries nothing: its page leads on to the address of the form that is given.
    """

    ask: Callable[[], ResponseReturnValue | None]
    ask_before: Callable[[str], ResponseReturnValue | None]


def sensitive(
    view: Callable[Parameters, ResponseReturnValue],
) -> Callable[Parameters, ResponseReturnValue]:
    """Let a changing request through only after a fresh password, and code (ASVS 7.5.1).

    Stands below ``permits``. What was typed is not lost: the form is resumed after the proof. A
    route that takes files must not be declared so, since a page cannot carry files.
    """

    @wraps(view)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> ResponseReturnValue:
        if request.method not in _READING and carried_out_before() is None:
            asked = resource(Reauthentication).ask()
            if asked is not None:
                return asked
        return view(*args, **kwargs)

    setattr(guarded, _SENSITIVE, True)
    return guarded


def sensitive_with_secret(
    form_at: str,
) -> Callable[
    [Callable[Parameters, ResponseReturnValue]], Callable[Parameters, ResponseReturnValue]
]:
    """Ask for the fresh proof before a form with a secret is shown, and again before it is taken.

    What was typed is lost when the proof has run out meanwhile: a secret is never written into a
    page. ``form_at`` is the endpoint that shows the form, of the same object.
    """

    def decorate(
        view: Callable[Parameters, ResponseReturnValue],
    ) -> Callable[Parameters, ResponseReturnValue]:
        @wraps(view)
        def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> ResponseReturnValue:
            if carried_out_before() is None:
                asked = resource(Reauthentication).ask_before(
                    url_for(form_at, **(request.view_args or {}))
                )
                if asked is not None:
                    return asked
            return view(*args, **kwargs)

        setattr(guarded, _SENSITIVE, True)
        setattr(guarded, _UNCARRIED, True)
        return guarded

    return decorate


def is_sensitive(view: Callable[..., object]) -> bool:
    """Tell whether a view declares that it is sensitive."""
    return getattr(view, _SENSITIVE, False) is True


def keeps_secret(view: Callable[..., object]) -> bool:
    """Tell whether a sensitive view's form holds a secret."""
    return getattr(view, _UNCARRIED, False) is True
