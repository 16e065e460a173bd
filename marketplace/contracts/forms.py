"""The registration form of a contract: its fields, to a value and back.

The registrar's decisions and what follows a registration are in ``after_forms``.
"""

from __future__ import annotations

from typing import Any

from marketplace.achievements.rules import IPKind
from marketplace.contracts import parameters
from marketplace.contracts.payment_rules import Instalment
from marketplace.contracts.rules import (
    Contact,
    ContractContent,
    ContractSubtype,
    ContractType,
    Item,
    PlanSource,
)
from marketplace.foundation import web
from marketplace.foundation.attachments import ACCEPTED
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import PaymentMode, TechnologyField

_YES_NO = [("no", "否"), ("yes", "是")]


def _flag(value: bool | None) -> str | None:
    return None if value is None else "yes" if value else "no"


def _answer(value: Any) -> bool | None:
    return None if value in (None, "") else value == "yes"


class ItemForm(web.RowForm):
    """One non-technical part of the price."""

    label = web.TextField("费用名称", required=True, longest=60)
    amount_fen = web.YuanField("金额", required=True)


class InstalmentForm(web.RowForm):
    """One agreed payment."""

    due_on = web.DateField("最迟付款日", required=True)
    label = web.TextField("付款条件", required=True, longest=60)
    amount_fen = web.YuanField("金额", required=True)


class ContractForm(web.Form):
    """Everything that the registration form asks for."""

    project_name = web.TextField("项目名称", longest=120, hint="与合同上的项目名称一致")
    contract_type = web.ChoiceField("合同类型", ContractType)
    subtype = web.ChoiceField("合同种类", ContractSubtype)
    buyer_uscc = web.UsccField("买方统一社会信用代码", hint="买方须已在平台注册并通过核验")
    agency_organisation_id = web.ChoiceField("促成的服务机构", [], empty="没有")
    signed_on = web.DateField("签订日期")
    effective_on = web.DateField("生效日期")
    ends_on = web.DateField("截止日期")
    amount_fen = web.YuanField("成交总额")
    technology_amount_fen = web.YuanField("技术交易额", hint="成交总额扣除设备、材料等非技术性费用")
    items = web.RowsField(
        "非技术性费用",
        ItemForm,
        hint="逐项列出，使技术交易额与各项之和等于成交总额（技术合同司法解释第十四条）",
        spare=2,
        most=30,
    )
    tax_exempt_amount_fen = web.YuanField("免税金额", hint="税务系统中的免税数据，没有就留空")
    payment_mode = web.ChoiceField("支付方式", PaymentMode)
    payment_terms = web.LongTextField(
        "支付约定", longest=2_000, rows=3, hint="分期写各期时间与金额，提成写比例与起止"
    )
    schedule = web.RowsField(
        "付款计划",
        InstalmentForm,
        hint="分期支付的逐期列出，各期合计等于成交总额；提成部分不用列",
        spare=2,
        most=60,
    )
    related_parties = web.ChoiceField("双方是否有关联关系", _YES_NO)
    related_explanation = web.TextField("关联关系说明", longest=300)
    fiscal_funds = web.ChoiceField("买方是否用财政资金购买", _YES_NO)
    plan_source = web.ChoiceField("计划来源", PlanSource)
    ip_kind = web.ChoiceField("知识产权类型", IPKind, empty="请选择")
    no_ip = web.FlagField("不涉及知识产权")
    technology_field = web.ChoiceField("技术领域", TechnologyField)
    objective_code = web.ChoiceField("社会经济目标", [])
    industry_code = web.ChoiceField("国民经济行业", [])
    project_id = web.TextField(
        "项目标识", longest=40, hint="同一项技术多次转让的填同一个；留空由系统编号"
    )
    activity_id = web.TextField(
        "技术活动标识", longest=40, hint="同一次技术活动签了几份合同的填同一个；留空由系统编号"
    )
    seller_representative = web.TextField("卖方法定代表人", longest=40)
    seller_contact_name = web.TextField("卖方联系人", longest=40)
    seller_contact_phone = web.TextField("卖方电话", longest=30)
    buyer_representative = web.TextField("买方法定代表人", longest=40)
    buyer_contact_name = web.TextField("买方联系人", longest=40)
    buyer_contact_phone = web.TextField("买方电话", longest=30)
    registrar_organisation_id = web.ChoiceField("登记机构", [])
    attachments = web.FilesField(
        "合同文本",
        hint="正文请用 PDF、DOCX 或 TXT，平台据此提示合同类型。"
        f"可上传：{ACCEPTED}，每个不超过 15 MB",
    )

    def offer(self, *, agencies: list[tuple[str, str]], registrars: list[tuple[str, str]]) -> None:
        """Fill the lists that come from the database and from reference data."""
        lists = (
            (self.agency_organisation_id, agencies, "没有"),
            (self.registrar_organisation_id, registrars, "请选择"),
            (self.objective_code, list(parameters.objectives().items()), "请选择"),
            (self.industry_code, list(parameters.industries().items()), "请选择"),
        )
        for field, choices, empty in lists:
            field.offer([("", empty), *choices])

    def content(self) -> ContractContent:
        """Read the form into a value."""
        text = {name: str(self._fields[name].data or "") for name in _TEXTS}
        return ContractContent(
            project_name=text["project_name"],
            contract_type=self.contract_type.data,
            subtype=self.subtype.data,
            agency_organisation_id=_id(self.agency_organisation_id.data),
            registrar_organisation_id=_id(self.registrar_organisation_id.data),
            signed_on=self.signed_on.data,
            effective_on=self.effective_on.data,
            ends_on=self.ends_on.data,
            amount_fen=self.amount_fen.data,
            technology_amount_fen=self.technology_amount_fen.data,
            items=items_of(self.items),
            tax_exempt_amount_fen=self.tax_exempt_amount_fen.data,
            payment_mode=self.payment_mode.data,
            payment_terms=text["payment_terms"],
            schedule=tuple(
                Instalment(row["due_on"], str(row["label"]), Fen(row["amount_fen"]))
                for row in self.schedule.filled()
                if row["due_on"] is not None and row["amount_fen"] is not None
            ),
            related_parties=_answer(self.related_parties.data),
            related_explanation=text["related_explanation"],
            plan_source=self.plan_source.data,
            ip_kind=self.ip_kind.data,
            no_ip=bool(self.no_ip.data),
            technology_field=self.technology_field.data,
            objective_code=text["objective_code"],
            industry_code=text["industry_code"],
            fiscal_funds=_answer(self.fiscal_funds.data),
            project_id=text["project_id"],
            activity_id=text["activity_id"],
            seller_contact=Contact(
                text["seller_representative"],
                text["seller_contact_name"],
                text["seller_contact_phone"],
            ),
            buyer_contact=Contact(
                text["buyer_representative"],
                text["buyer_contact_name"],
                text["buyer_contact_phone"],
            ),
        )


_TEXTS = (
    "project_name",
    "payment_terms",
    "related_explanation",
    "objective_code",
    "industry_code",
    "project_id",
    "activity_id",
    "seller_representative",
    "seller_contact_name",
    "seller_contact_phone",
    "buyer_representative",
    "buyer_contact_name",
    "buyer_contact_phone",
)


def _id(value: Any) -> int | None:
    return int(value) if value and str(value).isdigit() else None


def items_of(rows: web.RowsField) -> tuple[Item, ...]:
    """Read the rows of non-technical items that were filled in."""
    return tuple(
        Item(str(row["label"]), Fen(row["amount_fen"]))
        for row in rows.filled()
        if row["amount_fen"] is not None
    )


def stored(content: ContractContent, *, buyer_uscc: str, version: int) -> dict[str, Any]:
    """Write a contract's content as the form's stored values."""
    return {
        "version": version,
        "buyer_uscc": buyer_uscc,
        "project_name": content.project_name,
        "contract_type": content.contract_type,
        "subtype": content.subtype,
        "agency_organisation_id": str(content.agency_organisation_id or ""),
        "registrar_organisation_id": str(content.registrar_organisation_id or ""),
        "signed_on": content.signed_on,
        "effective_on": content.effective_on,
        "ends_on": content.ends_on,
        "amount_fen": content.amount_fen,
        "technology_amount_fen": content.technology_amount_fen,
        "items": [{"label": item.label, "amount_fen": item.amount_fen} for item in content.items],
        "tax_exempt_amount_fen": content.tax_exempt_amount_fen,
        "payment_mode": content.payment_mode,
        "payment_terms": content.payment_terms,
        "schedule": [
            {"due_on": each.due_on, "label": each.label, "amount_fen": each.amount_fen}
            for each in content.schedule
        ],
        "related_parties": _flag(content.related_parties),
        "related_explanation": content.related_explanation,
        "fiscal_funds": _flag(content.fiscal_funds),
        "plan_source": content.plan_source,
        "ip_kind": content.ip_kind,
        "no_ip": content.no_ip,
        "technology_field": content.technology_field,
        "objective_code": content.objective_code,
        "industry_code": content.industry_code,
        "project_id": content.project_id,
        "activity_id": content.activity_id,
        "seller_representative": content.seller_contact.representative,
        "seller_contact_name": content.seller_contact.name,
        "seller_contact_phone": content.seller_contact.phone,
        "buyer_representative": content.buyer_contact.representative,
        "buyer_contact_name": content.buyer_contact.name,
        "buyer_contact_phone": content.buyer_contact.phone,
    }
