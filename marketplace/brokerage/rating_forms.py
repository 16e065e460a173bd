"""Forms of ratings: a party's, the operator's look at words, the broker's answer."""

from __future__ import annotations

from marketplace.brokerage.rating_rules import Criterion
from marketplace.foundation import web

_POINTS = [("5", "5 分"), ("4", "4 分"), ("3", "3 分"), ("2", "2 分"), ("1", "1 分")]


class RatingForm(web.Form):
    """A party's rating of the broker who carried its contract."""

    response = web.ChoiceField(Criterion.RESPONSE.label, _POINTS, required=True, radio=True)
    skill = web.ChoiceField(Criterion.SKILL.label, _POINTS, required=True, radio=True)
    trust = web.ChoiceField(Criterion.TRUST.label, _POINTS, required=True, radio=True)
    words = web.LongTextField(
        "评语", longest=500, rows=4, hint="可以不写；请就事论事，不写对方的个人信息和合同秘密"
    )
    consented = web.FlagField(
        "同意公开评语",
        hint="经交易中心审看后公开，只写“买方”或“卖方”和月份，不写单位和姓名；不勾选时没有人看到评语",
    )

    def scores(self) -> dict[Criterion, int | None]:
        """Read the points by criterion."""
        typed = {
            Criterion.RESPONSE: self.response.data,
            Criterion.SKILL: self.skill.data,
            Criterion.TRUST: self.trust.data,
        }
        return {criterion: int(value) if value else None for criterion, value in typed.items()}


class WordsDecisionForm(web.Form):
    """The operator's decision on words that wait."""

    decision = web.ChoiceField(
        "决定", [("show", "公开"), ("hide", "不公开")], required=True, radio=True
    )
    reason = web.LongTextField(
        "不公开的理由", longest=500, rows=3, hint="不公开时填写，评价人会看到"
    )


class RatingAnswerForm(web.Form):
    """The broker's one answer to shown words."""

    answer = web.LongTextField(
        "回应", required=True, longest=500, rows=4, hint="公开在评语下面，每条只能回应一次"
    )
