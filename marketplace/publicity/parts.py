"""What this slice lends to the platform."""

from __future__ import annotations

from marketplace.foundation.slices import Slice
from marketplace.publicity import due, queries, views

PARTS = Slice(
    blueprint=views.blueprint,
    due=due.TASKS,
    waiting=(queries.waiting,),
)
