"""What happened: pairs of the match desk proposed to one or both sides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.foundation.outbox import Event


@dataclass(frozen=True, kw_only=True)
class ProposalMade(Event):
    """A broker proposed a pair; only the sides that are asked are named."""

    proposal_id: int
    title: str
    need_title: str
    seller_organisation_id: int | None
    buyer_organisation_id: int | None
    broker_user_id: int


@dataclass(frozen=True, kw_only=True)
class ProposalReminded(Event):
    """A proposal ends soon; only the sides that have not answered are named."""

    proposal_id: int
    title: str
    need_title: str
    valid_to: date
    seller_organisation_id: int | None
    buyer_organisation_id: int | None
    broker_user_id: int


@dataclass(frozen=True, kw_only=True)
class ProposalLapsed(Event):
    """A proposal ended without all the answers; the sides that gave none are named."""

    proposal_id: int
    title: str
    need_title: str
    valid_to: date
    seller_organisation_id: int | None
    buyer_organisation_id: int | None
    broker_user_id: int


@dataclass(frozen=True, kw_only=True)
class ProposalAnswered(Event):
    """A side answered a proposal; ``answer`` and ``side`` are words by value."""

    proposal_id: int
    title: str
    answer: str
    words: str
    side: str
    broker_user_id: int
