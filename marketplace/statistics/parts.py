"""What this slice lends to the platform."""

from __future__ import annotations

from marketplace.foundation.slices import Slice
from marketplace.statistics import handlers, views

PARTS = Slice(
    blueprint=views.blueprint,
    subscriptions=handlers.SUBSCRIPTIONS,
)
