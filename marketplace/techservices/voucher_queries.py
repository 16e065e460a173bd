"""Vouchers that were used and can be redeemed by who took them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation.clock import local_date, local_midnight
from marketplace.foundation.money import Fen
from marketplace.techservices.models import Meeting, Order, SignUp
from marketplace.techservices.rules import OrderState


@dataclass(frozen=True)
class UsedInstrumentVoucher:
    """An order confirmed in the year whose fee an instrument voucher paid a part of."""

    order_id: int
    number: str
    title: str
    confirmed_on: date
    fee_fen: Fen
    voucher_fen: Fen
    customer_organisation_id: int
    customer_name: str


@dataclass(frozen=True)
class UsedEventVouchers:
    """A meeting of the year at which people came on event vouchers."""

    meeting_id: int
    title: str
    held_on: date
    head_count: int
    voucher_fen: Fen


def _year(year: int) -> tuple[datetime, datetime]:
    return local_midnight(date(year, 1, 1)), local_midnight(date(year + 1, 1, 1))


def used_instrument_vouchers(
    session: Session, provider_organisation_id: int, year: int
) -> list[UsedInstrumentVoucher]:
    """List the vouchers a provider took in the orders confirmed in a year, oldest first.

    The fee is the whole one: what the customer paid and the voucher.
    """
    since, until = _year(year)
    rows = list(
        session.scalars(
            select(Order)
            .where(
                Order.provider_organisation_id == provider_organisation_id,
                Order.state == OrderState.CONFIRMED,
                Order.confirmed_at >= since,
                Order.confirmed_at < until,
                Order.voucher_fen > 0,
            )
            .order_by(Order.confirmed_at, Order.id)
        )
    )
    names = accounts.get_organisations(session, (row.customer_organisation_id for row in rows))
    return [
        UsedInstrumentVoucher(
            order_id=row.id,
            number=row.number,
            title=row.title,
            confirmed_on=_day(row.confirmed_at),
            fee_fen=Fen((row.paid_fen or 0) + row.voucher_fen),
            voucher_fen=row.voucher_fen,
            customer_organisation_id=row.customer_organisation_id,
            customer_name=names[row.customer_organisation_id].name,
        )
        for row in rows
    ]


def used_event_vouchers(
    session: Session, organiser_organisation_id: int, year: int, *, now: datetime
) -> list[UsedEventVouchers]:
    """List the meetings of a year that are over and at which vouchers were used, oldest first."""
    since, until = _year(year)
    rows = session.execute(
        select(Meeting, func.count(), func.sum(SignUp.voucher_fen))
        .join(SignUp, SignUp.meeting_id == Meeting.id)
        .where(
            Meeting.organiser_organisation_id == organiser_organisation_id,
            Meeting.starts_at >= since,
            Meeting.starts_at < until,
            Meeting.ends_at <= now,
            SignUp.voucher_fen > 0,
        )
        .group_by(Meeting.id)
        .order_by(Meeting.starts_at, Meeting.id)
    )
    return [
        UsedEventVouchers(
            meeting_id=meeting.id,
            title=meeting.title,
            held_on=local_date(meeting.starts_at),
            head_count=count,
            voucher_fen=Fen(int(total)),
        )
        for meeting, count, total in rows
    ]


def _day(moment: datetime | None) -> date:
    assert moment is not None
    return local_date(moment)
