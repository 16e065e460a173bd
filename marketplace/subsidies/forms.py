"""Shapes of what people type about subsidies; the amount of a claim is never among it."""

from __future__ import annotations

from datetime import date

from werkzeug.datastructures import MultiDict
from wtforms.validators import ValidationError

from marketplace.contracts.rules import ContractType
from marketplace.foundation import web
from marketplace.foundation.attachments import ACCEPTED
from marketplace.foundation.money import FEN_PER_YUAN, Fen, format_yuan
from marketplace.subsidies.clawback_rules import ClawBackGround
from marketplace.subsidies.estimate_rules import (
    AGENCY,
    BUYER,
    OTHERS,
    REGISTRAR,
    SELLER,
    Question,
)
from marketplace.subsidies.rules import MOST_EXPERTS, ReviewDecision
from marketplace.subsidies.single_entry_rules import Entries, Recognition, Training
from marketplace.subsidies.trace_rules import Party, Period, RegisteredContract
from marketplace.subsidies.word_rules import ClaimItem, PartyKind

_PLACES = (("in", "在济南"), ("out", "不在济南"))
_SELLERS = (
    PartyKind.UNIVERSITY,
    PartyKind.RESEARCH_INSTITUTE,
    PartyKind.NEW_RD_INSTITUTION,
    PartyKind.INNOVATION_COMMUNITY,
    PartyKind.ENTERPRISE,
    PartyKind.AGENCY,
)
_BUYERS = (("sme", "中小微企业"), ("large", "大型企业"), ("other", "不是企业的单位"))


def _placed(choices: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [
        (f"{value}-{place}", f"{label}，{where}")
        for place, where in _PLACES
        for value, label in choices
    ]


class CalculatorForm(web.Form):
    """A contract in one screen; its state stands in the address."""

    type = web.ChoiceField("合同类型", ContractType, required=True)
    amount = web.YuanField("合同成交额", required=True)
    exempt = web.YuanField("其中免税额", hint="税务系统的数据，只有征求意见稿用到")
    on = web.DateField("认定登记日期", required=True)
    fiscal = web.FlagField("用财政资金购买")
    seller = web.ChoiceField("卖方", _placed([(k.value, k.label) for k in _SELLERS]), required=True)
    buyer = web.ChoiceField("买方", _placed(list(_BUYERS)), required=True)
    agency = web.ChoiceField(
        "服务机构",
        [("filed", "已备案，在有效期内"), ("unfiled", "没有备案"), ("filed-out", "不在济南")],
        empty="没有服务机构",
    )
    agency_before = web.YuanField("服务机构本年此前促成")
    registrar_before = web.YuanField("登记机构本年此前登记")

    @classmethod
    def asked(cls, given: MultiDict[str, str], *, today: date) -> CalculatorForm:
        """Build the form from the address, with an example where nothing is asked yet."""
        values = MultiDict(
            {
                "type": ContractType.TRANSFER.value,
                "amount": "2,600,000",
                "exempt": "2,500,000",
                "on": today.isoformat(),
                "seller": f"{PartyKind.UNIVERSITY.value}-in",
                "buyer": "sme-in",
                "agency": "filed",
                "agency_before": "0",
                "registrar_before": "0",
            }
        )
        if "amount" in given:
            values["exempt"] = ""  # the example's belongs to the example's amount
        for name in given:
            values[name] = given[name]
        return cls(formdata=values)

    def validate_exempt(self, field: web.YuanField) -> None:
        """Refuse a tax-exempt part that is larger than the contract."""
        whole = self.amount.data
        if field.data is not None and whole is not None and field.data > whole:
            raise ValidationError(
                f"免税额不能大于合同成交额 {format_yuan(whole)} 元，请核对两个金额"
            )

    def question(self) -> Question:
        """Turn the valid form into the question that the rules answer."""
        seller_kind, seller_place = self.seller.data.rsplit("-", 1)
        buyer_kind, buyer_place = self.buyer.data.rsplit("-", 1)
        agency = self.agency.data
        filed = (Period(None, None),) if agency and agency.startswith("filed") else ()
        enterprise = PartyKind.ENTERPRISE
        buyer = PartyKind.UNIVERSITY if buyer_kind == "other" else enterprise
        here = {"in": True, "out": False}
        parties = {
            SELLER: Party(SELLER, SELLER, PartyKind(seller_kind), here[seller_place], sme=False),
            BUYER: Party(BUYER, BUYER, buyer, here[buyer_place], sme=buyer_kind == "sme"),
            AGENCY: Party(
                AGENCY, AGENCY, PartyKind.AGENCY, agency != "filed-out", sme=False, filings=filed
            ),
            REGISTRAR: Party(REGISTRAR, REGISTRAR, PartyKind.REGISTRAR, in_city=True, sme=False),
            OTHERS: Party(OTHERS, OTHERS, enterprise, in_city=True, sme=False),
        }
        contract = RegisteredContract(
            contract_no="本合同",
            contract_type=self.type.data,
            registered_on=self.on.data,
            amount_fen=self.amount.data,
            technology_amount_fen=self.amount.data,
            tax_exempt_amount_fen=self.exempt.data,
            seller=SELLER,
            buyer=BUYER,
            agency=AGENCY if agency else None,
            registrar=REGISTRAR,
            fiscal_funds=bool(self.fiscal.data),
        )
        return Question(
            contract,
            parties,
            agency_before_fen=self.agency_before.data or Fen(0),
            registrar_before_fen=self.registrar_before.data or Fen(0),
        )


class RoundForm(web.Form):
    """A notice that opens a year's applications."""

    year = web.IntField("补助年度", least=2020, most=2100, required=True, unit="年")
    title = web.TextField("通知标题", required=True, longest=100)
    items = web.ChoicesField("受理项目", ClaimItem, required=True)
    opens_on = web.DateField("受理开始", required=True)
    closes_on = web.DateField("受理截止", required=True)
    budget = web.YuanField(
        "本批预算", required=True, hint="应付合计超过预算时，全部申报按同一比例缩减"
    )
    expert_count = web.IntField(
        "每件评审专家", least=1, most=MOST_EXPERTS, required=True, unit="名"
    )
    eligible = web.LongTextField("申报对象", rows=3, longest=1000, required=True)
    documents = web.LongTextField("申报材料", rows=3, longest=1000, required=True)
    body = web.LongTextField("通知正文", hint="联系方式等其他说明，公开显示")


class ApplicationForm(web.Form):
    """What an applicant confirms: the account, the person to ask, proofs, a declaration."""

    confirmed = web.TextField("确认金额", longest=20)
    contact_name = web.TextField("经办人", required=True, longest=40)
    contact_phone = web.TextField("联系电话", required=True, longest=40)
    bank_name = web.TextField("开户银行", required=True, longest=80, hint="写到支行")
    bank_account = web.TextField("银行账号", required=True, longest=40, hint="须是本单位对公账户")
    statement = web.LongTextField("说明", rows=3, hint="需要审核人员知道的情况，可不填")
    attachments = web.FilesField(
        "证明材料", hint=f"付款凭证、认定文件等；{ACCEPTED}，每个不超过 15 MB，可多选"
    )
    declared = web.FlagField(
        "承诺：所报事项真实，没有在别处申领；虚报冒领的，退回补助并记入科研诚信记录",
        required=True,
    )

    @property
    def confirmed_fen(self) -> Fen | None:
        """Return the amount in fen that the page showed, None when it was tampered with."""
        written = self.confirmed.data or ""
        return Fen(int(written)) if written.isascii() and written.isdigit() else None


class RecognitionForm(web.Form):
    """A recognition that a single payment rests on."""

    recognition_document = web.TextField("认定文件文号", required=True, longest=100)
    recognised_on = web.DateField("认定日期", required=True)
    excellent = web.FlagField("省级评价结果为优秀")

    def entries(self) -> Entries:
        """Turn the valid form into what the claim keeps."""
        return Entries(
            Recognition(
                self.recognition_document.data.strip(),
                self.recognised_on.data,
                bool(self.excellent.data),
            )
        )


class TrainingRow(web.RowForm):
    """What one broker's training cost."""

    person = web.TextField("姓名", required=True, longest=40)
    certificate_no = web.TextField("证书号", required=True, longest=60)
    ended_on = web.DateField("培训结束日", required=True)
    fee = web.YuanField("培训费", required=True)


class TrainingForm(web.Form):
    """The trainings that a claim for their fees rests on."""

    trainings = web.RowsField(
        "技术经理人培训", TrainingRow, hint="一张证书补助一次；发票和证书请在下面作为附件上传"
    )

    def entries(self) -> Entries:
        """Turn the valid form into what the claim keeps."""
        return Entries(
            trainings=tuple(
                Training(
                    row["person"].strip(),
                    row["certificate_no"].strip(),
                    row["ended_on"],
                    row["fee"],
                )
                for row in self.trainings.filled()
            )
        )


class ReviewForm(web.Form):
    """A reviewer's decision."""

    decision = web.ChoiceField("结论", ReviewDecision, required=True, radio=True)
    opinion = web.LongTextField("意见", rows=3, hint="退回或不予支持时必填，申报单位会看到")
    score = web.IntField("评分", least=0, most=100, unit="分")
    unconcerned = web.FlagField("本人与申报单位及合同各方没有利害关系")


class PaymentForm(web.Form):
    """The treasurer's confirmation of one payment."""

    reference = web.TextField("国库支付凭证号", required=True, longest=60)


class RecallForm(web.Form):
    """Why the bureau sends a claim back after its reviews."""

    reason = web.LongTextField("退回理由和补正内容", required=True, rows=3, longest=500)


class ClawBackForm(web.Form):
    """Why and how much of a paid claim is taken back, and until when."""

    ground = web.ChoiceField("追回原因", ClawBackGround, required=True)
    amount = web.YuanField("追回金额", required=True, hint="不超过已支付的金额")
    reason = web.LongTextField("事实", required=True, rows=3, hint="失信的会公开在科研诚信记录中")
    document = web.TextField("处理决定文号", required=True, longest=60)
    due_on = web.DateField("退款期限", required=True)
    dishonest_until = web.DateField("失信记录截止", hint="虚报冒领、虚假技术合同必填，其他不填")


class ReceiptForm(web.Form):
    """The treasurer's confirmation that a clawed-back amount arrived."""

    amount = web.YuanField("到账金额", required=True)
    reference = web.TextField("收款凭证号", required=True, longest=60)


def yuan_text(fen: Fen) -> str:
    """Write whole yuan the way a link to the calculator carries them."""
    return format_yuan(fen) if fen % FEN_PER_YUAN else str(fen // FEN_PER_YUAN)
