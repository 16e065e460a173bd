"""What this slice lends to the platform."""

from __future__ import annotations

from marketplace.foundation.slices import Slice
from marketplace.techservices import meeting_views, order_views, queries, views

PARTS = Slice(
    blueprint=views.blueprint,
    pages=(
        meeting_views,
        order_views,
    ),
    waiting=(queries.waiting,),
)
