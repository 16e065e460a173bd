"""The table of the views of the deals that people keep."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.foundation.db import Base, Id, Json

_STARTS = text("starts")


class SavedDealView(Base):
    """A view of the deals: a person's, for the organisation for which he acted when he kept it."""

    __tablename__ = "brokerage_saved_views"
    __table_args__ = (
        UniqueConstraint("user_id", "organisation_id", "name"),
        Index(
            "uq_brokerage_saved_views_start",
            "user_id",
            "organisation_id",
            unique=True,
            sqlite_where=_STARTS,
            postgresql_where=_STARTS,
        ),
    )

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    name: Mapped[str]
    arguments: Mapped[Json]
    starts: Mapped[bool] = mapped_column(default=False)
    saved_at: Mapped[datetime]
