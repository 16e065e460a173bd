"""The use cases of achievements in one place, for views and other slices."""

from __future__ import annotations

from marketplace.achievements.authoring_service import (
    attach,
    create_draft,
    detach,
    save_draft,
)
from marketplace.achievements.confidential_service import (
    close_confidential_layer,
    open_confidential_layer,
)
from marketplace.achievements.market_service import (
    confirm_current,
    mark_in_deal,
    mark_listed,
    mark_out_of_deal,
    mark_transferred,
    mark_unlisted,
    publish,
    reopen,
    withdraw,
)
from marketplace.achievements.review_service import (
    approve_review,
    return_review,
    save_and_submit,
    set_chain,
    submit_for_review,
    submit_many,
)
from marketplace.achievements.suspension_service import withdraw_all

__all__ = [
    "approve_review",
    "attach",
    "close_confidential_layer",
    "confirm_current",
    "create_draft",
    "detach",
    "mark_in_deal",
    "mark_listed",
    "mark_out_of_deal",
    "mark_transferred",
    "mark_unlisted",
    "open_confidential_layer",
    "publish",
    "reopen",
    "return_review",
    "save_and_submit",
    "save_draft",
    "set_chain",
    "submit_for_review",
    "submit_many",
    "withdraw",
    "withdraw_all",
]
