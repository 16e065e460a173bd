"""What this slice lends to the platform."""

from __future__ import annotations

from marketplace.exchange import queries, views
from marketplace.foundation.slices import Slice

PARTS = Slice(
    blueprint=views.blueprint,
    waiting=(queries.waiting,),
)
