"""Forms of the match desk: propose, let rest, lay aside."""

from __future__ import annotations

from marketplace.brokerage.proposal_rules import LONGEST_WORDS, ProposalTo
from marketplace.discovery.desk_rules import DismissReason
from marketplace.foundation import web


class ProposeForm(web.Form):
    """To whom a pair is proposed, and in which words."""

    words = web.LongTextField(
        "写给对方的话",
        required=True,
        longest=LONGEST_WORDS,
        rows=14,
        hint="由两条公开资料拼成；以您的名义发出，请读一遍，改成您自己的话",
    )
    to = web.ChoiceField("问谁", ProposalTo, required=True, radio=True)


class SnoozeForm(web.Form):
    """Until when a pair rests."""

    until = web.DateField("推迟到", required=True)


class DismissForm(web.Form):
    """Why a pair is laid aside."""

    # The page holds two fields of this name: labels and errors find theirs by the id.
    words = web.TextField(
        "补充说明", longest=200, hint="选“其他”时必填；只有您自己看得到", id="aside-words"
    )
    reason = web.ChoiceField("不合适的原因", DismissReason, required=True, radio=True)
