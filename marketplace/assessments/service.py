"""The use cases of assessments in one place, for views and other slices."""

from __future__ import annotations

from marketplace.assessments.library_service import (
    enter_expert,
    enter_house,
    record_tie,
    release_expert,
)
from marketplace.assessments.ordering_service import (
    ASSESSABLE,
    accept,
    assign,
    decline,
    reject,
    request,
    subject,
)
from marketplace.assessments.panel_service import call_panel, declare, explain, hand_in, leave
from marketplace.assessments.working_service import file, issue, note_fee_paid, value

__all__ = [
    "ASSESSABLE",
    "accept",
    "assign",
    "call_panel",
    "declare",
    "decline",
    "enter_expert",
    "enter_house",
    "explain",
    "file",
    "hand_in",
    "issue",
    "leave",
    "note_fee_paid",
    "record_tie",
    "reject",
    "release_expert",
    "request",
    "subject",
    "value",
]
