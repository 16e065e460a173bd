"""What this slice lends to the platform."""

from __future__ import annotations

from marketplace.foundation.slices import Slice
from marketplace.site import views

PARTS = Slice(
    blueprint=views.blueprint,
)
