"""Forms of the registrar's decisions and of what follows a registration."""

from __future__ import annotations

from marketplace.contracts.forms import ItemForm
from marketplace.contracts.rules import ContractSubtype, ContractType, RefusalReason
from marketplace.foundation import web
from marketplace.foundation.attachments import ACCEPTED

_PAPER = f"{ACCEPTED}，每个不超过 15 MB"


class RegisterForm(web.Form):
    """Under which type a contract is registered."""

    id_prefix = "register"
    contract_type = web.ChoiceField("认定的合同类型", ContractType, empty="按申报的类型")
    subtype = web.ChoiceField("认定的合同种类", ContractSubtype, empty="按申报的种类")
    type_reason = web.TextField(
        "改变类型的理由", longest=300, hint="与申报的类型或种类不同时填写，申请人会看到"
    )


class ReturnForm(web.Form):
    """What has to be corrected."""

    id_prefix = "return"
    reason = web.LongTextField(
        "需要补正什么", required=True, longest=2_000, rows=3, hint="逐条写明，申请人据此修改"
    )


class RefuseForm(web.Form):
    """Why a contract is not registered."""

    id_prefix = "refuse"
    reason_code = web.ChoiceField("理由", RefusalReason, required=True)
    reason = web.LongTextField("说明", required=True, longest=2_000, rows=3)


class DisputeForm(web.Form):
    """Why a contract needs the long term."""

    id_prefix = "dispute"
    reason = web.LongTextField("争议之处", required=True, longest=1_000, rows=2)


class CancelForm(web.Form):
    """Why a registration is cancelled."""

    id_prefix = "cancel"
    reason = web.LongTextField("撤销理由", required=True, longest=1_000, rows=2)


class ChangeForm(web.Form):
    """New terms of a registered contract."""

    amount_fen = web.YuanField("变更后的成交总额", required=True)
    technology_amount_fen = web.YuanField("变更后的技术交易额", required=True)
    items = web.RowsField("非技术性费用", ItemForm, spare=2, most=30)
    ends_on = web.DateField("变更后的截止日期", hint="期限不变就不改")
    reason = web.LongTextField(
        "变更依据", required=True, longest=1_000, rows=2, hint="补充协议的名称与日期"
    )


class AmendForm(ChangeForm):
    """A party's application for a change."""

    attachments = web.FilesField("补充协议", hint=f"双方签章的补充协议，必须上传。{_PAPER}")


class CancellationForm(web.Form):
    """A party's application for cancellation."""

    reason = web.LongTextField(
        "撤销理由", required=True, longest=1_000, rows=3, hint="例如双方已解除合同，写明解除日期"
    )
    attachments = web.FilesField("解除协议或证明", hint=f"必须上传。{_PAPER}")


class DeclineForm(web.Form):
    """Why an application for amendment is declined."""

    id_prefix = "decline"
    reason = web.LongTextField("不同意的理由", required=True, longest=1_000, rows=2)


class ReceiptForm(web.Form):
    """A payment that came in."""

    received_on = web.DateField("到账日期", required=True)
    amount_fen = web.YuanField("到账金额", required=True)
    technology_amount_fen = web.YuanField(
        "其中技术性收入", hint="留空按登记的技术交易额比例计算，精确到分"
    )
    reference = web.TextField("银行回单号", required=True, longest=60)
    attachments = web.FilesField("银行回单", hint=f"没有回单不能核定。{_PAPER}")


class WithdrawReceiptForm(web.Form):
    """Why a declared payment is taken back."""

    reason = web.LongTextField("撤回理由", required=True, longest=500, rows=2)
