"""What this slice lends to the platform."""

from __future__ import annotations

from marketplace.foundation.slices import Slice
from marketplace.needs import (
    answer_api,
    answer_views,
    api,
    desk_views,
    due,
    handlers,
    queries,
    views,
)

PARTS = Slice(
    blueprint=views.blueprint,
    pages=(
        answer_views,
        desk_views,
    ),
    api=api.routes,
    operations=(answer_api,),
    subscriptions=handlers.SUBSCRIPTIONS,
    due=due.TASKS,
    waiting=(queries.waiting,),
)
