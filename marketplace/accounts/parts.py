"""What this slice lends to the platform."""

from __future__ import annotations

from marketplace.accounts import (
    access_token_views,
    account_views,
    desk_views,
    due,
    institution_views,
    member_views,
    oidc_views,
    organisation_views,
    passkey_views,
    people_desk_views,
    personal_service,
    personal_views,
    queries,
    sign_in_views,
    views,
)
from marketplace.foundation.slices import Slice

PARTS = Slice(
    blueprint=views.blueprint,
    pages=(
        sign_in_views,
        account_views,
        passkey_views,
        organisation_views,
        member_views,
        institution_views,
        oidc_views,
        desk_views,
        people_desk_views,
        access_token_views,
        personal_views,
    ),
    due=due.TASKS,
    waiting=(queries.waiting,),
    personal=personal_service,
)
