"""What this slice lends to the platform."""

from __future__ import annotations

from marketplace.foundation.slices import Slice
from marketplace.payments import queries, statement_views, views

PARTS = Slice(
    blueprint=views.blueprint,
    pages=(statement_views,),
    waiting=(queries.waiting,),
)
