"""What this slice lends to the platform."""

from __future__ import annotations

from marketplace.foundation.slices import Slice
from marketplace.listings import (
    api,
    certificate_views,
    desk_views,
    due,
    handlers,
    notice_views,
    opening_views,
    qualification_views,
    queries,
    room_views,
    seller_api,
    views,
)

PARTS = Slice(
    blueprint=views.blueprint,
    pages=(
        desk_views,
        room_views,
        opening_views,
        qualification_views,
        notice_views,
        certificate_views,
    ),
    api=api.routes,
    operations=(seller_api,),
    subscriptions=handlers.SUBSCRIPTIONS,
    due=due.TASKS,
    waiting=(queries.waiting,),
)
