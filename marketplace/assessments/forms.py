"""The shapes of an assessment: the request, the answer, the valuation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from marketplace.assessments.rules import ValuationMethod
from marketplace.assessments.valuation_rules import (
    Comparable,
    Conclusion,
    CostInput,
    CostItem,
    IncomeInput,
    MarketInput,
    MethodInput,
)
from marketplace.foundation import web
from marketplace.foundation.money import Fen

_PPM_PER_PERCENT = 10_000


class RequestForm(web.Form):
    """What the assessment is for."""

    purpose = web.LongTextField(
        "评估用途",
        required=True,
        longest=500,
        rows=3,
        hint="例如：拟许可给一家章丘的铸造企业，作为协议定价的参考；或作价入股、质押融资",
    )


class AssignForm(web.Form):
    """Which assessor was chosen."""

    assessor = web.IntField("评估机构", required=True)


class AcceptForm(web.Form):
    """The assessor takes the order."""

    declared = web.FlagField(
        "本机构及经办评估师与委托方、权利人、发明人没有利益关系",
        required=True,
        message="接受委托前须作此声明",
    )
    statement = web.LongTextField(
        "核对了哪些关系",
        required=True,
        longest=1000,
        rows=3,
        hint="例如：股权、任职、近两年的业务往来、亲属关系；声明留存在评估档案",
    )
    expert = web.ChoiceField(
        "经办评估师", [], required=True, hint="由这位评估师估值并在报告上署名；评分由专家组完成"
    )
    fee = web.YuanField("评估费", required=True, hint="不收费填 0；到账后出具报告")
    due_on = web.DateField("出具报告的日期", required=True)

    def offer(self, experts: Sequence[tuple[int, str]]) -> None:
        """Offer the assessor's own experts."""
        self.expert.offer([("", "请选择"), *((str(key), name) for key, name in experts)])


class ReasonForm(web.Form):
    """Why an order is declined or an assessment ended."""

    reason = web.LongTextField("原因", required=True, longest=1000, rows=3)


class RevenueFields(web.RowForm):
    """One year of the forecast, counted from the base date."""

    revenue = web.YuanField("预期收入", required=True)


class ComparableFields(web.RowForm):
    """One comparable deal."""

    what = web.TextField("可比交易", longest=200, required=True)
    price = web.YuanField("成交价", required=True)
    factor = web.IntField("修正系数", least=1, most=1000, unit="%", required=True)


class CostFields(web.RowForm):
    """One item of the cost of making the technology again."""

    what = web.TextField("成本项目", longest=200, required=True)
    amount = web.YuanField("金额", required=True)


class ValuationForm(web.Form):
    """The methods with their figures, and the conclusion."""

    methods = web.ChoicesField(
        "采用的方法", ValuationMethod, required=True, hint="勾选的方法才计算，其余各栏不看"
    )
    revenues = web.RowsField(
        "各年预期收入", RevenueFields, spare=5, most=20, hint="从基准日后第一年起，每行一年"
    )
    share_low = web.PercentField("分成率低值")
    share_high = web.PercentField("分成率高值")
    discount = web.PercentField("折现率")
    comparables = web.RowsField(
        "可比交易",
        ComparableFields,
        spare=3,
        most=20,
        hint="修正系数 100 % 表示与本成果相当；本成果更成熟、权利更强的大于 100 %",
    )
    costs = web.RowsField("重置成本", CostFields, spare=4, most=20)
    profit = web.PercentField("合理利润率")
    depreciation_low = web.PercentField("贬值率低值")
    depreciation_high = web.PercentField("贬值率高值")
    low = web.YuanField("评估值下限")
    high = web.YuanField("评估值上限")
    base_on = web.DateField("评估基准日")
    valid_until = web.DateField("有效期至", hint="自基准日起最长 365 天")
    reasoning = web.LongTextField(
        "为什么取这个区间", longest=3000, rows=4, hint="方法的选择、差异和取舍"
    )

    def inputs(self) -> dict[ValuationMethod, MethodInput]:
        """Return the figures of the chosen methods; a share left empty counts as nothing."""
        build: dict[ValuationMethod, Callable[[], MethodInput]] = {
            ValuationMethod.INCOME: self._income,
            ValuationMethod.MARKET: self._market,
            ValuationMethod.COST: self._cost,
        }
        return {method: build[method]() for method in self.methods.data or ()}

    def concluded(self) -> bool:
        """Tell whether the conclusion is filled in; what is missing is said beside its field."""
        missing = [
            field
            for field in (self.low, self.high, self.base_on, self.valid_until, self.reasoning)
            if not field.data
        ]
        for field in missing:
            field.errors = [*field.errors, f"请填写“{field.label.text}”"]
        return not missing

    def conclusion(self) -> Conclusion:
        """Return the conclusion as typed."""
        return Conclusion(
            self.low.data,
            self.high.data,
            self.base_on.data,
            self.valid_until.data,
            self.reasoning.data,
        )

    def _income(self) -> IncomeInput:
        return IncomeInput(
            tuple(Fen(row["revenue"]) for row in self.revenues.filled()),
            _ppm(self.share_low.data),
            _ppm(self.share_high.data),
            _ppm(self.discount.data),
        )

    def _market(self) -> MarketInput:
        return MarketInput(
            tuple(
                Comparable(row["what"], row["price"], row["factor"] * _PPM_PER_PERCENT)
                for row in self.comparables.filled()
            )
        )

    def _cost(self) -> CostInput:
        return CostInput(
            tuple(CostItem(row["what"], row["amount"]) for row in self.costs.filled()),
            _ppm(self.profit.data),
            _ppm(self.depreciation_low.data),
            _ppm(self.depreciation_high.data),
        )

    @staticmethod
    def stored(inputs: dict[ValuationMethod, MethodInput]) -> dict[str, Any]:
        """Return stored figures as the form's data."""
        data: dict[str, Any] = {"methods": list(inputs)}
        for figures in inputs.values():
            if isinstance(figures, IncomeInput):
                data |= {
                    "revenues": [{"revenue": amount} for amount in figures.revenues_fen],
                    "share_low": _percent(figures.share_low_ppm),
                    "share_high": _percent(figures.share_high_ppm),
                    "discount": _percent(figures.discount_ppm),
                }
            elif isinstance(figures, MarketInput):
                data["comparables"] = [
                    {
                        "what": deal.what,
                        "price": deal.price_fen,
                        "factor": deal.factor_ppm // _PPM_PER_PERCENT,
                    }
                    for deal in figures.comparables
                ]
            else:
                data |= {
                    "costs": [
                        {"what": item.what, "amount": item.amount_fen} for item in figures.items
                    ],
                    "profit": _percent(figures.profit_ppm),
                    "depreciation_low": _percent(figures.depreciation_low_ppm),
                    "depreciation_high": _percent(figures.depreciation_high_ppm),
                }
        return data


def _ppm(percent: Decimal | None) -> int:
    return 0 if percent is None else int(percent * _PPM_PER_PERCENT)


def _percent(ppm: int) -> Decimal:
    return Decimal(ppm) / _PPM_PER_PERCENT
