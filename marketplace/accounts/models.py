"""Tables of organisations, users, memberships and joining links; see ``sign_in_models`` too."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.accounts.rules import District, OrganisationKind, OrganisationState, Scale
from marketplace.foundation.access import Role
from marketplace.foundation.db import Base, Id, Json


class Organisation(Base):
    """A legal person on the platform."""

    __tablename__ = "accounts_organisations"
    __table_args__ = (
        CheckConstraint("length(uscc) = 18", name="uscc_length"),
        Index("ix_accounts_organisations_kind", "kind", "state"),
    )

    id: Mapped[Id]
    uscc: Mapped[str] = mapped_column(String(18), unique=True)
    name: Mapped[str]
    short_name: Mapped[str]
    kind: Mapped[OrganisationKind]
    subkinds: Mapped[Json] = mapped_column(default=list)
    district: Mapped[District | None]
    region_code: Mapped[str] = mapped_column(String(6))
    industry: Mapped[str] = mapped_column(default="")
    scale: Mapped[Scale | None]
    high_tech: Mapped[bool] = mapped_column(default=False)
    address: Mapped[str] = mapped_column(default="")
    representative: Mapped[str] = mapped_column(default="")
    # Who acts for it towards the platform, by the letter of authorisation.
    authorised_user_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    contact_name: Mapped[str] = mapped_column(default="")
    contact_phone: Mapped[str] = mapped_column(default="")
    contact_email: Mapped[str] = mapped_column(default="")
    introduction: Mapped[str] = mapped_column(default="")
    state: Mapped[OrganisationState]
    state_reason: Mapped[str] = mapped_column(default="")
    registered_at: Mapped[datetime]
    verified_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class User(Base):
    """A person who can sign in."""

    __tablename__ = "accounts_users"

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    password_hash: Mapped[str]
    password_changed_at: Mapped[datetime]
    disabled: Mapped[bool] = mapped_column(default=False)
    disabled_reason: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    # The person asked for it: name and addresses are gone, what the law keeps stays by number.
    erased_at: Mapped[datetime | None]


class Membership(Base):
    """One role that a person holds for an organisation."""

    __tablename__ = "accounts_memberships"
    __table_args__ = (
        UniqueConstraint("organisation_id", "user_id", "role"),
        Index("ix_accounts_memberships_user", "user_id"),
    )

    id: Mapped[Id]
    organisation_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"))
    role: Mapped[Role]


class JoiningLink(Base):
    """A single-use link: the first operator's set-up, or an invitation to an organisation."""

    __tablename__ = "accounts_joining_links"

    id: Mapped[Id]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_organisations.id"))
    email: Mapped[str] = mapped_column(default="")
    roles: Mapped[Json] = mapped_column(default=list)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Handover(Base):
    """Somebody's open work that went to a colleague, when leaving or being away."""

    __tablename__ = "accounts_handovers"
    __table_args__ = (
        CheckConstraint("giver_id <> taker_id", name="two_people"),
        Index("ix_accounts_handovers_organisation", "organisation_id", "handed_at"),
    )

    id: Mapped[Id]
    organisation_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    giver_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"))
    taker_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"))
    handed_at: Mapped[datetime]
    handed_by_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"))
    # What went over, by the words of the slices: {"交易": 3, "成果草稿": 1}.
    counts: Mapped[Json] = mapped_column(default=dict)
