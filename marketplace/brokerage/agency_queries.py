"""What an agency did in a year, as brokerage knows it, for the yearly review."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.brokerage.feedback_models import Enquiry
from marketplace.brokerage.feedback_rules import median
from marketplace.brokerage.introduction_models import Dispute, Recognition
from marketplace.brokerage.introduction_rules import DisputeState, RecognitionState
from marketplace.brokerage.models import Broker, Deal, Filing, Introduction
from marketplace.brokerage.rating_models import Rating
from marketplace.brokerage.rating_rules import LEAST_RATINGS, tenths
from marketplace.brokerage.register_rules import FilingStatus
from marketplace.foundation.clock import local_midnight


@dataclass(frozen=True)
class AgencyYear:
    """An agency's year: recognised contracts, lost disputes, brokers with a certificate, answers.

    ``answer_tenths`` and ``rating_tenths`` are None where there is too little to tell.
    """

    recognised: tuple[tuple[int, str], ...]
    rejected: tuple[tuple[int, str], ...]
    certified: tuple[tuple[int, str], ...]
    answer_tenths: int | None
    rating_tenths: int | None


def _within(year: int) -> tuple[datetime, datetime]:
    return local_midnight(date(year, 1, 1)), local_midnight(date(year + 1, 1, 1))


def filed_in(session: Session, year: int) -> list[int]:
    """List the agencies whose filing was valid on a day of a year, by id."""
    return list(
        session.scalars(
            select(Filing.organisation_id)
            .where(
                Filing.status == FilingStatus.APPROVED,
                Filing.valid_from <= date(year, 12, 31),
                Filing.valid_to >= date(year, 1, 1),
            )
            .distinct()
            .order_by(Filing.organisation_id)
        )
    )


def agency_year(session: Session, organisation_id: int, year: int) -> AgencyYear:
    """Read what an agency did in a year. Certificates are those of today's register."""
    begin, end = _within(year)
    recognised = session.execute(
        select(Recognition.contract_id, Recognition.contract_no, Recognition.project_name)
        .join(Introduction, Introduction.id == Recognition.introduction_id)
        .where(
            Introduction.agency_organisation_id == organisation_id,
            Recognition.state == RecognitionState.RECOGNISED,
            Recognition.recognised_at >= begin,
            Recognition.recognised_at < end,
        )
        .order_by(Recognition.contract_id)
    ).all()
    rejected = session.execute(
        select(Dispute.id, Introduction.subject_title)
        .join(Introduction, Introduction.id == Dispute.introduction_id)
        .where(
            Introduction.agency_organisation_id == organisation_id,
            Dispute.state == DisputeState.REJECTED,
            Dispute.decided_at >= begin,
            Dispute.decided_at < end,
        )
        .order_by(Dispute.id)
    ).all()
    certified = session.execute(
        select(Broker.user_id, Broker.name, Broker.certificate_no)
        .where(
            Broker.organisation_id == organisation_id,
            Broker.level.is_not(None),
            Broker.confirmed_at < end,
            or_(
                Broker.certificate_valid_to.is_(None),
                Broker.certificate_valid_to >= date(year, 12, 31),
            ),
        )
        .order_by(Broker.user_id)
    ).all()
    answers = session.scalars(
        select(Enquiry.answer_workdays).where(
            Enquiry.organisation_id == organisation_id,
            Enquiry.asked_at >= begin,
            Enquiry.asked_at < end,
            Enquiry.answer_workdays.is_not(None),
        )
    ).all()
    middle = median([days for days in answers if days is not None])
    # One contract may be the fruit of two introductions: it counts once.
    return AgencyYear(
        tuple({c: f"{no} {name}" for c, no, name in recognised}.items()),
        tuple((number, title) for number, title in rejected),
        tuple((user_id, f"{name} {number}") for user_id, name, number in certified),
        None if middle is None else int(middle * 10),
        _rating(session, organisation_id, begin, end),
    )


def _rating(session: Session, organisation_id: int, begin: datetime, end: datetime) -> int | None:
    rows = session.execute(
        select(Rating.response, Rating.skill, Rating.trust)
        .join(Deal, Deal.id == Rating.deal_id)
        .where(
            Deal.agency_organisation_id == organisation_id,
            Rating.struck_at.is_(None),
            Rating.rated_at >= begin,
            Rating.rated_at < end,
        )
    ).all()
    if len(rows) < LEAST_RATINGS:
        return None
    return tenths([score for row in rows for score in row])
