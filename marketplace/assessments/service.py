"""The use cases of assessments in one place, for views and other slices."""

from __future__ import annotations

from marketplace.assessments.ordering_service import (
    ASSESSABLE,
    accept,
    assign,
    decline,
    reject,
    request,
    subject,
)
from marketplace.assessments.working_service import file, issue, note_fee_paid, score, value

__all__ = [
    "ASSESSABLE",
    "accept",
    "assign",
    "decline",
    "file",
    "issue",
    "note_fee_paid",
    "reject",
    "request",
    "score",
    "subject",
    "value",
]
