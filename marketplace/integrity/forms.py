"""The shapes of an integrity record and of its revocation."""

from __future__ import annotations

from marketplace.foundation import web
from marketplace.foundation.attachments import ACCEPTED
from marketplace.integrity.rules import DishonestyGround


class RecordForm(web.Form):
    """A new record."""

    uscc = web.UsccField("统一社会信用代码", required=True)
    ground = web.ChoiceField("失信类别", DishonestyGround, required=True)
    reason = web.LongTextField(
        "失信事实", required=True, longest=1000, rows=3, hint="会公开，不写个人信息"
    )
    document = web.TextField("处理决定文号", required=True, longest=100)
    starts_on = web.DateField("失信期开始", required=True)
    ends_on = web.DateField("失信期截止", required=True)


class RevocationForm(web.Form):
    """Why a record is taken back."""

    reason = web.TextField("撤销依据", required=True, longest=200)


class RepairForm(web.Form):
    """What an organisation has done to make its dishonesty good."""

    deeds = web.LongTextField(
        "改正情况", required=True, longest=2000, rows=4, hint="退还款项、消除影响、整改措施"
    )
    attachments = web.FilesField("证明材料", hint=f"{ACCEPTED}，每个不超过 15 MB，可多选")


class RepairDecisionForm(web.Form):
    """What the keepers of the record found."""

    granted = web.ChoiceField(
        "决定", [("yes", "同意修复"), ("no", "不予修复")], required=True, radio=True
    )
    opinion = web.LongTextField("核查情况和理由", required=True, longest=1000, rows=3)
