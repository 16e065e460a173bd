"""What this slice lends to the platform."""

from __future__ import annotations

from marketplace.foundation.slices import Slice
from marketplace.training import exam_views, personal_service, views

PARTS = Slice(
    blueprint=views.blueprint,
    pages=(exam_views,),
    personal=personal_service,
)
