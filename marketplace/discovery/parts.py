"""What this slice lends to the platform."""

from __future__ import annotations

from marketplace.discovery import (
    api,
    desk_views,
    due,
    expert_views,
    handlers,
    learning_views,
    personal_service,
    portal_views,
    record_views,
    subscription_views,
    term_views,
    views,
)
from marketplace.foundation.slices import Slice

PARTS = Slice(
    blueprint=views.blueprint,
    pages=(
        portal_views,
        record_views,
        subscription_views,
        term_views,
        learning_views,
        expert_views,
        desk_views,
    ),
    api=api.routes,
    subscriptions=handlers.SUBSCRIPTIONS,
    due=due.TASKS,
    personal=personal_service,
)
