"""The pre-check (预检): what a registration form still lacks, said before it is sent.

Pure. The registrar sees the same list beside the contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.contracts.content_rules import content_problems
from marketplace.contracts.rules import IP_OF_SUBTYPE, ContractContent, ContractType
from marketplace.foundation.errors import Problem
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.trade import PaymentMode


@dataclass(frozen=True)
class Check:
    """One line of the pre-check; ``problem`` is None where it passes."""

    label: str
    problem: Problem | None = None

    @property
    def passed(self) -> bool:
        """Tell whether nothing is missing here."""
        return self.problem is None


def precheck(content: ContractContent, *, has_text: bool, today: date) -> list[Check]:
    """Go through the form as a registrar would; every line passes or says what is missing."""
    contradictions = content_problems(content, today=today)

    def line(label: str, fields: tuple[str, ...], missing: Problem | None) -> Check:
        found = next((p for p in contradictions if p.field in fields), None)
        return Check(label, found or missing)

    return [
        line("项目名称", ("project_name",), _name(content)),
        line("合同类型与种类", ("contract_type", "subtype"), _type(content)),
        line("双方当事人", ("buyer_uscc",), _parties(content)),
        line("代表人与联系人", (), _contacts(content)),
        line("签订、生效与期限", ("signed_on", "effective_on", "ends_on"), _dates(content)),
        line(
            "成交总额与技术交易额",
            ("amount_fen", "technology_amount_fen", "tax_exempt_amount_fen"),
            _amounts(content),
        ),
        line("非技术性费用分项", ("items",), _items(content)),
        line("支付方式与付款计划", ("payment_mode", "schedule"), _payment(content)),
        line("关联交易申报", ("related_parties",), _related(content)),
        line("财政资金申报", ("fiscal_funds",), _fiscal(content)),
        line("知识产权类型", ("ip_kind",), _ip(content)),
        line("统计分类", ("technology_field",), _statistics(content)),
        line("登记机构", ("registrar_organisation_id",), _registrar(content)),
        Check("合同文本", None if has_text else _TEXT),
    ]


_TEXT = Problem(
    "contracts.no_text", "请上传双方盖章的合同文本（PDF、Word 或扫描图片）", "attachments"
)


def _name(content: ContractContent) -> Problem | None:
    if len(content.project_name) >= 4:
        return None
    return Problem(
        "contracts.project_name", "请填写项目名称，与合同上的项目名称一致", "project_name"
    )


def _type(content: ContractContent) -> Problem | None:
    if content.contract_type is None:
        return Problem("contracts.no_type", "请选择合同类型", "contract_type")
    if content.subtype is None:
        return Problem("contracts.no_subtype", "请选择合同种类", "subtype")
    return None


def _parties(content: ContractContent) -> Problem | None:
    if content.seller_organisation_id is None or content.buyer_organisation_id is None:
        return Problem(
            "contracts.no_buyer", "请填写买方的统一社会信用代码，买方须已在平台注册", "buyer_uscc"
        )
    return None


def _contacts(content: ContractContent) -> Problem | None:
    for side, contact, field in (
        ("卖方", content.seller_contact, "seller_representative"),
        ("买方", content.buyer_contact, "buyer_representative"),
    ):
        if not (contact.representative and contact.name and contact.phone):
            return Problem("contracts.contact", f"请填写{side}的法定代表人、联系人和电话", field)
    return None


def _dates(content: ContractContent) -> Problem | None:
    for value, what, field in (
        (content.signed_on, "签订日期", "signed_on"),
        (content.effective_on, "生效日期", "effective_on"),
        (content.ends_on, "截止日期", "ends_on"),
    ):
        if value is None:
            return Problem("contracts.no_date", f"请填写{what}", field)
    return None


def _amounts(content: ContractContent) -> Problem | None:
    if content.amount_fen is None:
        return Problem("contracts.no_amount", "请填写成交总额", "amount_fen")
    if content.technology_amount_fen is None:
        return Problem(
            "contracts.no_technology_amount", "请填写技术交易额", "technology_amount_fen"
        )
    return None


def _items(content: ContractContent) -> Problem | None:
    if content.amount_fen is None or content.technology_amount_fen is None:
        return None
    rest = content.amount_fen - content.technology_amount_fen
    rest -= sum(item.amount_fen for item in content.items)
    if rest == 0:
        return None
    return Problem(
        "contracts.items_missing",
        f"成交总额中还有 {format_yuan(Fen(rest))} 元没有说明：非技术性费用应逐项列出，"
        "使技术交易额与各项之和等于成交总额",
        "items",
    )


def _payment(content: ContractContent) -> Problem | None:
    if content.payment_mode is None:
        return Problem("contracts.no_payment_mode", "请选择支付方式", "payment_mode")
    if content.payment_mode is not PaymentMode.LUMP_SUM and len(content.payment_terms) < 4:
        return Problem(
            "contracts.no_payment_terms",
            f"{content.payment_mode.label}须写明各期的时间与金额，或提成的比例与起止",
            "payment_terms",
        )
    planned = sum(instalment.amount_fen for instalment in content.schedule)
    if content.payment_mode is PaymentMode.INSTALMENTS and planned != (content.amount_fen or 0):
        return Problem(
            "contracts.schedule_missing",
            "分期支付须列出每一期的付款日和金额，各期合计等于成交总额"
            + (f"；现在合计 {format_yuan(Fen(planned))} 元" if planned else ""),
            "schedule",
        )
    return None


def _related(content: ContractContent) -> Problem | None:
    if content.related_parties is None:
        return Problem("contracts.no_related", "请申报双方是否有关联关系", "related_parties")
    if content.related_parties and len(content.related_explanation) < 5:
        return Problem(
            "contracts.related_unexplained",
            "双方有关联关系的，请写明是什么关系、价格如何确定",
            "related_explanation",
        )
    return None


def _fiscal(content: ContractContent) -> Problem | None:
    if content.fiscal_funds is None:
        return Problem(
            "contracts.no_fiscal",
            "请申报买方是否用财政资金购买；这会影响补助",
            "fiscal_funds",
        )
    return None


def _ip(content: ContractContent) -> Problem | None:
    if content.ip_kind is None and not content.no_ip:
        return Problem(
            "contracts.no_ip_kind", "请选择知识产权类型，没有的勾选“不涉及知识产权”", "ip_kind"
        )
    if content.no_ip and content.contract_type in (ContractType.TRANSFER, ContractType.LICENCE):
        return Problem(
            "contracts.ip_needed",
            f"{content.contract_type.label}合同须有被转让或许可的权利，请选择知识产权类型",
            "ip_kind",
        )
    expected = IP_OF_SUBTYPE.get(content.subtype) if content.subtype else None
    if expected and content.subtype and content.ip_kind not in expected:
        kinds = "、".join(sorted(kind.label for kind in expected))
        return Problem(
            "contracts.ip_differs",
            f"种类是“{content.subtype.label}”，知识产权类型应为：{kinds}。名称与标的要一致",
            "ip_kind",
        )
    return None


def _statistics(content: ContractContent) -> Problem | None:
    for value, what, field in (
        (content.technology_field, "技术领域", "technology_field"),
        (content.plan_source, "计划来源", "plan_source"),
        (content.objective_code, "社会经济目标", "objective_code"),
        (content.industry_code, "国民经济行业", "industry_code"),
    ):
        if not value:
            return Problem("contracts.no_statistics", f"请选择{what}", field)
    return None


def _registrar(content: ContractContent) -> Problem | None:
    if content.registrar_organisation_id is None:
        return Problem(
            "contracts.no_registrar", "请选择办理登记的登记机构", "registrar_organisation_id"
        )
    return None
