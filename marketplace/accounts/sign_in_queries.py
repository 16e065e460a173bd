"""Reads of sessions, second factors and their resets, as frozen views."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from marketplace.accounts.models import User
from marketplace.accounts.sign_in_models import (
    ExternalIdentity,
    FactorReset,
    RecoveryCode,
    SecondFactor,
    UserSession,
)
from marketplace.accounts.sign_in_rules import device_name
from marketplace.accounts.tokens import Vault
from marketplace.foundation.errors import NotFound

ISSUER = "济南科技成果转化平台"


@dataclass(frozen=True)
class SessionView:
    """One open session, for the person to recognise and end."""

    id: int
    opened_at: datetime
    seen_at: datetime
    address: str
    device: str
    is_this: bool

    @property
    def device_name(self) -> str:
        """Return the device in words."""
        return device_name(self.device)


def open_sessions(session: Session, user_id: int, *, this_id: int | None) -> list[SessionView]:
    """List a person's sessions, the newest first."""
    rows = session.scalars(
        select(UserSession)
        .where(UserSession.user_id == user_id)
        .order_by(UserSession.seen_at.desc())
    )
    return [
        SessionView(row.id, row.opened_at, row.seen_at, row.address, row.device, row.id == this_id)
        for row in rows
    ]


@dataclass(frozen=True)
class SecondFactorView:
    """How a person's second factor stands."""

    confirmed_at: datetime | None
    codes_left: int

    @property
    def enrolled(self) -> bool:
        """Tell whether it is asked for at sign-in."""
        return self.confirmed_at is not None


def second_factor(session: Session, user_id: int) -> SecondFactorView:
    """Return how a person's second factor stands."""
    row = session.get(SecondFactor, user_id)
    left = session.scalar(
        select(func.count())
        .select_from(RecoveryCode)
        .where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    )
    return SecondFactorView(row.confirmed_at if row else None, left or 0)


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator app needs: the address behind the QR code, and the secret as text."""

    uri: str
    secret: str

    @property
    def groups(self) -> str:
        """Return the secret in groups of four, to be typed."""
        return " ".join(self.secret[i : i + 4] for i in range(0, len(self.secret), 4))


def enrolment(session: Session, user_id: int, *, vault: Vault) -> Enrolment | None:
    """Return the secret while it waits for its first code; None before and ever after."""
    row = session.get(SecondFactor, user_id)
    if row is None or not row.waiting_secret:
        return None
    secret = vault.open(row.waiting_secret, f"user:{user_id}")
    if secret is None:
        return None
    email = session.get_one(User, user_id).email
    uri = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)
    return Enrolment(uri, secret)


@dataclass(frozen=True)
class FactorResetView:
    """A reset that waits for its second person."""

    id: int
    user_id: int
    user_name: str
    email: str
    reason: str
    asked_at: datetime
    asked_by_id: int
    asked_by_name: str


def waiting_resets(session: Session) -> list[FactorResetView]:
    """List resets that wait for a second person, the longest wait first."""
    asker = aliased(User)
    rows = session.execute(
        select(FactorReset, User, asker.name)
        .join(User, User.id == FactorReset.user_id)
        .join(asker, asker.id == FactorReset.asked_by_id)
        .where(FactorReset.decided_at.is_(None))
        .order_by(FactorReset.asked_at, FactorReset.id)
    )
    return [
        FactorResetView(
            row.id, user.id, user.name, user.email, row.reason, row.asked_at, row.asked_by_id, name
        )
        for row, user, name in rows
    ]


def find_user_id(session: Session, email: str) -> int | None:
    """Return the id of the person with exactly this sign-in address, or None."""
    return session.scalar(select(User.id).where(User.email == email.strip().lower()))


@dataclass(frozen=True)
class PersonView:
    """A person as the operator's desk sees an account; no secrets."""

    id: int
    name: str
    email: str
    # Whole: the page masks it until a reason is given.
    phone: str
    disabled: bool
    disabled_reason: str
    second_factor: SecondFactorView


def get_person(session: Session, user_id: int) -> PersonView:
    """Return one person's account or raise ``NotFound``."""
    row = session.get(User, user_id)
    if row is None:
        raise NotFound()
    return PersonView(
        row.id,
        row.name,
        row.email,
        row.phone,
        row.disabled,
        row.disabled_reason,
        second_factor(session, user_id),
    )


@dataclass(frozen=True)
class ExternalIdentityView:
    """An account at an identity provider that a person has linked."""

    id: int
    issuer: str
    linked_at: datetime


def external_identities(session: Session, user_id: int) -> list[ExternalIdentityView]:
    """List what a person has linked, oldest first."""
    rows = session.scalars(
        select(ExternalIdentity)
        .where(ExternalIdentity.user_id == user_id)
        .order_by(ExternalIdentity.id)
    )
    return [ExternalIdentityView(row.id, row.issuer, row.linked_at) for row in rows]
