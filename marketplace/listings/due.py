"""What time brings about in the trading hall: terms that end, sessions that open and close."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from marketplace.foundation.due import DueTask
from marketplace.listings import service
from marketplace.listings.bidding_models import BiddingSession
from marketplace.listings.models import Listing
from marketplace.listings.rules import ListingState

_STANDING = BiddingSession.voided_at.is_(None)


def _earliest(
    session: Session,
    moment: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
    now: datetime,
    *conditions: ColumnElement[bool],
) -> datetime | None:
    return session.scalar(select(func.min(moment)).where(moment > now, *conditions))


def _next_announcement(session: Session, now: datetime) -> datetime | None:
    return _earliest(
        session,
        Listing.announcement_closes_at,
        now,
        Listing.state == ListingState.ANNOUNCED,
    )


def _next_qualification(session: Session, now: datetime) -> datetime | None:
    return _earliest(
        session,
        Listing.qualification_closes_at,
        now,
        Listing.state == ListingState.QUALIFYING,
    )


def _next_opening(session: Session, now: datetime) -> datetime | None:
    return _earliest(
        session, BiddingSession.starts_at, now, BiddingSession.opened_at.is_(None), _STANDING
    )


def _next_closing(session: Session, now: datetime) -> datetime | None:
    return _earliest(
        session, BiddingSession.closes_at, now, BiddingSession.closed_at.is_(None), _STANDING
    )


TASKS = [
    DueTask(
        name="listings.end_announcements",
        next_due=_next_announcement,
        run=lambda session, now: service.end_announcements(session, now=now),
    ),
    DueTask(
        name="listings.end_qualifications",
        next_due=_next_qualification,
        run=lambda session, now: service.end_qualifications(session, now=now),
    ),
    DueTask(
        name="listings.open_sessions",
        next_due=_next_opening,
        run=lambda session, now: service.open_sessions(session, now=now),
    ),
    DueTask(
        name="listings.close_sessions",
        next_due=_next_closing,
        run=lambda session, now: service.close_sessions(session, now=now),
    ),
]
