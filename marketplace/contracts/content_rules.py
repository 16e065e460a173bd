"""What contradicts itself in a registration form: amounts, dates, words. Pure."""

from __future__ import annotations

from datetime import date

from marketplace.contracts.payment_rules import schedule_problems
from marketplace.contracts.rules import SUBTYPES, ContractContent
from marketplace.foundation.errors import Problem
from marketplace.foundation.money import Fen, format_yuan


def content_problems(content: ContractContent, *, today: date) -> list[Problem]:
    """List what contradicts itself among the values that are given; missing ones are no problem.

    0 < technology amount ≤ amount; the items and the technology amount never exceed the amount
    (技术合同司法解释 14); dates follow each other; type and subtype agree.
    """
    return [
        *_amount_problems(content),
        *_date_problems(content, today),
        *_word_problems(content),
        *schedule_problems(
            content.schedule, amount_fen=content.amount_fen, begins_on=content.signed_on
        ),
    ]


def _amount_problems(content: ContractContent) -> list[Problem]:
    problems: list[Problem] = []
    amount, technology = content.amount_fen, content.technology_amount_fen
    if amount is not None and amount <= 0:
        problems.append(
            Problem("contracts.amount", "成交总额应大于 0，请填写合同约定的总价", "amount_fen")
        )
    if technology is not None and technology <= 0:
        problems.append(
            Problem(
                "contracts.technology_amount",
                "技术交易额应大于 0：扣除非技术性费用后没有技术交易的合同不能登记",
                "technology_amount_fen",
            )
        )
    for item in content.items:
        if item.amount_fen <= 0:
            problems.append(
                Problem(
                    "contracts.item", f"“{item.label}”的金额应大于 0，没有就删去这一行", "items"
                )
            )
    if amount is None or technology is None:
        return problems
    if technology > amount:
        problems.append(
            Problem(
                "contracts.technology_above_amount",
                f"技术交易额 {format_yuan(technology)} 元大于成交总额 {format_yuan(amount)} 元。"
                "技术交易额是成交总额中属于技术的部分，请检查是否多输了一个 0",
                "technology_amount_fen",
            )
        )
        return problems
    rest = amount - technology - sum(item.amount_fen for item in content.items)
    if rest < 0:
        problems.append(
            Problem(
                "contracts.items_above_amount",
                f"技术交易额与非技术性费用合计比成交总额多 {format_yuan(Fen(-rest))} 元，"
                "请核对各项金额",
                "items",
            )
        )
    exempt = content.tax_exempt_amount_fen
    if exempt is not None and exempt > technology:
        problems.append(
            Problem(
                "contracts.tax_exempt",
                f"免税金额 {format_yuan(exempt)} 元大于技术交易额；只有技术交易额可以免税",
                "tax_exempt_amount_fen",
            )
        )
    return problems


def _date_problems(content: ContractContent, today: date) -> list[Problem]:
    problems: list[Problem] = []
    if content.signed_on and content.signed_on > today:
        problems.append(
            Problem(
                "contracts.signed_later", "签订日期在今天之后；合同签订以后才能登记", "signed_on"
            )
        )
    if content.signed_on and content.effective_on and content.effective_on < content.signed_on:
        problems.append(
            Problem(
                "contracts.effective_before_signed",
                f"生效日期早于签订日期 {content.signed_on.isoformat()}，请核对合同的生效条款",
                "effective_on",
            )
        )
    begin = content.effective_on or content.signed_on
    if begin and content.ends_on and content.ends_on < begin:
        problems.append(
            Problem(
                "contracts.ends_before_begin",
                f"截止日期早于开始日期 {begin.isoformat()}，请核对合同期限",
                "ends_on",
            )
        )
    return problems


def _word_problems(content: ContractContent) -> list[Problem]:
    problems: list[Problem] = []
    if (
        content.contract_type
        and content.subtype
        and content.subtype not in SUBTYPES[content.contract_type]
    ):
        allowed = "、".join(subtype.label for subtype in SUBTYPES[content.contract_type])
        problems.append(
            Problem(
                "contracts.subtype",
                f"“{content.subtype.label}”不属于{content.contract_type.label}；可选：{allowed}",
                "subtype",
            )
        )
    if content.no_ip and content.ip_kind:
        problems.append(
            Problem(
                "contracts.no_ip",
                "已勾选“不涉及知识产权”，就不要再选知识产权类型；请改其中一项",
                "ip_kind",
            )
        )
    seller, buyer = content.seller_organisation_id, content.buyer_organisation_id
    if seller is not None and seller == buyer:
        problems.append(
            Problem(
                "contracts.same_party",
                "卖方和买方是同一个机构；技术合同要有两个当事人，请重新填写对方的统一社会信用代码",
                "buyer_uscc",
            )
        )
    return problems
