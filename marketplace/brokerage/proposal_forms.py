"""The form with which a side answers a proposal."""

from __future__ import annotations

from marketplace.foundation import web


class ProposalAnswerForm(web.Form):
    """Whether a side wants to be brought together, with a few words."""

    decision = web.ChoiceField(
        "您的答复", [("yes", "愿意对接"), ("no", "不接受")], required=True, radio=True
    )
    words = web.LongTextField(
        "想说的话", longest=1_000, rows=3, hint="不接受时请写明原因，至少 5 个字；只给经理人看"
    )
