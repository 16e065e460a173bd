"""What this slice lends to the platform."""

from __future__ import annotations

from marketplace.foundation.slices import Slice
from marketplace.integrity import repair_queries, repair_views, views

PARTS = Slice(
    blueprint=views.blueprint,
    pages=(repair_views,),
    waiting=(repair_queries.waiting,),
)
