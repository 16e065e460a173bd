"""What can go wrong in the trade, said so that a person can act on it.

Every message is Chinese and says what is wrong, why, and what to do. The HTTP status of each
class is applied in one place, ``foundation.web.errors``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Self


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: a stable code, a Chinese message, and the form field it is about."""

    code: str
    message: str
    field: str | None = None


class DomainError(Exception):
    """Refuse a use case for a reason a person can read."""

    status: ClassVar[int] = 422

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.problems: tuple[Problem, ...] = (Problem(code, message, field),)

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> Self:
        """Build one error out of several problems, at least one."""
        listed = tuple(problems)
        first = listed[0]
        error = cls(first.code, first.message, first.field)
        error.problems = listed
        return error

    @property
    def code(self) -> str:
        """Return the first problem's code."""
        return self.problems[0].code

    @property
    def message(self) -> str:
        """Return all messages, joined for a place that has room for one."""
        return "；".join(problem.message.rstrip("。") for problem in self.problems) + "。"


class RuleBroken(DomainError):
    """A rule of the trade forbids it (HTTP 422)."""


class NotFound(DomainError):
    """There is no such thing, or it is another organisation's (HTTP 404)."""

    status = 404

    def __init__(
        self,
        code: str = "not_found",
        message: str = "没有找到这项内容：它可能已被撤下，或者不属于您的单位",
        field: str | None = None,
    ) -> None:
        super().__init__(code, message, field)


class NotAllowed(DomainError):
    """The person's role does not permit it (HTTP 403)."""

    status = 403


class Conflict(DomainError):
    """Somebody else was faster, or it was already done (HTTP 409)."""

    status = 409


class TooMany(DomainError):
    """It was done too often in a short time (HTTP 429); ``retry_after`` in seconds."""

    status = 429

    def __init__(
        self, code: str, message: str, field: str | None = None, *, retry_after: int = 60
    ) -> None:
        super().__init__(code, message, field)
        self.retry_after = retry_after


def raise_if_any(problems: Iterable[Problem]) -> None:
    """Raise one ``RuleBroken`` that carries all problems, or return when there are none."""
    listed = list(problems)
    if listed:
        raise RuleBroken.of(listed)
