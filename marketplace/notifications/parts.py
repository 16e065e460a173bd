"""What this slice lends to the platform."""

from __future__ import annotations

from marketplace.foundation.slices import Slice
from marketplace.notifications import handlers, personal_service, views, webhook_views

PARTS = Slice(
    blueprint=views.blueprint,
    pages=(webhook_views,),
    subscriptions=handlers.SUBSCRIPTIONS,
    personal=personal_service,
)
