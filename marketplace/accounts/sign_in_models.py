"""Tables of signing in: sessions, failures, known devices, second factors, mailed links."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.accounts.letter_rules import LetterKind
from marketplace.accounts.sign_in_rules import SignInStep
from marketplace.foundation.db import Base, Id

_USER = "accounts_users.id"


class UserSession(Base):
    """One sign-in on one device; deleting the row ends it at once."""

    __tablename__ = "accounts_sessions"

    id: Mapped[Id]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(_USER), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_organisations.id"))
    opened_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    # When the person last proved who they are: by signing in, or again before a sensitive step.
    proved_at: Mapped[datetime]
    second_factor: Mapped[bool] = mapped_column(default=False)
    address: Mapped[str]
    device: Mapped[str]


class SignInFailure(Base):
    """A failed sign-in, kept for the length of the lock-out window."""

    __tablename__ = "accounts_sign_in_failures"
    __table_args__ = (Index("ix_accounts_failures", "address", "failed_at"),)

    id: Mapped[Id]
    email: Mapped[str]
    address: Mapped[str]
    # The known device it came from; such failures are counted for this device alone.
    device_hash: Mapped[str] = mapped_column(String(64), default="")
    step: Mapped[SignInStep] = mapped_column(default=SignInStep.PASSWORD)
    failed_at: Mapped[datetime]


class KnownDevice(Base):
    """A browser in which a person has signed in before."""

    __tablename__ = "accounts_known_devices"
    __table_args__ = (UniqueConstraint("user_id", "token_hash"),)

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey(_USER))
    token_hash: Mapped[str] = mapped_column(String(64))
    seen_at: Mapped[datetime]


class PendingSignIn(Base):
    """A sign-in whose password was right and whose second step is still to come."""

    __tablename__ = "accounts_pending_sign_ins"

    id: Mapped[Id]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(_USER))
    begun_at: Mapped[datetime]


class SecondFactor(Base):
    """A person's one-time codes (RFC 6238); a secret counts once its first code was shown."""

    __tablename__ = "accounts_second_factors"

    user_id: Mapped[int] = mapped_column(ForeignKey(_USER), primary_key=True)
    sealed_secret: Mapped[str] = mapped_column(default="")
    # Shown on the enrolment page until its first code; the one above counts meanwhile.
    waiting_secret: Mapped[str] = mapped_column(default="")
    confirmed_at: Mapped[datetime | None]
    # The time step of the last code that was used: it and all before it count no more.
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)


class RecoveryCode(Base):
    """One of a person's codes for a lost device, hashed, good for one use."""

    __tablename__ = "accounts_recovery_codes"
    __table_args__ = (UniqueConstraint("user_id", "position"),)

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey(_USER))
    position: Mapped[int]
    code_hash: Mapped[str]
    used_at: Mapped[datetime | None]


class FactorReset(Base):
    """A lost second factor that one operator asked to remove and another one removes."""

    __tablename__ = "accounts_factor_resets"
    __table_args__ = (Index("ix_accounts_factor_resets_open", "decided_at"),)

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey(_USER))
    reason: Mapped[str]
    asked_at: Mapped[datetime]
    asked_by_id: Mapped[int] = mapped_column(ForeignKey(_USER))
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
    granted: Mapped[bool] = mapped_column(default=False)


class MailedLink(Base):
    """A single-use link on its way to a mailbox; the token itself is nowhere stored.

    One to an address that nobody has is kept too and never sent: asking takes as long for it, and
    is limited alike.
    """

    __tablename__ = "accounts_mailed_links"
    __table_args__ = (Index("ix_accounts_mailed_links_unsent", "sent_at"),)

    id: Mapped[Id]
    kind: Mapped[LetterKind]
    user_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
    email: Mapped[str]
    address: Mapped[str]
    nonce: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class ExternalIdentity(Base):
    """A person's account at an identity provider, known by issuer and subject (ASVS 6.8.1)."""

    __tablename__ = "accounts_external_identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey(_USER), index=True)
    issuer: Mapped[str]
    subject: Mapped[str]
    linked_at: Mapped[datetime]
