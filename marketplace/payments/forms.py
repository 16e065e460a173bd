"""The shapes of what payers and the operator type about money."""

from __future__ import annotations

from marketplace.foundation import web
from marketplace.payments.statement_rules import Line


class ReportForm(web.Form):
    """The payer's word that the money was sent."""

    reference = web.TextField(
        "银行回单流水号", required=True, longest=60, hint="在网银回单上，用来核对到账"
    )
    transferred_on = web.DateField("付款日期", required=True)


class ConfirmForm(web.Form):
    """The line of the bank's statement that pays."""

    reference = web.TextField(
        "到账流水号", required=True, longest=60, hint="须是另一位业务员导入或登记的流水"
    )


class LineForm(web.Form):
    """A line of the bank's statement, typed by hand."""

    id_prefix = "line"

    reference = web.TextField("到账流水号", required=True, longest=60)
    booked_on = web.DateField("入账日期", required=True)
    amount_fen = web.YuanField("到账金额", required=True)
    account_name = web.TextField("付款账户户名", required=True, longest=120)
    remark = web.TextField("附言", longest=200)

    def line(self) -> Line:
        """Return what was typed as a value; only after validation."""
        return Line(
            reference=self.reference.data,
            booked_on=self.booked_on.data,
            amount_fen=self.amount_fen.data,
            account_name=self.account_name.data,
            remark=self.remark.data,
        )


class StatementForm(web.Form):
    """A bank's file."""

    file = web.FilesField(
        "银行流水文件",
        hint="CSV 或 Excel，须有流水号、日期、金额、户名，最好有附言；重复导入不会重复登记",
        accept=".csv,.xlsx,.xls",
    )


class ReturnForm(web.Form):
    """The reference of money sent back."""

    reference = web.TextField("退回流水号", required=True, longest=60)


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


class ForfeitForm(web.Form):
    """The reference of a forfeited amount's payout."""

    reference = web.TextField("付出流水号", required=True, longest=60)
