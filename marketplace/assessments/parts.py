"""What this slice lends to the platform."""

from __future__ import annotations

from marketplace.assessments import (
    desk_queries,
    handlers,
    handover_service,
    library_views,
    panel_views,
    views,
    working_views,
)
from marketplace.foundation.slices import Slice

PARTS = Slice(
    blueprint=views.blueprint,
    pages=(
        working_views,
        panel_views,
        library_views,
    ),
    subscriptions=handlers.SUBSCRIPTIONS,
    waiting=(desk_queries.waiting,),
    open_work=handover_service,
)
