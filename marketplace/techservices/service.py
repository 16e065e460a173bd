"""The use cases of service orders and meetings in one place, for views and other slices."""

from __future__ import annotations

from marketplace.techservices.meeting_service import (
    MeetingContent,
    announce,
    cancel,
    check_in,
    give_up,
    meeting_subject,
    sign_up,
)
from marketplace.techservices.ordering_service import (
    OrderContent,
    accept,
    confirm,
    decline,
    deliver,
    report,
    request,
    subject,
    withdraw,
)

__all__ = [
    "MeetingContent",
    "OrderContent",
    "accept",
    "announce",
    "cancel",
    "check_in",
    "confirm",
    "decline",
    "deliver",
    "give_up",
    "meeting_subject",
    "report",
    "request",
    "sign_up",
    "subject",
    "withdraw",
]
