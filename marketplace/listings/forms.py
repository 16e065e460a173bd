"""The shapes of what sellers, buyers and the operator type in the trading hall."""

from __future__ import annotations

from marketplace.foundation import web
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import PaymentMode, TradingMode
from marketplace.listings.rules import PricingMode
from marketplace.listings.service import IntentContent, ListingContent
from marketplace.listings.trial_rules import PriceFormula, TrialTerms


class ListingForm(web.Form):
    """A seller's application."""

    title = web.TextField(
        "标的名称", required=True, longest=120, hint="写明转让或许可的是什么，含几项知识产权"
    )
    pricing_mode = web.ChoiceField(
        "定价方式",
        PricingMode,
        required=True,
        radio=True,
        hint="协议定价须公示 15 天；挂牌、竞价在两家以上合格时进入竞价；拍卖、招标由持证机构组织",
    )
    trading_mode = web.ChoiceField("转化方式", TradingMode, required=True)
    base_price_fen = web.YuanField("挂牌底价", required=True, hint="成交价不会低于底价")
    increment_fen = web.YuanField("每档加价", hint="竞价时每次加价是它的整数倍；协议定价不填")
    deposit_fen = web.YuanField("保证金", hint="底价的 10%–30%；协议定价可以不收")
    payment_mode = web.ChoiceField("支付方式", PaymentMode, required=True)
    payment_terms = web.LongTextField(
        "付款条件", required=True, longest=1000, rows=2, hint="期次、比例和时间"
    )
    conditions = web.LongTextField(
        "受让条件",
        longest=2000,
        rows=3,
        hint="对受让方资格、实施地域、技术服务等的要求；可不填",
    )

    agent_name = web.TextField("拍卖企业或招标代理机构", longest=120, hint="只在拍卖、招标时填写")
    agent_licence = web.TextField("批准证书或委托合同编号", longest=80)
    trial_months = web.IntField(
        "试用期", least=1, most=36, unit="个月", hint="只在先使用后付费时填写，下同"
    )
    trial_conditions = web.LongTextField(
        "怎样算试用合格", longest=1000, rows=2, hint="在什么条件下、达到哪些指标"
    )
    trial_formula = web.ChoiceField("计价公式", PriceFormula)
    trial_rate = web.YuanField("价格或单价", hint="约定价格，或每单位的价格")
    trial_unit = web.TextField("计价单位", longest=20, hint="如吨、台；按产量或用量计价时填")
    trial_share = web.PercentField("提成比例", hint="按实施收入提成时填")
    trial_floor = web.YuanField("最低价")
    trial_cap = web.YuanField("最高价", hint="不设上限不填")

    def trial(self) -> TrialTerms | None:
        """Return the terms of a trial, None in every other mode."""
        if self.trading_mode.data is not TradingMode.TRIAL:
            return None
        return TrialTerms(
            months=self.trial_months.data or 0,
            conditions=self.trial_conditions.data,
            formula=self.trial_formula.data or PriceFormula.FIXED,
            rate_fen=self.trial_rate.data or Fen(0),
            rate_per_mille=int((self.trial_share.data or 0) * 10),
            unit=self.trial_unit.data,
            floor_fen=self.trial_floor.data or Fen(0),
            cap_fen=self.trial_cap.data,
        )

    def content(self) -> ListingContent:
        """Return what was typed as a value; only after validation."""
        return ListingContent(
            title=self.title.data,
            pricing_mode=self.pricing_mode.data,
            trading_mode=self.trading_mode.data,
            base_price_fen=self.base_price_fen.data,
            increment_fen=self.increment_fen.data or Fen(0),
            deposit_fen=self.deposit_fen.data or Fen(0),
            payment_mode=self.payment_mode.data,
            payment_terms=self.payment_terms.data,
            conditions=self.conditions.data,
            agent_name=self.agent_name.data,
            agent_licence=self.agent_licence.data,
            trial=self.trial(),
        )


class RevisionForm(ListingForm):
    """A notice that stands, changed, with the reason."""

    reason = web.LongTextField("变更原因", required=True, longest=500, rows=2, hint="随新版本公开")


class PriorityForm(web.Form):
    """A holder's answer, or what the seller has in writing."""

    answer = web.ChoiceField(
        "答复",
        [("waive", "放弃优先受让"), ("claim", "主张优先受让")],
        required=True,
        radio=True,
    )
    note = web.TextField("说明", longest=300, hint="代为登记的写书面答复的名称和日期")


class TakingForm(web.Form):
    """Whether the holder of a priority right takes the technology at the price found."""

    answer = web.ChoiceField(
        "答复",
        [("take", "按成交价优先受让"), ("leave", "让给受让方")],
        required=True,
        radio=True,
    )


class CertificateFileForm(web.Form):
    """A certificate's file, to be compared."""

    file = web.FilesField(
        "凭证 PDF 文件", accept=".pdf", hint="点选文件，或把文件拖到这里；扫描件和截图不能比对"
    )


class OutsideForm(web.Form):
    """The result of an auction or a tender."""

    price_fen = web.YuanField("成交价", required=True)
    document = web.TextField("成交确认书或中标通知书编号", required=True, longest=80)


class TrialEndForm(web.Form):
    """How a trial ended."""

    decision = web.ChoiceField(
        "决定",
        [("adopt", "采用，按公式付费"), ("drop", "不采用，不付费")],
        required=True,
        radio=True,
    )
    units = web.IntField("实际产量或用量", least=0, hint="按产量或用量计价时填")
    revenue = web.YuanField("实施收入", hint="按收入提成时填")
    result = web.LongTextField("试用结果", required=True, longest=1000, rows=3)


class IntentForm(web.Form):
    """A buyer's intent."""

    offer_fen = web.YuanField("意向价格", required=True, hint="不低于底价；仅一家合格时按此价成交")
    plan = web.LongTextField(
        "实施计划",
        required=True,
        longest=2000,
        rows=4,
        hint="在哪里、用什么、多久投产；给转让方看",
    )
    related_party = web.FlagField("受让方与成果完成人或转让方有关联关系", hint="成交公示时会注明")
    relation = web.TextField("关联关系", longest=200, hint="例如：受让方股东为第一发明人")
    promised = web.FlagField(
        "已阅读公告和交易规则，承诺具备受让条件，按意向价格或竞价结果受让，不撤销报价",
        required=True,
    )

    def content(self) -> IntentContent:
        """Return what was typed as a value; only after validation."""
        return IntentContent(
            offer_fen=self.offer_fen.data,
            plan=self.plan.data,
            promised=bool(self.promised.data),
            related_party=bool(self.related_party.data),
            relation=self.relation.data,
        )


class ReasonForm(web.Form):
    """Why something is returned, rejected, withdrawn or ended."""

    reason = web.LongTextField("原因", required=True, longest=500, rows=3)


class AnnounceForm(web.Form):
    """How long an announcement stands; empty for what the price asks."""

    workdays = web.IntField(
        "公告期",
        least=1,
        most=250,
        unit="个工作日",
        hint="不填则 10 个，底价超过 1000 万元 20 个",
    )


class PriceForm(web.Form):
    """The price that seller and buyer agreed."""

    price_fen = web.YuanField("协议价格", required=True, hint="不低于公告的底价；提交后立即公示")
