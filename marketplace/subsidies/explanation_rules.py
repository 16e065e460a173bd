"""The calculation in plain Chinese: what each contract adds, which document pays, what is missing.

Pure. Every sentence is generated from the trace of ``calculation_rules``; the result is made of
plain values, so that a claim can keep it as its record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from math import ceil

from marketplace.foundation.money import Fen, format_yuan
from marketplace.subsidies.comparison_rules import ComparedDocument, compare
from marketplace.subsidies.parameters import readings
from marketplace.subsidies.trace_rules import (
    ContractPart,
    GroupSum,
    ItemResult,
    Party,
    PolicyResult,
    RegisteredContract,
)
from marketplace.subsidies.word_rules import Base, Item, Obstacle, PartyKind, Reason
from marketplace.subsidies.wording_rules import in_force_text, kinds_text, rate_text, short_yuan


@dataclass(frozen=True)
class ExplainedPart:
    """What became of one contract under the document that is explained."""

    contract_no: str
    contract_type: str
    registered_on: date
    amount_fen: int
    base_fen: int
    counted: bool
    group: str
    text: str
    reason: str
    counterparty: str


@dataclass(frozen=True)
class UsedReading:
    """A reading of an unclear clause that bears on the amount."""

    key: str
    title: str
    text: str


@dataclass(frozen=True)
class Explanation:
    """One item of one organisation in a year, explained; amounts in fen."""

    year: int
    item: str
    party_name: str
    amount_fen: int
    policy_id: str
    document_no: str
    article: str
    formulas: tuple[str, ...]
    sentences: tuple[str, ...]
    missing: str
    parts: tuple[ExplainedPart, ...]
    documents: tuple[ComparedDocument, ...]
    readings: tuple[UsedReading, ...]

    @property
    def got(self) -> bool:
        """Tell whether anything is paid."""
        return self.amount_fen > 0

    @property
    def counted_count(self) -> int:
        """Count the contracts that count."""
        return sum(part.counted for part in self.parts)

    @property
    def base_fen(self) -> int:
        """Return the sum of the bases."""
        return sum(part.base_fen for part in self.parts)


def explain(result: ItemResult, parties: Mapping[str, Party]) -> Explanation:
    """Explain an item by the document that pays, or by the one that comes nearest to paying."""
    leading = result.paying or _nearest(result)
    if leading is None:
        return Explanation(
            result.year,
            result.item.value,
            result.party.name,
            0,
            "",
            "",
            "",
            (),
            (f"没有文件支付{result.item.label}。",),
            "",
            (),
            (),
            (),
        )
    return Explanation(
        year=result.year,
        item=result.item.value,
        party_name=result.party.name,
        amount_fen=result.amount_fen,
        policy_id=leading.policy.id,
        document_no=leading.policy.document_no,
        article=leading.terms.article,
        formulas=tuple(formula(group, leading) for group in leading.groups if group.base_fen),
        sentences=tuple(_sentences(result, leading, parties)),
        missing=_missing(leading, result.item),
        parts=tuple(explain_part(part, leading, result, parties) for part in leading.parts),
        documents=tuple(compare(result, compared) for compared in reversed(result.compared)),
        readings=tuple(_readings(leading)),
    )


def formula(group: GroupSum, result: PolicyResult) -> str:
    """Write a group's amount as base × rate with its cap."""
    label = f"{group.group.label}：" if len(result.terms.groups) > 1 else ""
    product = f"{format_yuan(group.base_fen)} × {rate_text(group.group.rate)}"
    cap = format_yuan(group.group.cap)
    if group.capped:
        return (
            f"{label}{product} = {format_yuan(group.uncapped_fen)}，超过全年上限，按上限 {cap} 元计"
        )
    return f"{label}{product} = {format_yuan(group.amount_fen)}，未超过全年上限 {cap} 元"


def _nearest(result: ItemResult) -> PolicyResult | None:
    """Choose the document to explain a nothing by: in force, with most to give, the latest."""

    def rank(compared: PolicyResult) -> tuple[bool, bool, int, bool, tuple[date, str]]:
        covered = any(Reason.POLICY_NOT_IN_FORCE not in part.reasons for part in compared.parts)
        return (
            not compared.policy.draft,
            covered,
            compared.would_be_fen,
            not compared.obstacles,
            compared.policy.issued_order,
        )

    return max(result.compared, key=rank, default=None)


def _sentences(
    result: ItemResult, leading: PolicyResult, parties: Mapping[str, Party]
) -> Iterable[str]:
    document = f"{leading.policy.document_no}{leading.terms.article}"
    yield f"依据{document}：{leading.terms.clause}。"
    barred = [o for o in leading.obstacles if o is not Obstacle.BELOW_THRESHOLD]
    if barred:
        yield from (_barred(obstacle, result, leading) for obstacle in barred)
    else:
        yield _who(result.party, leading) + _counted(result, leading, parties)
        if leading.amount_fen:
            yield _met(leading)
    paid = [c for c in result.compared if c.amount_fen > 0]
    if result.paying is None or len(result.compared) == 1:
        return
    if len(paid) == 1:
        yield f"可比较的 {len(result.compared)} 件文件中，只有这一件可以支付。"
    elif sum(c.amount_fen == result.amount_fen for c in paid) > 1:
        same = sum(c.amount_fen == result.amount_fen for c in paid)
        yield f"{same} 件文件金额相同，就高不重复，按发文较晚的{document}计。"
    else:
        yield f"就高不重复，在 {len(paid)} 件可以支付的文件中按金额最高的{document}计。"


def _who(party: Party, leading: PolicyResult) -> str:
    kind = party.kind.label if party.kind else "单位"
    wanted = leading.terms.claimant
    if wanted.sme:
        kind = "中小微企业" if party.kind is PartyKind.ENTERPRISE else f"{kind}，属中小微企业"
    return f"{party.name}是在济南登记注册的{kind}"


def _met(leading: PolicyResult) -> str:
    """Name the conditions that the counted contracts meet, each with its figure or its term."""
    since, until = leading.policy.in_force.since, leading.policy.in_force.until
    term = f"{since.isoformat()} 至 {until.isoformat()}" if until else f"{since.isoformat()} 起"
    # A document that is only tried out has no term of its own.
    met = ["按全年施行试算"] if since == date.min else [f"登记日在文件有效期（{term}）内"]
    if leading.terms.filing_required:
        met.append("登记当日备案有效")
    if leading.terms.threshold is not None:
        met.append(
            f"全年合计 {format_yuan(leading.counted_base_fen)} 元，"
            f"达到门槛 {short_yuan(leading.terms.threshold)}"
        )
    return f"计入的合同{'，'.join(met)}。"


def _counted(result: ItemResult, leading: PolicyResult, parties: Mapping[str, Party]) -> str:
    if len(leading.parts) == 1:
        return _only(result, leading.parts[0], parties)
    counted = [part for part in leading.parts if part.counted]
    left = len(leading.parts) - len(counted)
    text = f"。全年 {len(leading.parts)} 份合同，{len(counted)} 份计入"
    if counted:
        text += f"，基数合计 {format_yuan(leading.counted_base_fen)} 元"
    return f"{text}；{left} 份不计，原因见清单。" if left else f"{text}。"


def _only(result: ItemResult, part: ContractPart, parties: Mapping[str, Party]) -> str:
    """Describe the one contract a result rests on: with whom, of what type, in which group."""
    contract = part.contract
    seller = parties[contract.seller].kind
    text = f"，卖方是{seller.label}" if result.item is Item.BUYER and seller else ""
    text += f"，合同属{contract.contract_type.label}"
    if part.group is not None and result.item is Item.SELLER:
        text += f"（{part.group.label}）"
    return f"{text}，{'计入' if part.counted else '不计，原因见清单'}。"


def _barred(obstacle: Obstacle, result: ItemResult, leading: PolicyResult) -> str:
    name, article = result.party.name, leading.terms.article
    if obstacle is Obstacle.NOT_IN_CITY:
        return f"{name}不在济南登记注册，不在补助范围内（释读 A）。"
    if obstacle is Obstacle.KIND_NOT_ELIGIBLE:
        kind = result.party.kind.label if result.party.kind else "其他单位"
        wanted = kinds_text(leading.terms.claimant.kinds)
        return f"{name}是{kind}，{article}的补助对象是{wanted}（释读 K）。"
    if obstacle is Obstacle.NOT_SME:
        return f"{name}不是中小微企业，{article}只补助中小微企业。"
    ends = date(result.year, 12, 31)
    record = next((r for r in result.party.dishonesty if r.period.covers(ends)), None)
    why = f"，原因：{record.reason}" if record and record.reason else ""
    return (
        f"{ends.isoformat()} 处于科研失信记录期内，一票否决"
        f"（济科发〔2020〕58号第12条，释读 I）{why}。"
    )


def _missing(leading: PolicyResult, item: Item) -> str:
    """Say how much more would change the result: to the threshold, or to the cap."""
    terms, base = leading.terms, leading.counted_base_fen
    if leading.obstacles == (Obstacle.BELOW_THRESHOLD,) and terms.threshold is not None:
        gap = Fen(terms.threshold - base)
        group = terms.groups[0]
        reached = Fen(min(group.cap, int(group.rate * terms.threshold)))
        return (
            f"再有 {short_yuan(gap)}即达到 {short_yuan(terms.threshold)}门槛。"
            f"全年计入的合同合计 {format_yuan(base)} 元；达到门槛后"
            f"全年可得 {format_yuan(terms.threshold)} × {rate_text(group.rate)}"
            f" = {format_yuan(reached)} 元。"
        )
    if leading.obstacles:
        return _if_not_barred(leading)
    sentences = []
    for group_sum in leading.groups:
        if not group_sum.base_fen:
            continue
        named = group_sum.group.label if len(terms.groups) > 1 else item.label
        if group_sum.amount_fen == group_sum.group.cap:
            sentences.append(f"{named}已到全年上限，本年再登记合同不会增加。")
        else:
            full = ceil(group_sum.group.cap / group_sum.group.rate)
            more = Fen(full - group_sum.base_fen)
            sentences.append(f"{named}再有 {format_yuan(more)} 元基数即到全年上限。")
    return "".join(sentences)


_REMEDIES = {
    Obstacle.NOT_IN_CITY: "在济南登记注册",
    Obstacle.NOT_SME: "是中小微企业",
    Obstacle.DISHONEST: "年末不在失信记录期内",
}


def _if_not_barred(leading: PolicyResult) -> str:
    """Say what the organisation would get if it were what it is not."""
    if leading.would_be_fen == 0 or any(o not in _REMEDIES for o in leading.obstacles):
        return ""
    remedies = "、".join(_REMEDIES[obstacle] for obstacle in leading.obstacles)
    return f"若{remedies}，全年可得 {format_yuan(leading.would_be_fen)} 元。"


def explain_part(
    part: ContractPart, leading: PolicyResult, result: ItemResult, parties: Mapping[str, Party]
) -> ExplainedPart:
    """Explain one contract under one document."""
    contract = part.contract
    if part.counted:
        text = _base_text(part, leading)
    else:
        text = "；".join(
            _reason_text(reason, contract, leading, result, parties) for reason in part.reasons
        )
    other = contract.buyer if result.item is Item.SELLER else contract.seller
    return ExplainedPart(
        contract_no=contract.contract_no,
        contract_type=contract.contract_type.label,
        registered_on=contract.registered_on,
        amount_fen=contract.amount_fen,
        base_fen=part.base_fen,
        counted=part.counted,
        group=part.group.label if part.group else "",
        text=text,
        reason=part.reason.label if part.reason else "",
        counterparty=parties[other].name,
    )


def _base_text(part: ContractPart, leading: PolicyResult) -> str:
    assert part.group is not None
    base = part.group.base
    if part.deducted_fen:
        return (
            f"同一项目此前登记过转让，只计增值部分：{format_yuan(part.contract.amount_fen)} − "
            f"{format_yuan(part.deducted_fen)} = {format_yuan(part.base_fen)} 元"
            f"（{leading.terms.article}，释读 D）"
        )
    text = f"按{base.label} {format_yuan(part.base_fen)} 元计入"
    if base is Base.TAX_EXEMPT_AMOUNT and part.contract.tax_exempt_amount_fen is None:
        text += "；没有免税数据，按零计"
    return text


def _reason_text(
    reason: Reason,
    contract: RegisteredContract,
    leading: PolicyResult,
    result: ItemResult,
    parties: Mapping[str, Party],
) -> str:
    policy, terms, day = leading.policy, leading.terms, contract.registered_on.isoformat()
    if reason is Reason.FISCAL_FUNDS and policy.no_fiscal_funds:
        return f"用财政资金购买，按{policy.no_fiscal_funds.article}不补助（释读 C）"
    if reason is Reason.ACTIVITY_ALREADY_COUNTED:
        return (
            f"活动“{contract.activity_id}”已有更早登记的合同，只补助一次（{terms.article}，释读 E）"
        )
    if reason is Reason.NOT_IN_CITY:
        if result.item is Item.AGENCY:
            return f"买方{parties[contract.buyer].name}不在济南，不算在本市转化（释读 A）"
        return f"卖方{parties[contract.seller].name}不在济南（{terms.article}）"
    if reason is Reason.SELLER_NOT_ELIGIBLE:
        return _seller_text(contract, leading, parties[contract.seller])
    if reason is Reason.TYPE_NOT_COVERED:
        return f"{contract.contract_type.label}合同不在{terms.article}的范围内"
    if reason is Reason.NOT_FILED:
        return f"{day} 登记当日服务机构没有有效备案（{terms.article}，释读 J）"
    if reason is Reason.POLICY_NOT_IN_FORCE:
        return f"{day} 登记，{in_force_text(policy, contract.registered_on)}（释读 F）"
    role = "服务机构" if result.item is not Item.AGENCY else "交易一方"
    return f"这份合同已按{role}计入，同一合同只按一种身份（第三条，释读 H）"


def _seller_text(contract: RegisteredContract, leading: PolicyResult, seller: Party) -> str:
    found = leading.terms.group_for(contract.contract_type)
    wanted = found[1].seller_kinds if found else frozenset()
    kinds = kinds_text(wanted)
    is_kind = seller.kind.label if seller.kind else "其他单位"
    return (
        f"卖方{seller.name}是{is_kind}，{contract.contract_type.label}合同的卖方须为{kinds}"
        f"（{leading.terms.article}，释读 B）"
        if "B" in leading.terms.readings
        else f"卖方{seller.name}是{is_kind}，卖方须为{kinds}（{leading.terms.article}）"
    )


def _readings(leading: PolicyResult) -> Iterable[UsedReading]:
    known = readings()
    for key in leading.terms.readings:
        yield UsedReading(key, known[key].title, known[key].text)
    if leading.policy.in_force_reading:
        yield UsedReading(leading.policy.short, "有效期", leading.policy.in_force_reading)
