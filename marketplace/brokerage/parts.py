"""What this slice lends to the platform."""

from __future__ import annotations

from marketplace.brokerage import (
    agency_views,
    api,
    chance_views,
    deal_views,
    due,
    feedback_due,
    feedback_views,
    figures_views,
    followup_queries,
    handlers,
    handover_service,
    ledger_views,
    list_views,
    paper_views,
    personal_service,
    proposal_views,
    queries,
    rating_queries,
    rating_views,
    room_api,
    room_views,
    talk_views,
    terms_views,
    today_views,
    views,
)
from marketplace.foundation.slices import Slice

PARTS = Slice(
    blueprint=views.blueprint,
    pages=(
        deal_views,
        list_views,
        today_views,
        figures_views,
        chance_views,
        terms_views,
        agency_views,
        ledger_views,
        room_views,
        feedback_views,
        talk_views,
        paper_views,
        rating_views,
        proposal_views,
    ),
    api=api.routes,
    operations=(room_api,),
    subscriptions=handlers.SUBSCRIPTIONS,
    due=(*due.TASKS, *feedback_due.TASKS),
    waiting=(
        queries.waiting,
        followup_queries.waiting,
        rating_queries.waiting,
    ),
    open_work=handover_service,
    personal=personal_service,
)
