"""The shapes of what bidders, sellers and officers type around a bidding session."""

from __future__ import annotations

import wtforms

from marketplace.foundation import web
from marketplace.listings.bidding_rules import BiddingKind
from marketplace.listings.qualification_rules import JUDGED
from marketplace.listings.sealed_rules import Criterion


class BidForm(web.Form):
    """A bid, shown once more in capitals before it counts."""

    plate = wtforms.HiddenField()
    amount_fen = web.YuanField("报价", required=True)
    confirmed = web.FlagField("我确认此金额。出价后不能修改，不能撤回。", required=True)


class SealForm(BidForm):
    """A sealed bid as it is typed; it is confirmed on a page of its own."""

    confirmed = web.FlagField("我确认此金额。密封后不能修改，不能撤回。")


class LimitForm(web.Form):
    """A private limit."""

    id_prefix = "order"

    limit_fen = web.YuanField(
        "委托上限",
        required=True,
        hint="被超过时平台按最低报价代您出价，直到上限；别人看不到上限",
    )


class CriterionForm(web.RowForm):
    """One thing that is scored beside the price."""

    name = web.TextField("评分内容", longest=60)
    weight = web.IntField("权重", least=1, most=99, unit="%")


class BiddingForm(web.Form):
    """How bids are given, should it come to bidding."""

    kind = web.ChoiceField("竞价方式", BiddingKind, required=True, radio=True)
    criteria = web.RowsField(
        "价格以外的评分内容",
        CriterionForm,
        most=10,
        spare=3,
        hint="只有权重报价要填。其余权重归价格，价格不少于 30%；随公告公布，不能再改",
    )

    def chosen(self) -> list[Criterion]:
        """Return the criteria that were filled in."""
        return [Criterion(row["name"] or "", row["weight"] or 0) for row in self.criteria.filled()]


class AdmissionForm(web.Form):
    """The checklist of a buyer's qualification."""

    ticked = web.ChoicesField("逐项确认", [(item.value, item.label) for item in JUDGED])
    related = web.FlagField("认定为关联方", hint="可以受让，成交公示时注明关联关系")
    note = web.TextField("查证说明", longest=200, hint="有关联线索而认定为无关联时必填")


class TerminateForm(web.Form):
    """Why an awarded listing ends unsigned, and at whose fault."""

    reason = web.LongTextField("原因", required=True, longest=500, rows=3)
    forfeits = web.FlagField(
        "原因在受让方，保证金不予退还", hint="不勾选则无息退还；扣罚由另一位业务员付出"
    )


class PassphraseForm(web.Form):
    """An officer's opening passphrase."""

    passphrase = web.PasswordField(
        "开标口令", hint="至少 12 个字符，不同于登录密码；平台不保存", autocomplete="off"
    )


class VoidForm(web.Form):
    """Why a session that cannot be opened is voided."""

    id_prefix = "void"

    reason = web.LongTextField("作废原因", required=True, longest=500, rows=2)
