"""The table of chances that the leader of a deal puts beside the measured one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.brokerage.rules import DealStage
from marketplace.foundation.db import Base


class ChanceOverride(Base):
    """What a deal's leader thinks of its chance, and why; the measured one stands beside it."""

    __tablename__ = "brokerage_chance_overrides"
    __table_args__ = (CheckConstraint("percent BETWEEN 1 AND 99", name="percent"),)

    deal_id: Mapped[int] = mapped_column(ForeignKey("brokerage_deals.id"), primary_key=True)
    percent: Mapped[int]
    reason: Mapped[str]
    # What was measured, and where the deal stood, when it was said.
    measured_percent: Mapped[int | None]
    stage: Mapped[DealStage]
    set_at: Mapped[datetime]
    set_by_name: Mapped[str]
