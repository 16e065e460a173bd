"""The use cases of contracts in one place, for views and other slices."""

from __future__ import annotations

from marketplace.contracts.drafting_service import (
    attach,
    detach,
    draft,
    draft_from_deal,
    save,
)
from marketplace.contracts.review_service import (
    cancel,
    change,
    dispute,
    refuse,
    register,
    return_,
    take_up,
)
from marketplace.contracts.submission_service import resubmit, submit

__all__ = [
    "attach",
    "cancel",
    "change",
    "detach",
    "dispute",
    "draft",
    "draft_from_deal",
    "refuse",
    "register",
    "resubmit",
    "return_",
    "save",
    "submit",
    "take_up",
]
