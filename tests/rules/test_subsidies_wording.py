"""What people read of a calculation, word for word: every scenario's explanation is kept as text.

``tests/scenarios/explanations.txt`` is written by ``python -m tests.rules.test_subsidies_wording``
and read by a policy officer before it is committed: a changed word is a changed line there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from marketplace.contracts.rules import ContractType
from marketplace.foundation.money import Fen, format_yuan
from marketplace.subsidies.estimate_rules import (
    Question,
    compare_days,
    estimate,
    side_by_side,
)
from marketplace.subsidies.explanation_rules import Explanation, explain
from marketplace.subsidies.parameters import policies, select_policies
from marketplace.subsidies.trace_rules import Party, Period, RegisteredContract
from marketplace.subsidies.word_rules import Item, PartyKind
from marketplace.subsidies.wording_rules import (
    holder_caps,
    in_force_text,
    short_yuan,
    types_text,
)
from tests.scenarios.test_subsidy_scenarios import CASES, _party, _results

KEPT = Path(__file__).parents[1] / "scenarios" / "explanations.txt"

PARTIES = {
    "大学": Party("大学", "泉城大学", PartyKind.UNIVERSITY, True, False),
    "企业": Party("企业", "小企业", PartyKind.ENTERPRISE, True, True),
    "中介": Party(
        "中介", "泉城中介", PartyKind.AGENCY, True, False, (Period(date(2020, 1, 1), None),)
    ),
    "登记": Party("登记", "登记处", PartyKind.REGISTRAR, True, False),
}
CONTRACT = RegisteredContract(
    "本合同",
    ContractType.TRANSFER,
    date(2023, 3, 1),
    Fen(2_600_000_00),
    Fen(2_600_000_00),
    Fen(2_500_000_00),
    "大学",
    "企业",
    "中介",
    "登记",
)


def written(told: Explanation) -> Iterator[str]:
    """Write everything that an explanation says, a line each."""
    yield f"  {told.year} {told.party_name} {told.item} {format_yuan(Fen(told.amount_fen))}"
    yield f"    依据 {told.policy_id} {told.document_no} {told.article}"
    yield from (f"    算式 {line}" for line in told.formulas)
    yield from (f"    {line}" for line in told.sentences)
    if told.missing:
        yield f"    还差 {told.missing}"
    for part in told.parts:
        amounts = f"{format_yuan(Fen(part.amount_fen))} → {format_yuan(Fen(part.base_fen))}"
        yield (
            f"    合同 {part.contract_no} {part.contract_type} {part.registered_on} {amounts}"
            f" {'计入' if part.counted else part.reason} [{part.group}] {part.counterparty}"
            f"：{part.text}"
        )
    for line in told.documents:
        yield (
            f"    文件 {line.policy_id} {line.document_no} {line.article}"
            f"{'（草案）' if line.draft else ''} {line.counted_count} 份"
            f" {format_yuan(Fen(line.base_fen))} {format_yuan(Fen(line.amount_fen))}"
            f" {'支付' if line.pays else '不付'}：{line.verdict}"
        )
    yield "    释读 " + "、".join(f"{r.key} {r.title}" for r in told.readings)


def scenarios() -> Iterator[str]:
    """Write the explanations of every scenario."""
    for case in (param.values[0] for param in CASES):
        assert isinstance(case, dict)
        yield f"# {case['name']}"
        parties = {name: _party(name, given) for name, given in case["organisations"].items()}
        for result in _results(case):
            yield from written(explain(result, parties))


def estimates() -> Iterator[str]:
    """Write what the calculator says of a contract: by itself, beside others, on other days."""
    issued = select_policies()
    earlier = replace(
        CONTRACT, contract_no="合同0", amount_fen=Fen(1_000_000_00), registered_on=date(2023, 2, 1)
    )
    before = replace(earlier, registered_on=date(2022, 6, 1), project_id="项目")
    for title, contract, others in (
        ("一份合同", CONTRACT, []),
        ("同日另有一份", CONTRACT, [replace(earlier, registered_on=CONTRACT.registered_on)]),
        ("此前另有一份", CONTRACT, [earlier]),
        ("去年转让过", replace(CONTRACT, project_id="项目"), [before]),
        ("没有文件的年份", replace(CONTRACT, registered_on=date(2026, 3, 1)), []),
        ("文件施行之前", replace(CONTRACT, registered_on=date(2019, 3, 1)), []),
    ):
        yield f"# 测算：{title}"
        found = estimate(contract, others=others, parties=PARTIES, policies=issued)
        yield f"  合计 {format_yuan(found.total_fen)}，{'、'.join(found.documents)}"
        for item in found.items:
            amounts = (item.added_fen, item.before_fen, item.year_fen)
            yield (
                f"  {item.item.label} {item.party_name} {'可得' if item.got else '不可得'} "
                + " ".join(format_yuan(fen) for fen in amounts)
            )
            yield from (f"    已过期 {line}" for line in item.ran_out)
            yield from written(item.explanation)
        assert found.of(Item.SELLER) is not None
        for day in compare_days(contract, others=others, parties=PARTIES, policies=issued):
            amounts_of = "，".join(f"{i.value} {format_yuan(f)}" for i, f in day.amounts.items())
            yield (
                f"  {day.on}{'（所问）' if day.given else ''} {format_yuan(day.total_fen)}"
                f" {amounts_of} {day.change}"
            )
        drafts = {
            p.id: estimate(contract, others=others, parties=PARTIES, policies=[p.as_if_in_force()])
            for p in policies()
            if p.draft
        }
        for row in side_by_side(found, drafts, policies()):
            offers = "，".join(
                f"{item.value} {format_yuan(Fen(offer.amount_fen))} {offer.verdict}"
                for item, offer in row.offers.items()
            )
            yield f"  并列 {row.policy.id} {'施行' if row.in_force else '未施行'} {offers}"


def everything() -> str:
    """Return the whole text."""
    return "\n".join([*scenarios(), *estimates()]) + "\n"


def test_every_explanation_reads_as_it_was_approved() -> None:
    assert everything() == KEPT.read_text(encoding="utf-8")


def test_nobody_stands_in_a_role_that_is_empty() -> None:
    bare = replace(CONTRACT, agency=None, registrar=None)
    found = estimate(bare, others=[], parties=PARTIES, policies=select_policies())
    assert found.of(Item.AGENCY) is None
    assert {item.item for item in found.items} == {Item.SELLER, Item.BUYER}


if __name__ == "__main__":
    KEPT.write_text(everything(), encoding="utf-8")


def test_a_document_is_in_force_from_its_first_day_to_its_last() -> None:
    [document] = [policy for policy in policies() if policy.id == "jkf-2021-27"]
    since, until = document.in_force.since, document.in_force.until
    assert until is not None
    day = timedelta(days=1)
    texts = [in_force_text(document, on) for on in (since - day, since, until, until + day)]
    number = document.document_no
    assert texts == [
        f"{number}自 {since.isoformat()} 起施行，当时尚未施行",
        f"{number}在施行期内",
        f"{number}在施行期内",
        f"{number}已于 {until.isoformat()} 到期",
    ]
    endless = document.as_if_in_force()
    assert in_force_text(endless, date.max) == f"{number}在施行期内"


def test_amounts_types_and_caps_are_written_as_documents_write_them() -> None:
    assert short_yuan(Fen(10_000_00)) == "1\u00a0万元"
    assert short_yuan(Fen(100_000_000_00)) == "1\u00a0亿元"
    assert short_yuan(Fen(9_999_99)) == "9,999.99 元"
    assert types_text([ContractType.SERVICE, ContractType.DEVELOPMENT]) == "技术开发、技术服务"
    caps = {
        voucher.key: holder_caps(voucher) for policy in policies() for voucher in policy.vouchers
    }
    assert caps == {
        "instrument": "每家企业 50\u00a0万元，每个团队 10\u00a0万元",
        "event": "每家机构 10\u00a0万元",
    }


def test_earlier_sums_of_the_calculator_are_contracts_of_others() -> None:
    asked = Question(CONTRACT, {}, agency_before_fen=Fen(3), registrar_before_fen=Fen(5))
    agency, registrar = asked.others()
    common = {"seller": "其他单位", "buyer": "其他单位", "tax_exempt_amount_fen": None}
    assert agency == replace(
        CONTRACT, contract_no="本年此前合计（服务机构）", amount_fen=Fen(3),
        technology_amount_fen=Fen(3), agency=CONTRACT.agency, registrar=None, **common,
    )  # fmt: skip
    assert registrar == replace(
        CONTRACT, contract_no="本年此前合计（登记机构）", amount_fen=Fen(5),
        technology_amount_fen=Fen(5), agency=None, registrar=CONTRACT.registrar, **common,
    )  # fmt: skip
    assert Question(CONTRACT, {}, Fen(0), Fen(0)).others() == []
    of_project = replace(CONTRACT, project_id="P", activity_id="A", fiscal_funds=True)
    [sum_] = Question(of_project, {}, Fen(7), Fen(0)).others()
    assert (sum_.project_id, sum_.activity_id, sum_.fiscal_funds) == ("", "", False)
