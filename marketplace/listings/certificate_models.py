"""The table of transaction certificates."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.foundation.db import Base, Id, Json
from marketplace.listings.certificate_rules import CertificateState

_STANDING = text("state = 'issued'")


class Certificate(Base):
    """One certificate: the facts as frozen when it was issued, and the file that was sealed."""

    __tablename__ = "listings_certificates"
    __table_args__ = (
        CheckConstraint("(sealed_at IS NULL) = (sha256 IS NULL)", name="sealed_with_digest"),
        CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_at IS NOT NULL)", name="withdrawn_when_said"
        ),
        # A trade has one certificate that stands.
        Index(
            "uq_listings_certificates_standing",
            "listing_id",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
        Index("ix_listings_certificates_file", "byte_count"),
    )

    id: Mapped[Id]
    listing_id: Mapped[int] = mapped_column(ForeignKey("listings_listings.id"))
    number: Mapped[str] = mapped_column(unique=True)
    state: Mapped[CertificateState]
    facts: Mapped[Json]
    issued_at: Mapped[datetime]
    sealed_at: Mapped[datetime | None]
    seal_owner: Mapped[str] = mapped_column(default="")
    stored_name: Mapped[str | None]
    sha256: Mapped[str | None] = mapped_column(unique=True)
    byte_count: Mapped[int | None]
    withdrawn_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")
