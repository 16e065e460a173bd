"""Reads of service orders: one, the customer's and the provider's lists, what waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.queries import OrganisationView
from marketplace.achievements import queries as achievements
from marketplace.achievements.ip_rules import number_key
from marketplace.foundation.access import SYSTEM, Actor, Role, permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen
from marketplace.foundation.parameters import value_on
from marketplace.foundation.waiting import WaitingItem
from marketplace.techservices import ip_rules, line_rules, rules
from marketplace.techservices.ip_rules import AnnualFee, IPDetails
from marketplace.techservices.line_rules import LINES, Details, line_of
from marketplace.techservices.models import Order, Progress, VoucherYear
from marketplace.techservices.rules import (
    OPEN_STATES,
    OrderState,
    ServiceKind,
    ServiceLine,
    VoucherKind,
)


@dataclass(frozen=True)
class OrderRow:
    """One line of a list of orders."""

    id: int
    number: str
    kind: ServiceKind
    state: OrderState
    title: str
    customer_organisation_id: int
    customer_name: str
    provider_organisation_id: int
    provider_name: str
    requested_at: datetime
    answer_by: date
    fee_fen: Fen | None
    voucher_fen: Fen
    due_on: date | None

    @property
    def line(self) -> ServiceLine:
        """Return the line of service."""
        return line_of(self.kind).line


@dataclass(frozen=True)
class StepView:
    """One step told by the provider."""

    note: str
    noted_at: datetime
    noted_by: str


@dataclass(frozen=True)
class OrderView:
    """An order in full, for its two sides and the operator."""

    row: OrderRow
    version: int
    wishes: str
    facts: tuple[tuple[str, str], ...]
    achievement_id: int | None
    voucher_wanted: bool
    accepted_at: datetime | None
    reason: str
    result: str
    delivered_at: datetime | None
    paid_fen: Fen | None
    confirmed_at: datetime | None
    steps: tuple[StepView, ...]
    is_customer: bool
    is_provider: bool

    @property
    def id(self) -> int:
        """Return the order's id."""
        return self.row.id

    @property
    def own_share_fen(self) -> Fen | None:
        """Return what the customer itself is to pay: the fee less the voucher."""
        if self.row.fee_fen is None:
            return None
        return Fen(self.row.fee_fen - self.row.voucher_fen)


def get_for(session: Session, actor: Actor, order_id: int) -> OrderView:
    """Return one order to its customer, its provider or the operator, else ``NotFound``."""
    row = session.get(Order, order_id)
    if row is None or not _may_see(actor, row):
        raise NotFound()
    steps = session.scalars(
        select(Progress).where(Progress.order_id == row.id).order_by(Progress.id)
    ).all()
    people = accounts.get_users(session, (s.noted_by_id for s in steps if s.noted_by_id))
    return OrderView(
        row=_rows(session, [row])[0],
        version=row.version,
        wishes=row.wishes,
        facts=tuple(line_rules.facts(details_of(row))),
        achievement_id=row.achievement_id,
        voucher_wanted=row.voucher_wanted,
        accepted_at=row.accepted_at,
        reason=row.reason,
        result=row.result,
        delivered_at=row.delivered_at,
        paid_fen=row.paid_fen,
        confirmed_at=row.confirmed_at,
        steps=tuple(
            StepView(s.note, s.noted_at, people[s.noted_by_id].name if s.noted_by_id else "")
            for s in steps
        ),
        is_customer=row.customer_organisation_id == actor.organisation_id,
        is_provider=row.provider_organisation_id == actor.organisation_id,
    )


def details_of(row: Order) -> Details:
    """Read an order's details as its line defines them."""
    made: Details = TypeAdapter(line_of(row.kind).details).validate_python(row.details)
    return made


def list_for(
    session: Session,
    actor: Actor,
    *,
    serving: bool,
    open_only: bool = True,
    after: str | None = None,
    size: int = 20,
) -> Page[OrderRow]:
    """Read one page of the orders the actor's organisation placed, or is to serve."""
    side = Order.provider_organisation_id if serving else Order.customer_organisation_id
    statement = select(Order)
    if not (actor is SYSTEM or actor.has(Role.OPERATOR)):
        statement = statement.where(side == actor.organisation_id)
    states = OPEN_STATES if open_only else tuple(s for s in OrderState if s not in OPEN_STATES)
    page = paginate(
        session,
        statement.where(Order.state.in_(states)),
        keys=[Order.requested_at.desc(), Order.id.desc()],
        after=after,
        size=size,
    )
    rows = {row.id: row for row in _rows(session, page.items)}
    return page.map(lambda row: rows[row.id])


def providers(session: Session, line: ServiceLine) -> list[OrganisationView]:
    """List the institutions that provide a line of service, by name."""
    spec = LINES[line]
    subkinds = [] if spec.provider_subkind is None else [spec.provider_subkind]
    return accounts.list_organisations(session, kinds=spec.provider_kinds, subkinds=subkinds)


def provider_counts(session: Session) -> dict[int, tuple[int, int]]:
    """Count confirmed and open orders of every provider."""
    rows = session.execute(
        select(
            Order.provider_organisation_id,
            func.count().filter(Order.state == OrderState.CONFIRMED),
            func.count().filter(Order.state.in_(OPEN_STATES)),
        ).group_by(Order.provider_organisation_id)
    )
    return {key: (done, running) for key, done, running in rows}


def line_counts(session: Session) -> dict[ServiceLine, tuple[int, int]]:
    """Count providers and confirmed orders of every line."""
    done = dict(
        session.execute(
            select(Order.kind, func.count())
            .where(Order.state == OrderState.CONFIRMED)
            .group_by(Order.kind)
        ).all()
    )
    return {
        line: (
            len(providers(session, line)),
            sum(count for kind, count in done.items() if kind in spec.kinds),
        )
        for line, spec in LINES.items()
    }


def fees_due(session: Session, organisation_id: int, *, today: date) -> list[AnnualFee]:
    """List an organisation's patents whose annual fee comes due soon and is not ordered yet."""
    orders = session.scalars(
        select(Order).where(
            Order.customer_organisation_id == organisation_id,
            Order.kind == ServiceKind.ANNUAL_FEE,
            Order.state.not_in((OrderState.DECLINED, OrderState.WITHDRAWN)),
        )
    )
    ordered = {
        (number_key(details.right_number), details.deadline_on)
        for details in map(details_of, orders)
        if isinstance(details, IPDetails) and details.deadline_on is not None
    }
    return ip_rules.fees_due(
        achievements.patents_of(session, organisation_id),
        ordered,
        today=today,
        within_days=value_on("annual_fee_notice_days", today),
    )


def voucher_used(session: Session, kind: VoucherKind, organisation_id: int, year: int) -> Fen:
    """Return what an organisation has used of a voucher in a year."""
    row = session.get(VoucherYear, (kind, organisation_id, year))
    return Fen(0) if row is None else row.used_fen


def waiting(session: Session, actor: Actor, *, now: datetime) -> list[WaitingItem]:
    """List what waits for the actor: answering, going on, confirming."""
    if not permits(actor, rules.SEE_ORDERS) or not actor.verified:
        return []
    rows = session.scalars(
        select(Order)
        .where(_mine(actor), Order.state.in_(OPEN_STATES))
        .order_by(Order.requested_at)
        .limit(60)
    )
    found = (_waiting_item(actor, row) for row in rows)
    items = [item for item in found if item is not None]
    if permits(actor, rules.ORDER) and actor.organisation_id is not None:
        items += _fee_items(session, actor.organisation_id, local_date(now))
    return items


def _fee_items(session: Session, organisation_id: int, today: date) -> list[WaitingItem]:
    fees = fees_due(session, organisation_id, today=today)
    if not fees:
        return []
    return [
        WaitingItem(
            f"缴纳年费：{len(fees)} 项专利",
            f"最早的是“{fees[0].right.title}”；逾期会失效，失效的专利不能挂牌",
            "techservices.fees",
            act="看清单",
            due_on=fees[0].due_on,
        )
    ]


def _waiting_item(actor: Actor, row: Order) -> WaitingItem | None:
    def item(
        what: str, why: str, act: str, due_on: date | None, *, workdays: bool = False
    ) -> WaitingItem:
        params = {"order_id": row.id}
        return WaitingItem(
            f"{what}：{row.title}", why, "techservices.order", params, act, due_on, workdays
        )

    serves = row.provider_organisation_id == actor.organisation_id and permits(actor, rules.SERVE)
    if serves and row.state is OrderState.REQUESTED:
        why = f"{row.kind.label}，{row.number}"
        return item("答复委托", why, "接受或说明理由", row.answer_by, workdays=True)
    if serves and row.state in (OrderState.ACCEPTED, OrderState.IN_PROGRESS):
        return item("办理委托", f"{row.kind.label}，{row.number}", "报告进展", row.due_on)
    orders = row.customer_organisation_id == actor.organisation_id and permits(actor, rules.ORDER)
    if orders and row.state is OrderState.DELIVERED:
        return item("确认结果", f"{row.kind.label}，服务机构已完成", "查看并确认", None)
    return None


def _may_see(actor: Actor, row: Order) -> bool:
    if actor is SYSTEM or actor.has(Role.OPERATOR):
        return True
    return actor.organisation_id in (row.customer_organisation_id, row.provider_organisation_id)


def _mine(actor: Actor) -> ColumnElement[bool]:
    return or_(
        Order.customer_organisation_id == actor.organisation_id,
        Order.provider_organisation_id == actor.organisation_id,
    )


def _rows(session: Session, orders: Sequence[Order]) -> list[OrderRow]:
    ids = {o.customer_organisation_id for o in orders}
    ids |= {o.provider_organisation_id for o in orders}
    names = accounts.get_organisations(session, ids)
    return [
        OrderRow(
            id=row.id,
            number=row.number,
            kind=row.kind,
            state=row.state,
            title=row.title,
            customer_organisation_id=row.customer_organisation_id,
            customer_name=names[row.customer_organisation_id].name,
            provider_organisation_id=row.provider_organisation_id,
            provider_name=names[row.provider_organisation_id].name,
            requested_at=row.requested_at,
            answer_by=row.answer_by,
            fee_fen=row.fee_fen,
            voucher_fen=row.voucher_fen,
            due_on=row.due_on,
        )
        for row in orders
    ]
