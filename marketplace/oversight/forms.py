"""The shapes of a report and of its answer."""

from __future__ import annotations

from marketplace.foundation import web
from marketplace.oversight.report_rules import ReportReason
from marketplace.oversight.report_service import ReportContent


class ReportForm(web.Form):
    """What is wrong with a record."""

    reason = web.ChoiceField("原因", ReportReason, required=True, radio=True)
    words = web.LongTextField(
        "哪里有问题", required=True, longest=2000, rows=5, hint="写明具体内容和依据，便于核查"
    )
    contact = web.TextField(
        "联系方式", longest=100, hint="可以不留；只给交易中心核查用，不告诉被举报人"
    )

    def content(self) -> ReportContent:
        """Return what was said."""
        return ReportContent(
            self.reason.data, str(self.words.data or ""), str(self.contact.data or "")
        )


class ReportDecisionForm(web.Form):
    """What the operator found."""

    upheld = web.ChoiceField(
        "核查结果", [("yes", "属实，已处理"), ("no", "不属实")], required=True, radio=True
    )
    words = web.LongTextField(
        "说明", required=True, longest=1000, rows=4, hint="举报人会看到；写明核查了什么、怎样处理"
    )
