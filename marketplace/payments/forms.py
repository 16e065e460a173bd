"""The shapes of what payers and the operator type about money."""

from __future__ import annotations

from marketplace.foundation import web


class ReportForm(web.Form):
    """The payer's word that the money was sent."""

    reference = web.TextField(
        "银行回单流水号", required=True, longest=60, hint="在网银回单上，用来核对到账"
    )
    transferred_on = web.DateField("付款日期", required=True)


class ReceiptForm(web.Form):
    """A line of the bank statement."""

    amount_fen = web.YuanField("到账金额", required=True)
    account_name = web.TextField("付款账户户名", required=True, longest=120)
    reference = web.TextField("到账流水号", required=True, longest=60)


class NoteForm(web.Form):
    """Why a reported payment cannot be matched."""

    note = web.LongTextField(
        "对不上的原因", required=True, longest=500, rows=2, hint="付款方会看到，请写明要做什么"
    )


class RefundRequestForm(web.Form):
    """Why money goes back."""

    reason = web.TextField("退款原因", required=True, longest=200)


class RefundForm(web.Form):
    """The reference of the refund."""

    reference = web.TextField("退款流水号", required=True, longest=60)
