"""What happened to needs. Enumerations travel by value."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.foundation.outbox import Event


@dataclass(frozen=True, kw_only=True)
class NeedSubmitted(Event):
    """A need waits for the operator's review."""

    need_id: int
    organisation_id: int
    title: str


@dataclass(frozen=True, kw_only=True)
class NeedReturned(Event):
    """The operator sent a need back, with the reason."""

    need_id: int
    organisation_id: int
    title: str
    author_user_id: int | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class NeedOpened(Event):
    """A need became visible to others."""

    need_id: int
    organisation_id: int


@dataclass(frozen=True, kw_only=True)
class NeedsImported(Event):
    """A file brought in open needs; one event for a batch of them."""

    need_ids: list[int]
    organisation_id: int


@dataclass(frozen=True, kw_only=True)
class NeedChanged(Event):
    """The content or the state of an open need changed."""

    need_id: int
    organisation_id: int


@dataclass(frozen=True, kw_only=True)
class NeedClosed(Event):
    """A need left the market; ``state`` is a ``NeedState`` by value."""

    need_id: int
    organisation_id: int
    title: str
    state: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class NeedAnswered(Event):
    """Somebody answered 我能解决."""

    need_id: int
    answer_id: int
    title: str
    organisation_id: int
    answering_organisation_id: int
    achievement_id: int | None


@dataclass(frozen=True, kw_only=True)
class AnswerDecided(Event):
    """The need's owner accepted an answer for a talk, or declined it with a reason."""

    need_id: int
    answer_id: int
    title: str
    organisation_id: int
    answering_organisation_id: int
    answering_user_id: int | None
    accepted: bool
    reason: str
