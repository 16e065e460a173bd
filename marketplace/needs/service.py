"""The use cases of needs in one place, for views and other slices."""

from __future__ import annotations

from marketplace.needs.answer_service import answer, decide_answer
from marketplace.needs.authoring_service import (
    attach,
    create_draft,
    detach,
    recall,
    reopen,
    save_and_submit,
    save_draft,
    submit,
)
from marketplace.needs.market_service import (
    close,
    expire,
    mark_contracted,
    mark_matched,
    mark_unmatched,
)
from marketplace.needs.review_service import accept, accept_imported, return_
from marketplace.needs.term_service import accept_term, drop_term

__all__ = [
    "accept",
    "accept_imported",
    "accept_term",
    "answer",
    "attach",
    "close",
    "create_draft",
    "decide_answer",
    "detach",
    "drop_term",
    "expire",
    "mark_contracted",
    "mark_matched",
    "mark_unmatched",
    "recall",
    "reopen",
    "return_",
    "save_and_submit",
    "save_draft",
    "submit",
]
