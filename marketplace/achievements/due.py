"""What time alone does to achievements: they go stale, and unconfirmed they expire."""

from __future__ import annotations

from marketplace.achievements import term_service
from marketplace.foundation.due import DueTask

TASKS = [
    DueTask("achievements.stale", term_service.next_due, term_service.mark_stale),
    DueTask("achievements.expire", term_service.next_due, term_service.expire),
]
