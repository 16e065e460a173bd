"""What this slice lends to the platform."""

from __future__ import annotations

from marketplace.foundation.slices import Slice
from marketplace.oversight import audit_views, due, report_queries, report_views, views

PARTS = Slice(
    blueprint=views.blueprint,
    pages=(
        audit_views,
        report_views,
    ),
    due=due.TASKS,
    waiting=(report_queries.waiting,),
)
