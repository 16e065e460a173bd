"""The shapes of an objection and of its answer."""

from __future__ import annotations

from marketplace.foundation import web
from marketplace.foundation.attachments import ACCEPTED

DECISIONS = [("no", "异议不成立，公示继续"), ("yes", "异议成立，公示事项终止")]


class ObjectionForm(web.Form):
    """An objection by a member; name and contact come from the account."""

    text = web.LongTextField(
        "异议的事实和理由", required=True, longest=4000, rows=5, hint="写明事实、依据和您的请求"
    )
    attachments = web.FilesField(
        "证明材料", hint=f"选填，最多 5 个，每个不超过 15 MB；可以是 {ACCEPTED}"
    )


class PublicObjectionForm(ObjectionForm):
    """An objection by anybody: with a name and a way to be answered."""

    name = web.TextField("姓名或单位名称", required=True, longest=100, hint="只给答复人看，不公开")
    contact = web.TextField(
        "联系电话或电子邮箱", required=True, longest=100, hint="用来核实和答复，不公开"
    )


class DecisionForm(web.Form):
    """The answer to an objection."""

    decision = web.ChoiceField("结论", DECISIONS, required=True, radio=True)
    answer = web.LongTextField(
        "答复", required=True, longest=4000, rows=4, hint="写明核查情况和处理意见；答复会公开"
    )
