"""What answers to a match change about it, and for whom. Pure.

A dismissal by who asks counts for everybody, one by the reader's own organisation for its readers.
What others say counts only when several organisations say the same, each of them once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.discovery.rules import Verdict
from marketplace.foundation.access import Permission, Role

# Who keeps the learned table clean.
CURATE = Permission("discovery.curate", frozenset({Role.OPERATOR}))

LEAST_ORGANISATIONS = 3
_OWN = {Verdict.USEFUL: 1.25, Verdict.USELESS: 0.2}
_OTHERS = {Verdict.USEFUL: 1.1, Verdict.USELESS: 0.6}

# The table is made anew soon after an answer, but not for each one; and daily, because what was
# public yesterday may not be so today.
_AFTER_AN_ANSWER = timedelta(hours=1)
_ANYWAY = timedelta(days=1)


@dataclass(frozen=True)
class Vote:
    """What one person said of a pair, for a verified organisation or, without one, for himself."""

    user_id: int
    organisation_id: int | None
    verdict: Verdict
    judged_at: datetime


@dataclass(frozen=True)
class Adjustment:
    """By what a match's score is multiplied, and why in words."""

    factor: float = 1.0
    said: str = ""


def adjustment(
    votes: Iterable[Vote],
    *,
    asker_id: int | None,
    offerer_id: int | None,
    reader_user_id: int | None,
    reader_organisation_id: int | None,
) -> Adjustment:
    """Return what the votes on one pair of need and achievement change for one reader."""
    newest = sorted(votes, key=lambda vote: vote.judged_at)
    own = [vote for vote in newest if _is_own(vote, reader_user_id, reader_organisation_id)]
    if own:
        said = "您单位" if reader_organisation_id is not None else "您"
        return Adjustment(_OWN[own[-1].verdict], f"{said}认为{own[-1].verdict.label}")
    by_organisation = {
        vote.organisation_id: vote.verdict for vote in newest if vote.organisation_id is not None
    }
    if asker_id in by_organisation:
        verdict = by_organisation[asker_id]
        return Adjustment(_OWN[verdict], f"需求方认为{verdict.label}")
    # Who offers would find every match useful.
    others = [word for voter, word in by_organisation.items() if voter != offerer_id]
    for verdict in Verdict:
        count = others.count(verdict)
        if count >= LEAST_ORGANISATIONS and count > 2 * (len(others) - count):
            return Adjustment(_OTHERS[verdict], f"{count} 家单位认为{verdict.label}")
    return Adjustment()


def is_due(*, learned_at: datetime | None, answered_at: datetime | None, now: datetime) -> bool:
    """Tell whether the table of learned terms is to be made anew."""
    if learned_at is None:
        return True
    answered = answered_at is not None and answered_at > learned_at
    return now - learned_at >= (_AFTER_AN_ANSWER if answered else _ANYWAY)


def _is_own(vote: Vote, user_id: int | None, organisation_id: int | None) -> bool:
    if organisation_id is not None:
        return vote.organisation_id == organisation_id
    return user_id is not None and vote.user_id == user_id
