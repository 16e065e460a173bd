"""What this slice lends to the platform."""

from __future__ import annotations

from marketplace.foundation.slices import Slice
from marketplace.subsidies import (
    api,
    claim_views,
    desk_views,
    draft_views,
    due,
    handlers,
    payment_views,
    queries,
    round_views,
    views,
    whatif_views,
    year_views,
)

PARTS = Slice(
    blueprint=views.blueprint,
    pages=(
        claim_views,
        desk_views,
        payment_views,
        round_views,
        year_views,
        draft_views,
        whatif_views,
    ),
    api=api.routes,
    subscriptions=handlers.SUBSCRIPTIONS,
    due=due.TASKS,
    waiting=(queries.waiting,),
)
