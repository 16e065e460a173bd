"""Fees of filed assessments, for whoever pays them back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.assessments.models import Assessment
from marketplace.foundation.clock import local_date, local_midnight
from marketplace.foundation.money import Fen


@dataclass(frozen=True)
class PaidFee:
    """The fee of one filed assessment that its client has paid."""

    assessment_id: int
    achievement_id: int
    title: str
    report_number: str
    filed_on: date
    fee_fen: Fen
    assessor_organisation_id: int | None


def paid_fees(session: Session, organisation_id: int, year: int) -> list[PaidFee]:
    """List an organisation's paid fees of the reports filed in a year, oldest first."""
    since, until = local_midnight(date(year, 1, 1)), local_midnight(date(year + 1, 1, 1))
    rows = session.scalars(
        select(Assessment)
        .where(
            Assessment.organisation_id == organisation_id,
            Assessment.filed_at >= since,
            Assessment.filed_at < until,
            Assessment.fee_paid_at.is_not(None),
            Assessment.fee_fen > 0,
        )
        .order_by(Assessment.filed_at, Assessment.id)
    )
    return [
        PaidFee(
            assessment_id=row.id,
            achievement_id=row.achievement_id,
            title=row.title,
            report_number=row.report_number or "",
            filed_on=_day(row.filed_at),
            fee_fen=row.fee_fen,
            assessor_organisation_id=row.assessor_organisation_id,
        )
        for row in rows
    ]


def _day(moment: datetime | None) -> date:
    assert moment is not None
    return local_date(moment)
