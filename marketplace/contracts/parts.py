"""What this slice lends to the platform."""

from __future__ import annotations

from marketplace.contracts import (
    after_api,
    after_views,
    api,
    certificate_views,
    handlers,
    handover_service,
    registered_views,
    registry_views,
    views,
    waiting_queries,
    yearly_views,
)
from marketplace.foundation.slices import Slice

PARTS = Slice(
    blueprint=views.blueprint,
    pages=(
        registry_views,
        registered_views,
        after_views,
        certificate_views,
        yearly_views,
    ),
    api=api.routes,
    operations=(after_api,),
    subscriptions=handlers.SUBSCRIPTIONS,
    waiting=(waiting_queries.waiting,),
    open_work=handover_service,
)
