"""What this slice lends to the platform."""

from __future__ import annotations

from marketplace.achievements import api, due, queries, review_views, text_views, views
from marketplace.foundation.slices import Slice

PARTS = Slice(
    blueprint=views.blueprint,
    pages=(
        review_views,
        text_views,
    ),
    api=api.routes,
    due=due.TASKS,
    waiting=(queries.waiting,),
)
