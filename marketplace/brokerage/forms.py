"""Forms of deals, their terms, the brokers' register and the filing of agencies."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from wtforms import HiddenField
from wtforms.validators import ValidationError

from marketplace.brokerage.pipeline_parameters import pipelines
from marketplace.brokerage.register_rules import BrokerLevel, Certificate, FilingFigures
from marketplace.brokerage.rules import LostReason, NoteKind, NoteVisibility
from marketplace.brokerage.terms_rules import (
    CommissionBasis,
    CommissionPayer,
    CommissionTerms,
    DueWhen,
)
from marketplace.brokerage.today_rules import CallOutcome
from marketplace.foundation import web
from marketplace.foundation.trade import TechnologyField, TradingMode


class DealForm(web.Form):
    """Pair an achievement with a need or with an enterprise."""

    achievement_id = web.TextField(
        "成果编号",
        longest=40,
        placeholder="CG-2024-0045",
        hint="成果页面标题上方的编号",
    )
    need_id = web.TextField(
        "需求编号",
        longest=40,
        placeholder="XQ-2024-0027",
        hint="有需求条目时填写，买方随需求带出",
    )
    buyer_uscc = web.UsccField("买方统一社会信用代码", hint="没有需求条目时填写")
    title = web.TextField("项目名称", longest=80, hint="留空则按“成果 × 企业”自动生成")
    pipeline = web.ChoiceField(
        "流程",
        [(each.code, each.name) for each in pipelines().offered],
        empty="按来历选择",
        hint="决定项目板上的步骤和每步要有什么；签约之前可以换",
    )


class PipelineForm(web.Form):
    """The pipeline in which a deal goes on."""

    pipeline = web.ChoiceField(
        "换成哪个流程",
        [(each.code, each.name) for each in pipelines().offered],
        required=True,
        radio=True,
    )

    def leave_out(self, code: str) -> None:
        """Offer every pipeline but the one in which the deal is."""
        self.pipeline.offer(
            [(each.code, each.name) for each in pipelines().offered if each.code != code]
        )


class InterestForm(web.Form):
    """Tell the owner of an achievement that one wants it."""

    message = web.LongTextField(
        "想用在哪里，想知道什么",
        required=True,
        longest=2_000,
        hint="写明用途、规模和时间，成果方更容易答复",
    )


class NoteForm(web.Form):
    """A note on a deal."""

    kind = web.ChoiceField("方式", NoteKind, required=True, empty="选择方式")
    visibility = web.ChoiceField("谁能看到", NoteVisibility, required=True, radio=True)
    body = web.LongTextField("谈了什么，结果怎样", required=True, longest=4_000, rows=3)


class TaskForm(web.Form):
    """The next thing to do."""

    what = web.TextField("下一步", required=True, longest=120, placeholder="回电话，问进料粒度")
    due_on = web.DateField("日期", required=True)


class FinishForm(web.Form):
    """The result of a task and what comes next."""

    result = web.LongTextField("结果", longest=2_000, rows=3, hint="记入备注，仅自己可见")
    kind = web.ChoiceField("方式", NoteKind, empty="不算一次联系")
    next_what = web.TextField("再下一步", longest=120)
    next_due_on = web.DateField("日期")


class TermsForm(web.Form):
    """What the parties agree on."""

    title = web.TextField("项目名称", required=True, longest=80)
    amount_fen = web.YuanField("谈定的价格", hint="还没谈定就留空")
    trading_mode = web.ChoiceField("转化方式", TradingMode, empty="还没谈定")
    signed_on = web.DateField("签订日期", hint="签了合同再填")


class LossForm(web.Form):
    """Why a deal came to nothing."""

    reason_code = web.ChoiceField("主要原因", LostReason, required=True, radio=True)
    reason = web.LongTextField(
        "说明",
        required=True,
        longest=2_000,
        hint="写给成果方的团队看：差在哪里，怎样才会成。至少 10 个字",
    )


class ViewNameForm(web.Form):
    """The name of a kept view."""

    name = web.TextField("名字", required=True, longest=20)


class ChanceForm(web.Form):
    """What a deal's leader thinks of its chance, and why."""

    percent = web.IntField("签约机会", required=True, hint="1 到 99")
    reason = web.TextField(
        "为什么与测算不同",
        required=True,
        longest=200,
        placeholder="对方董事会已经批了预算",
    )


class WaiverForm(web.Form):
    """Why the talks need no confidentiality agreement."""

    waiver_reason = web.TextField(
        "不需要保密协议的理由", required=True, longest=200, placeholder="只谈已公开的专利内容"
    )


class RevokeForm(web.Form):
    """Why the confidential layer is closed again."""

    reason = web.TextField("收回的理由", required=True, longest=200)


class ShareRow(web.RowForm):
    """One broker's part of a commission."""

    broker = web.ChoiceField("技术经理人", [], empty="选择经理人")
    share_percent = web.PercentField("份额")

    def validate_share_percent(self, field: web.PercentField) -> None:
        """Refuse a share finer than a ten-thousandth, and one of nobody."""
        _whole_hundredths(field)
        if field.data is not None and self.broker.data is None:
            raise ValidationError("请选择这一份属于哪位经理人")


class CommissionForm(web.Form):
    """A commission that the broker proposes."""

    payer = web.ChoiceField("由谁支付", CommissionPayer, required=True, radio=True)
    basis = web.ChoiceField("计算方式", CommissionBasis, required=True, radio=True)
    rate_percent = web.PercentField("比例", hint="最多两位小数，例如 3 或 2.25")
    minimum_fen = web.YuanField("保底金额", hint="按比例算出的少于它时按它付；没有保底就留空")
    fixed_fen = web.YuanField("固定金额")
    due_when = web.ChoiceField("什么时候付", DueWhen, radio=True, hint="不选即合同登记时应付")
    partners = web.RowsField(
        "几位经理人分佣",
        ShareRow,
        spare=2,
        most=5,
        hint="只有您一位就不填；填了就把您自己也写进去，合计 100 %",
    )

    def offer_brokers(self, brokers: Sequence[tuple[str, str]]) -> None:
        """Offer the register's brokers in every row of the shares."""
        for entry in self.partners.entries:
            entry.form.broker.offer([("", "选择经理人"), *brokers])

    def terms(self) -> CommissionTerms:
        """Read the terms; a rate with more than two decimals is refused by ``validate``."""
        rate: Decimal | None = self.rate_percent.data
        return CommissionTerms(
            self.basis.data,
            None if rate is None else int(rate * 100),
            self.fixed_fen.data,
            self.minimum_fen.data,
            self.due_when.data or DueWhen.REGISTRATION,
        )

    def shares(self) -> list[tuple[int, int]]:
        """Read (broker's user id, ten-thousandths) of every row."""
        return [
            (int(row["broker"]), int(row["share_percent"] * 100)) for row in self.partners.filled()
        ]

    def validate_rate_percent(self, field: web.PercentField) -> None:
        """Refuse a rate finer than a ten-thousandth, which the agreement cannot hold."""
        _whole_hundredths(field)


def _whole_hundredths(field: web.PercentField) -> None:
    if field.data is not None and field.data * 100 != int(field.data * 100):
        raise ValidationError("百分比最多两位小数，例如 2.25")


class ProfileForm(web.Form):
    """A broker's own entry in the register."""

    level = web.ChoiceField("级别", BrokerLevel, empty="没有证书")
    certificate_no = web.TextField("证书编号", longest=60)
    certificate_issuer = web.TextField("发证机构", longest=80)
    certificate_valid_to = web.DateField("证书有效期至", hint="长期有效的留空")
    fields = web.ChoicesField("熟悉的技术领域", TechnologyField)
    introduction = web.LongTextField(
        "介绍", longest=1_500, hint="做过哪些项目、熟悉哪些行业的设备和采购，写得越具体越好"
    )
    listed = web.FlagField("在公开名录中展示")

    def certificate(self) -> Certificate:
        """Read what is stated about the certificate."""
        return Certificate(
            self.level.data,
            str(self.certificate_no.data or ""),
            str(self.certificate_issuer.data or ""),
            self.certificate_valid_to.data,
        )


class ContactForm(web.Form):
    """Ask a broker to get in touch."""

    achievement_id = HiddenField()
    need_id = HiddenField()
    message = web.LongTextField("想谈什么", required=True, longest=1_500, rows=4)
    contact_name = web.TextField("联系人", required=True, longest=40)
    phone = web.TextField("电话", longest=30)
    phone_consent = web.FlagField(
        "同意把上面的电话告诉这位技术经理人，仅用于这次联系",
        hint="不勾选时电话不会转交，对方通过平台消息答复",
    )


class AnswerForm(web.Form):
    """A broker's answer to a request."""

    decision = web.ChoiceField(
        "决定", [("yes", "接手，由我联系"), ("no", "婉拒")], required=True, radio=True
    )
    answer = web.LongTextField("答复", required=True, longest=1_000, rows=3)


class FilingForm(web.Form):
    """An agency's application for its filing."""

    internal = web.ChoiceField(
        "机构性质",
        [("no", "独立的服务机构"), ("yes", "高校院所的内设机构")],
        required=True,
        radio=True,
    )
    figures_year = web.IntField("数据年度", least=2000, most=2100, required=True, unit="年")
    service_income_fen = web.YuanField("技术服务收入", required=True)
    brokered_fen = web.YuanField("促成技术交易额", required=True)
    conversion_count = web.IntField("完成转化项数", required=True, most=100_000, unit="项")
    contract_nos = web.LongTextField(
        "促成的合同登记编号",
        longest=4_000,
        rows=4,
        hint="一行一个；只能填本单位促成、在数据年度登记的合同，平台逐份核对",
    )
    statement = web.LongTextField("说明", longest=2_000, hint="团队、业务范围、代表项目")

    def contracts(self) -> list[str]:
        """Read the numbers of contracts, one to a line."""
        return str(self.contract_nos.data or "").upper().split()

    def figures(self) -> FilingFigures:
        """Read the figures."""
        return FilingFigures(
            self.internal.data == "yes",
            self.service_income_fen.data,
            self.brokered_fen.data,
            self.conversion_count.data,
        )


class ApprovalForm(web.Form):
    """The operator's approval of a filing."""

    valid_from = web.DateField("备案开始", required=True)
    valid_to = web.DateField("备案截止", required=True)


class DeclineForm(web.Form):
    """The operator's refusal of a filing."""

    reason = web.LongTextField("不通过的理由", required=True, longest=1_000, rows=3)


class CallForm(web.Form):
    """A call in one tap, or with what was said and what comes next."""

    outcome = web.ChoiceField("结果", CallOutcome, required=True, radio=True)
    words = web.LongTextField(
        "谈了什么", longest=2_000, rows=3, hint="可以不填；记入备注，仅自己可见"
    )
    next_what = web.TextField("下一步", longest=120, placeholder="寄检测报告")
    next_due_on = web.DateField("日期", hint="不填则按平台规则安排回访")


class NextForm(web.Form):
    """The day of the next step, as so many days from today."""

    days = web.IntField("几天后", required=True, least=1, most=365)
