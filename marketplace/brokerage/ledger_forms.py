"""Forms of invoices, necessary expenses and disputes."""

from __future__ import annotations

from marketplace.brokerage.terms_rules import CommissionPayer
from marketplace.foundation import web
from marketplace.foundation.attachments import ACCEPTED


class InvoiceForm(web.Form):
    """The number of an invoice."""

    invoice_no = web.TextField("发票号码", required=True, longest=40)


class ExpenseForm(web.Form):
    """Necessary expenses of a deal that came to no contract."""

    payer = web.ChoiceField("请求哪一方支付", CommissionPayer, required=True, radio=True)
    amount_fen = web.YuanField("费用金额", required=True)
    words = web.LongTextField(
        "费用明细和约定依据",
        required=True,
        longest=2_000,
        hint="只限为促成合同实际支出的必要费用，例如检测费、差旅费；写明依据哪次约定",
    )


class ExpenseAnswerForm(web.Form):
    """The asked side's answer to an expense."""

    decision = web.ChoiceField(
        "决定", [("yes", "同意支付"), ("no", "不同意")], required=True, radio=True
    )
    answer = web.LongTextField("说明", longest=1_000, rows=3)


class DisputeForm(web.Form):
    """A dispute about an introduction or its commission."""

    ground = web.ChoiceField("事由", [], required=True, radio=True)
    words = web.LongTextField(
        "事实和请求", required=True, longest=4_000, rows=6, hint="对方和交易中心都会看到"
    )
    attachments = web.FilesField("证明材料", hint=f"选填；{ACCEPTED}，每个不超过 15 MB")


class DecisionForm(web.Form):
    """The operator's decision of a dispute."""

    decision = web.ChoiceField(
        "认定",
        [("yes", "佣金成立，应继续支付"), ("no", "佣金不成立，未付部分取消")],
        required=True,
        radio=True,
    )
    words = web.LongTextField("认定的事实和理由", required=True, longest=4_000, rows=5)


class RecognitionForm(web.Form):
    """The operator's check of a contract against an introduction."""

    decision = web.ChoiceField(
        "这份合同是不是这次介绍的结果",
        [("yes", "是，佣金按约定应付"), ("no", "不是，与这次介绍无关")],
        required=True,
        radio=True,
    )
    words = web.LongTextField("理由", required=True, longest=2_000, rows=4)
