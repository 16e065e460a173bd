"""The shapes of service orders: a form per line, and the answers of both sides."""

from __future__ import annotations

from collections.abc import Sequence

from marketplace.achievements.rules import IPKind
from marketplace.foundation import web
from marketplace.techservices.finance_rules import FinanceDetails
from marketplace.techservices.instrument_rules import InstrumentDetails
from marketplace.techservices.ip_rules import IPDetails
from marketplace.techservices.line_rules import LINES, Details
from marketplace.techservices.park_rules import Carrier, ParkDetails, ProjectStage
from marketplace.techservices.rules import ServiceKind, ServiceLine
from marketplace.techservices.service import OrderContent


class OrderForm(web.Form):
    """What every order asks for; each line adds its own fields."""

    kind = web.ChoiceField("服务", ServiceKind, required=True)
    provider = web.ChoiceField("服务机构", [], required=True)
    title = web.TextField("委托名称", required=True, longest=100, hint="一句话说清要办什么")
    achievement = web.ChoiceField(
        "相关成果", [], empty="不关联", hint="选填；关联后办理情况可以对上"
    )
    wishes = web.LongTextField("补充说明", longest=3000, rows=3)

    def offer(
        self,
        line: ServiceLine,
        providers: Sequence[tuple[int, str]],
        achievements: Sequence[tuple[int, str]],
    ) -> None:
        """Offer the line's kinds, its providers and the customer's achievements."""
        kinds = LINES[line].kinds
        self.kind.offer(
            [
                ("", "请选择"),
                *((kind.value, kind.label) for kind in kinds),
            ]
        )
        self.provider.offer([("", "请选择"), *((str(key), name) for key, name in providers)])
        self.achievement.offer(
            [
                ("", "不关联"),
                *((str(key), title) for key, title in achievements),
            ]
        )

    def details(self) -> Details:
        """Return what the line's own fields hold."""
        raise NotImplementedError

    def own_fields(self) -> list[str]:
        """Return the names of the line's own fields, in order."""
        raise NotImplementedError

    def content(self) -> OrderContent:
        """Return the whole order as typed."""
        return OrderContent(
            kind=self.kind.data,
            provider_organisation_id=int(self.provider.data),
            title=self.title.data,
            details=self.details(),
            wishes=self.wishes.data,
            achievement_id=int(self.achievement.data) if self.achievement.data else None,
            voucher_wanted=self._wants_voucher(),
        )

    def _wants_voucher(self) -> bool:
        return False


class IPOrderForm(OrderForm):
    """An order of an IP firm."""

    right_kind = web.ChoiceField("权利类型", IPKind, required=True)
    right_title = web.TextField("权利或发明名称", required=True, longest=200)
    right_number = web.TextField(
        "申请号或专利号", longest=60, hint="新申请不填；填了会核对校验位", placeholder="ZL2019…"
    )
    deadline_on = web.DateField("期限", hint="年费填缴纳期限，其他选填")

    def own_fields(self) -> list[str]:
        """Return the names of the line's own fields, in order."""
        return ["right_kind", "right_title", "right_number", "deadline_on"]

    def details(self) -> IPDetails:
        """Return the right that the order is about."""
        return IPDetails(
            self.right_kind.data,
            self.right_title.data,
            self.right_number.data,
            self.deadline_on.data,
        )


class FinanceOrderForm(OrderForm):
    """An order of a financial institution."""

    purpose = web.LongTextField("资金用途或评价目的", required=True, longest=2000, rows=3)
    amount = web.YuanField("金额", hint="担保、贷款、投资必填")
    term_months = web.IntField("期限", unit="个月", least=1, most=120, hint="担保、贷款必填")
    pledge = web.TextField("质押或担保", longest=300, hint="如：发明专利 2 项质押")

    def own_fields(self) -> list[str]:
        """Return the names of the line's own fields, in order."""
        return ["purpose", "amount", "term_months", "pledge"]

    def details(self) -> FinanceDetails:
        """Return what money is wanted."""
        return FinanceDetails(
            self.purpose.data, self.amount.data, self.term_months.data, self.pledge.data
        )


class ParkOrderForm(OrderForm):
    """A proposal to a park."""

    stage = web.ChoiceField("项目阶段", ProjectStage, required=True)
    carrier = web.ChoiceField("载体", Carrier, required=True)
    area_m2 = web.IntField("需要面积", unit="平方米", least=1, most=1_000_000, required=True)
    team_size = web.IntField("团队人数", unit="人", least=1, most=10_000, required=True)
    visit_on = web.DateField("希望考察的日期")
    requirements = web.TextField("其他要求", longest=500, hint="如：层高、承重、排污、用电")

    def own_fields(self) -> list[str]:
        """Return the names of the line's own fields, in order."""
        return ["stage", "carrier", "area_m2", "team_size", "visit_on", "requirements"]

    def details(self) -> ParkDetails:
        """Return what the project needs."""
        return ParkDetails(
            self.stage.data,
            self.carrier.data,
            self.area_m2.data,
            self.team_size.data,
            self.visit_on.data,
            self.requirements.data,
        )


class InstrumentOrderForm(OrderForm):
    """An order of tests on another institution's instruments."""

    instrument = web.TextField("仪器或检测项目", required=True, longest=200)
    samples = web.LongTextField("样品与要测的指标", required=True, longest=2000, rows=3)
    sample_count = web.IntField("样品数", least=1, most=10_000, required=True, unit="个")
    voucher = web.FlagField(
        "使用大型仪器共享券", hint="最多抵服务费的 40 %，每家企业每年合计不超过 50 万元"
    )

    def own_fields(self) -> list[str]:
        """Return the names of the line's own fields, in order."""
        return ["instrument", "samples", "sample_count", "voucher"]

    def details(self) -> InstrumentDetails:
        """Return what is to be tested."""
        return InstrumentDetails(self.instrument.data, self.samples.data, self.sample_count.data)

    def _wants_voucher(self) -> bool:
        return bool(self.voucher.data)


FORMS: dict[ServiceLine, type[OrderForm]] = {
    ServiceLine.IP: IPOrderForm,
    ServiceLine.FINANCE: FinanceOrderForm,
    ServiceLine.PARK: ParkOrderForm,
    ServiceLine.INSTRUMENT: InstrumentOrderForm,
}


class AcceptForm(web.Form):
    """The provider takes an order."""

    fee = web.YuanField("服务费", required=True, hint="不收费填 0")
    due_on = web.DateField("完成日期", required=True)


class DeclineForm(web.Form):
    """The provider declines an order."""

    reason = web.LongTextField(
        "不接受的理由", required=True, longest=1000, rows=3, hint="会原样告知客户，便于其另选"
    )


class ReportForm(web.Form):
    """One step of the work."""

    note = web.LongTextField(
        "办理进展", required=True, longest=1000, rows=3, hint="如：材料已提交；约定 3 月 20 日考察"
    )


class DeliverForm(web.Form):
    """What came of the order."""

    result = web.LongTextField(
        "办理结果",
        required=True,
        longest=3000,
        rows=4,
        hint="如：受理号、放款金额与期限、入驻地点与协议编号、检测报告编号",
    )


class ConfirmForm(web.Form):
    """The customer confirms and records what it paid."""

    paid = web.YuanField("实付金额", required=True, hint="贵单位自己付的部分，不含创新券")
