"""Forms of yearly reviews: open a year, confirm, grade, appeal, decide the appeal."""

from __future__ import annotations

from marketplace.foundation import web
from marketplace.reviews.rules import Grade


class OpenForm(web.Form):
    """The year to review."""

    year = web.IntField("年度", least=2000, most=2100, required=True, unit="年")


class ConfirmForm(web.Form):
    """What an agency has to add to its figures."""

    statement = web.LongTextField(
        "补充说明",
        longest=3_000,
        rows=5,
        hint="哪一项与实际不符、有哪些平台上看不到的工作，请写明依据；没有要补充的可以留空",
    )


class GradeForm(web.Form):
    """The grade of a year."""

    grade = web.ChoiceField("等次", Grade, required=True, radio=True)
    reason = web.LongTextField(
        "理由", longest=2_000, rows=3, hint="与按规则算出的等次不同时必须写明"
    )


class AppealForm(web.Form):
    """An agency's appeal."""

    words = web.LongTextField(
        "申诉的事实和依据", required=True, longest=3_000, rows=5, hint="写明哪一项有误、应当是多少"
    )


class AppealDecisionForm(web.Form):
    """The decision on an appeal: the grade that stands afterwards."""

    grade = web.ChoiceField("处理后的等次", Grade, required=True, radio=True)
    reason = web.LongTextField("核查情况和理由", required=True, longest=2_000, rows=4)
