"""Dated terms of training, and the fee subsidy that is in force on a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from marketplace.foundation.local_time import last_day_after
from marketplace.foundation.parameters import value_on
from marketplace.subsidies.parameters import select_policies

FEE_KEY = "training_fee"


@dataclass(frozen=True)
class FeeSubsidy:
    """What a document in force pays of the fees of training."""

    document: str
    document_no: str
    article: str
    clause: str
    until: date | None


def fee_subsidy_on(day: date) -> FeeSubsidy | None:
    """Return the subsidy of training fees in force on a day; None where there is none."""
    for policy in select_policies():
        if not policy.in_force.covers(day):
            continue
        for fee in policy.fees:
            if fee.key == FEE_KEY:
                return FeeSubsidy(
                    policy.title, policy.document_no, fee.article, fee.clause, policy.in_force.until
                )
    return None


def attendance_percent_on(day: date) -> int:
    """Return the share of hours that an exam asks for, in per cent."""
    return value_on("training_attendance_percent", day)


def exam_term_on(day: date) -> timedelta:
    """Return for how long after a course its exam may be taken."""
    return timedelta(days=value_on("training_exam_days", day))


def code_seconds_on(day: date) -> int:
    """Return for how many seconds a check-in code holds."""
    return value_on("training_code_seconds", day)


def valid_to(issued_on: date) -> date:
    """Return the last day of a certificate issued on a day."""
    return last_day_after(issued_on, value_on("training_certificate_years", issued_on))
