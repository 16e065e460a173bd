"""What this slice lends to the platform."""

from __future__ import annotations

from marketplace.foundation.slices import Slice
from marketplace.publicity import api, due, queries, views

PARTS = Slice(
    blueprint=views.blueprint,
    api=api.routes,
    due=due.TASKS,
    waiting=(queries.waiting,),
)
