"""What happened to achievements. Enumerations travel by value."""

from __future__ import annotations

from dataclasses import dataclass, field

from marketplace.foundation.outbox import Event


@dataclass(frozen=True, kw_only=True)
class AchievementSubmitted(Event):
    """An achievement waits for a step of its organisation's review; ``role`` is a ``Role``."""

    achievement_id: int
    organisation_id: int
    title: str
    role: str


@dataclass(frozen=True, kw_only=True)
class AchievementReturned(Event):
    """A reviewer sent an achievement back to its author, with the reason."""

    achievement_id: int
    organisation_id: int
    title: str
    author_user_id: int | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class AchievementPublished(Event):
    """An achievement became visible to others."""

    achievement_id: int
    organisation_id: int


@dataclass(frozen=True, kw_only=True)
class AchievementsImported(Event):
    """A file brought in published achievements; one event for a batch of them."""

    achievement_ids: list[int]
    organisation_id: int


@dataclass(frozen=True, kw_only=True)
class AchievementChanged(Event):
    """The content or the state of a published achievement changed.

    ``past_inventor_ids`` are members whom it does not name any more.
    """

    achievement_id: int
    organisation_id: int
    past_inventor_ids: list[int] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class AchievementsConfirmed(Event):
    """The owner confirmed that the information still holds."""

    achievement_ids: list[int]
    organisation_id: int


@dataclass(frozen=True, kw_only=True)
class AchievementsWentStale(Event):
    """Nobody confirmed these achievements for too long; they drop in rank."""

    achievement_ids: list[int]
    organisation_id: int


@dataclass(frozen=True, kw_only=True)
class AchievementWithdrawn(Event):
    """The owner took an achievement off the market."""

    achievement_id: int
    organisation_id: int
    title: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class AchievementExpired(Event):
    """An achievement reached the end of its validity without being confirmed."""

    achievement_id: int
    organisation_id: int
    title: str


@dataclass(frozen=True, kw_only=True)
class AchievementTransferred(Event):
    """A registered contract moved the achievement to its buyer."""

    achievement_id: int
    organisation_id: int


@dataclass(frozen=True, kw_only=True)
class ConfidentialLayerOpened(Event):
    """An organisation may read the confidential layer from now on."""

    achievement_id: int
    organisation_id: int
    reader_organisation_id: int


@dataclass(frozen=True, kw_only=True)
class ConfidentialLayerClosed(Event):
    """The owner closed the confidential layer for an organisation."""

    achievement_id: int
    organisation_id: int
    reader_organisation_id: int
