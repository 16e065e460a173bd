"""Reads of the brokers' register, of requests to brokers, and of agencies' filings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.brokerage.models import Broker, ContactRequest, Deal, Filing
from marketplace.brokerage.register_rules import (
    BrokeredContract,
    BrokerLevel,
    FilingStatus,
    RequestStatus,
    expired,
)
from marketplace.brokerage.rules import CLOSED, DealStage
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TechnologyField
from marketplace.needs import queries as needs


@dataclass(frozen=True)
class BrokerView:
    """A broker as the public register shows him."""

    user_id: int
    version: int
    name: str
    organisation_id: int | None
    agency_name: str
    level: BrokerLevel | None
    certificate_no: str
    certificate_issuer: str
    certificate_valid_to: date | None
    confirmed_at: datetime | None
    fields: tuple[TechnologyField, ...]
    introduction: str
    listed: bool
    registered_count: int
    open_count: int
    registered_fen: Fen

    def expired_on(self, day: date) -> bool:
        """Tell whether the confirmed certificate has run out by a day."""
        return self.confirmed_at is not None and expired(self.certificate_valid_to, today=day)


@dataclass(frozen=True, kw_only=True)
class BrokerFilter:
    """What the register is narrowed to; empty means everybody."""

    field: TechnologyField | None = None
    level: BrokerLevel | None = None
    text: str = ""


def list_brokers(
    session: Session, *, chosen: BrokerFilter, after: str | None = None, size: int = 20
) -> Page[BrokerView]:
    """Read one page of the public register, by name."""
    statement = select(Broker).where(Broker.listed.is_(True))
    if chosen.level is not None:
        statement = statement.where(Broker.level == chosen.level, Broker.confirmed_at.is_not(None))
    if chosen.field is not None:
        statement = statement.where(cast(Broker.fields, String).contains(f'"{chosen.field.value}"'))
    if chosen.text:
        statement = statement.where(
            Broker.name.icontains(chosen.text, autoescape=True)
            | Broker.introduction.icontains(chosen.text, autoescape=True)
        )
    page = paginate(
        session,
        statement,
        keys=[Broker.name.asc(), Broker.user_id.asc()],
        after=after,
        size=size,
    )
    return Page(_brokers(session, page.items), page.next_token)


def _brokers(session: Session, rows: list[Broker]) -> list[BrokerView]:
    organisations = accounts.get_organisations(
        session, [row.organisation_id for row in rows if row.organisation_id is not None]
    )
    ids = [row.user_id for row in rows]
    counted = session.execute(
        select(
            Deal.broker_user_id,
            Deal.stage,
            func.count(),
            func.coalesce(func.sum(Deal.amount_fen), 0),
        )
        .where(Deal.broker_user_id.in_(ids))
        .group_by(Deal.broker_user_id, Deal.stage)
    ).all()
    done: dict[int, tuple[int, int, int]] = {}
    for user_id, stage, count, amount in counted:
        registered, running, brokered = done.get(user_id or 0, (0, 0, 0))
        if stage in (DealStage.REGISTERED, DealStage.PAID):
            registered, brokered = registered + count, brokered + int(amount or 0)
        elif stage not in CLOSED:
            running += count
        done[user_id or 0] = (registered, running, brokered)

    def view(row: Broker) -> BrokerView:
        organisation = organisations.get(row.organisation_id or 0)
        registered, running, brokered = done.get(row.user_id, (0, 0, 0))
        return BrokerView(
            row.user_id,
            row.version,
            row.name,
            row.organisation_id,
            organisation.name if organisation else "",
            row.level,
            row.certificate_no,
            row.certificate_issuer,
            row.certificate_valid_to,
            row.confirmed_at,
            tuple(TechnologyField(code) for code in row.fields),
            row.introduction,
            row.listed,
            registered,
            running,
            Fen(brokered),
        )

    return [view(row) for row in rows]


def find_broker(session: Session, user_id: int | None) -> BrokerView | None:
    """Return a broker's entry, or None when he has not written one."""
    row = session.get(Broker, user_id) if user_id is not None else None
    return None if row is None else _brokers(session, [row])[0]


def get_broker(session: Session, user_id: int) -> BrokerView:
    """Return a listed broker or raise ``NotFound``."""
    view = find_broker(session, user_id)
    if view is None or not view.listed:
        raise NotFound()
    return view


def broker_choices(session: Session, actor: Actor, *, limit: int = 500) -> list[tuple[str, str]]:
    """List the public register's brokers as (user id, name with agency), the actor first."""
    rows = session.scalars(
        select(Broker)
        .where(Broker.listed.is_(True), Broker.user_id != (actor.user_id or 0))
        .order_by(Broker.name, Broker.user_id)
        .limit(limit)
    ).all()
    homes = accounts.get_organisations(
        session, {row.organisation_id for row in rows if row.organisation_id is not None}
    )
    named = [(row, homes.get(row.organisation_id or 0)) for row in rows]
    return [
        (str(actor.user_id), f"{actor.name}（您自己）"),
        *(
            (str(row.user_id), f"{row.name}（{home.short_name}）" if home else row.name)
            for row, home in named
        ),
    ]


def unconfirmed_brokers(session: Session) -> list[BrokerView]:
    """List the brokers whose certificate the operator has not seen yet, the oldest first."""
    rows = session.scalars(
        select(Broker)
        .where(Broker.level.is_not(None), Broker.confirmed_at.is_(None))
        .order_by(Broker.updated_at)
        .limit(100)
    ).all()
    return _brokers(session, list(rows))


def brokers_by_certificate(session: Session, numbers: Collection[str]) -> dict[str, str]:
    """Return the names of the brokers whose certificate the operator has confirmed, by number."""
    rows = session.execute(
        select(Broker.certificate_no, Broker.name).where(
            Broker.certificate_no.in_(numbers), Broker.confirmed_at.is_not(None)
        )
    )
    return {number: name for number, name in rows}  # noqa: C416 -- a row is no pair for mypy


def count_brokers(session: Session) -> int:
    """Count the brokers in the register."""
    return session.scalar(select(func.count()).select_from(Broker)) or 0


@dataclass(frozen=True)
class RequestView:
    """A request to a broker with what it is about."""

    id: int
    broker_user_id: int
    broker_name: str
    organisation_id: int
    organisation_name: str
    contact_name: str
    # Whole: the page masks it until a reason is given.
    phone: str
    achievement_id: int | None
    need_id: int | None
    about: str
    message: str
    status: RequestStatus
    requested_at: datetime
    answer: str
    answered_at: datetime | None
    deal_id: int | None


def _requests(session: Session, rows: list[ContactRequest]) -> list[RequestView]:
    organisations = accounts.get_organisations(session, [row.organisation_id for row in rows])
    users = accounts.get_users(session, [row.broker_user_id for row in rows])
    titles = achievements.rows_of(
        session, [row.achievement_id for row in rows if row.achievement_id is not None]
    )

    def about(row: ContactRequest) -> str:
        if row.achievement_id is not None:
            return f"成果“{titles[row.achievement_id].title}”"
        if row.need_id is not None:
            return f"需求“{needs.get_internal(session, row.need_id).title}”"
        return ""

    return [
        RequestView(
            row.id,
            row.broker_user_id,
            users[row.broker_user_id].name,
            row.organisation_id,
            organisations[row.organisation_id].name,
            row.contact_name,
            row.phone,
            row.achievement_id,
            row.need_id,
            about(row),
            row.message,
            row.status,
            row.requested_at,
            row.answer,
            row.answered_at,
            row.deal_id,
        )
        for row in rows
    ]


def requests_for(session: Session, actor: Actor) -> list[RequestView]:
    """List the requests that the actor received as a broker or sent for his organisation."""
    statement = select(ContactRequest).order_by(
        ContactRequest.answered_at.is_not(None), ContactRequest.id.desc()
    )
    if actor.has(Role.BROKER):
        statement = statement.where(ContactRequest.broker_user_id == actor.user_id)
    else:
        statement = statement.where(ContactRequest.organisation_id == (actor.organisation_id or 0))
    return _requests(session, list(session.scalars(statement.limit(100))))


def get_request(session: Session, actor: Actor, request_id: int) -> RequestView:
    """Return one request to the broker it went to; everybody else gets ``NotFound``."""
    row = session.get(ContactRequest, request_id)
    if row is None or not actor.has(Role.BROKER) or row.broker_user_id != actor.user_id:
        raise NotFound()
    return _requests(session, [row])[0]


def broker_was_asked(session: Session, need_id: int, broker_user_id: int | None) -> bool:
    """Tell whether a need's owner has asked this broker about it, so that he knows the name."""
    found = session.scalar(
        select(ContactRequest.id)
        .where(
            ContactRequest.need_id == need_id,
            ContactRequest.broker_user_id == broker_user_id,
            ContactRequest.status == RequestStatus.ACCEPTED,
        )
        .limit(1)
    )
    return found is not None


@dataclass(frozen=True)
class ContractBook:
    """How the register of contracts, which lies downstream, is read by number; wired once."""

    find: Callable[[Session, Collection[str]], Mapping[str, BrokeredContract]]


@dataclass(frozen=True)
class FilingView:
    """A filing with its figures and validity."""

    id: int
    organisation_id: int
    organisation_name: str
    internal: bool
    figures_year: int
    service_income_fen: Fen
    brokered_fen: Fen
    conversion_count: int
    statement: str
    status: FilingStatus
    applied_at: datetime
    decided_at: datetime | None
    reason: str
    valid_from: date | None
    valid_to: date | None
    contract_nos: tuple[str, ...]
    ended_on: date | None


def _filings(session: Session, rows: list[Filing]) -> list[FilingView]:
    names = accounts.get_organisations(session, [row.organisation_id for row in rows])
    return [
        FilingView(
            row.id,
            row.organisation_id,
            names[row.organisation_id].name,
            row.internal,
            row.figures_year,
            row.service_income_fen,
            row.brokered_fen,
            row.conversion_count,
            row.statement,
            row.status,
            row.applied_at,
            row.decided_at,
            row.reason,
            row.valid_from,
            row.valid_to,
            tuple(row.contract_nos),
            row.ended_on,
        )
        for row in rows
    ]


def agency_filing_on(session: Session, organisation_id: int, on: date) -> FilingView | None:
    """Return the filing of an agency that is valid on a day, both ends included, or None."""
    rows = session.scalars(
        select(Filing)
        .where(
            Filing.organisation_id == organisation_id,
            Filing.status == FilingStatus.APPROVED,
            Filing.valid_from <= on,
            Filing.valid_to >= on,
        )
        .order_by(Filing.valid_to.desc())
        .limit(1)
    ).all()
    return next(iter(_filings(session, list(rows))), None)


def filings_of(session: Session, organisation_id: int) -> list[FilingView]:
    """List an organisation's filings, the newest first."""
    rows = session.scalars(
        select(Filing).where(Filing.organisation_id == organisation_id).order_by(Filing.id.desc())
    )
    return _filings(session, list(rows))


def approved_terms(session: Session) -> dict[int, list[tuple[date | None, date | None]]]:
    """Return the terms of all approved filings by organisation, for sums over everybody."""
    terms: dict[int, list[tuple[date | None, date | None]]] = {}
    rows = session.execute(
        select(Filing.organisation_id, Filing.valid_from, Filing.valid_to)
        .where(Filing.status == FilingStatus.APPROVED)
        .order_by(Filing.id.desc())
    )
    for organisation_id, valid_from, valid_to in rows:
        terms.setdefault(organisation_id, []).append((valid_from, valid_to))
    return terms


def list_filings(session: Session, *, status: FilingStatus | None) -> list[FilingView]:
    """List filings for the operator, the oldest application first."""
    statement = select(Filing).order_by(Filing.applied_at).limit(200)
    if status is not None:
        statement = statement.where(Filing.status == status)
    return _filings(session, list(session.scalars(statement)))


def get_filing(session: Session, filing_id: int) -> FilingView:
    """Return one filing or raise ``NotFound``; the caller has checked who asks."""
    row = session.get(Filing, filing_id)
    if row is None:
        raise NotFound()
    return _filings(session, [row])[0]
