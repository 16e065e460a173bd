"""The tables of service orders, their progress, voucher accounts, meetings and sign-ups."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.accounts.rules import District
from marketplace.foundation.db import Base, Id, Json
from marketplace.foundation.money import Fen
from marketplace.techservices.rules import MeetingKind, OrderState, ServiceKind, VoucherKind


class Order(Base):
    """One order of a service; ``details`` hold what its line asks for."""

    __tablename__ = "techservices_orders"
    __table_args__ = (
        CheckConstraint("voucher_fen >= 0", name="voucher"),
        CheckConstraint("fee_fen IS NULL OR fee_fen >= voucher_fen", name="fee_covers_voucher"),
        CheckConstraint("customer_organisation_id <> provider_organisation_id", name="two_sides"),
        CheckConstraint("(state = 'confirmed') = (confirmed_at IS NOT NULL)", name="confirmed"),
        Index("ix_techservices_customer", "customer_organisation_id", "requested_at"),
        Index("ix_techservices_provider", "provider_organisation_id", "requested_at"),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(default=1)
    kind: Mapped[ServiceKind]
    state: Mapped[OrderState]
    title: Mapped[str]
    wishes: Mapped[str]
    details: Mapped[Json]
    customer_organisation_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    customer_user_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    provider_organisation_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    achievement_id: Mapped[int | None] = mapped_column(ForeignKey("achievements_achievements.id"))
    requested_at: Mapped[datetime]
    answer_by: Mapped[date]
    voucher_wanted: Mapped[bool]
    fee_fen: Mapped[Fen | None]
    voucher_fen: Mapped[Fen] = mapped_column(default=Fen(0))
    due_on: Mapped[date | None]
    accepted_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")
    result: Mapped[str] = mapped_column(default="")
    delivered_at: Mapped[datetime | None]
    paid_fen: Mapped[Fen | None]
    confirmed_at: Mapped[datetime | None]


class Progress(Base):
    """One step of an order, told by its provider."""

    __tablename__ = "techservices_progress"

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("techservices_orders.id"), index=True)
    note: Mapped[str]
    noted_at: Mapped[datetime]
    noted_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))


class VoucherYear(Base):
    """What an organisation has used of a voucher in a year, reserved amounts included."""

    __tablename__ = "techservices_voucher_years"
    __table_args__ = (CheckConstraint("used_fen >= 0", name="used"),)

    kind: Mapped[VoucherKind] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("accounts_organisations.id"), primary_key=True
    )
    year: Mapped[int] = mapped_column(primary_key=True)
    used_fen: Mapped[Fen]


class Meeting(Base):
    """A matchmaking meeting, a roadshow, a training."""

    __tablename__ = "techservices_meetings"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="order"),
        CheckConstraint("capacity > 0", name="capacity"),
        Index("ix_techservices_meetings_start", "starts_at"),
    )

    id: Mapped[Id]
    kind: Mapped[MeetingKind]
    title: Mapped[str]
    body: Mapped[str]
    organiser_organisation_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    place: Mapped[str]
    district: Mapped[District | None]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    capacity: Mapped[int]
    vouchers: Mapped[bool]
    announced_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    cancelled_reason: Mapped[str] = mapped_column(default="")


class SignUp(Base):
    """One person's place at a meeting; ``code`` is what is shown at the door."""

    __tablename__ = "techservices_sign_ups"
    __table_args__ = (
        UniqueConstraint("meeting_id", "user_id"),
        UniqueConstraint("meeting_id", "code"),
    )

    id: Mapped[Id]
    meeting_id: Mapped[int] = mapped_column(ForeignKey("techservices_meetings.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_organisations.id"))
    code: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    signed_up_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    checked_in_at: Mapped[datetime | None]
    voucher_fen: Mapped[Fen] = mapped_column(default=Fen(0))
