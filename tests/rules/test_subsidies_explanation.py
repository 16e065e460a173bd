"""The sentences: complete for what was used, and true for what did not count."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date

import pytest

from marketplace.contracts.rules import ContractType
from marketplace.foundation.money import Fen, format_yuan
from marketplace.subsidies.calculation_rules import prepare
from marketplace.subsidies.claim_queries import pack, unpack
from marketplace.subsidies.estimate_rules import compare_days, estimate
from marketplace.subsidies.explanation_rules import Explanation, explain
from marketplace.subsidies.parameters import ItemTerms, policies, select_policies
from marketplace.subsidies.trace_rules import (
    ContractPart,
    Dishonesty,
    Party,
    Period,
    PolicyResult,
    RegisteredContract,
)
from marketplace.subsidies.word_rules import Item, PartyKind, Reason
from marketplace.subsidies.wording_rules import rate_text, short_yuan
from tests.rules.subsidy_worlds import contract, party, world
from tests.scenarios.test_subsidy_scenarios import CASES, _party, _results

OPEN = (Period(date(2020, 1, 1), None),)
PARTIES = {
    "大学": Party("大学", "泉城大学", PartyKind.UNIVERSITY, in_city=True, sme=False),
    "企业": Party("企业", "小企业", PartyKind.ENTERPRISE, in_city=True, sme=True),
    "机构": Party("机构", "服务机构", PartyKind.AGENCY, in_city=True, sme=False, filings=OPEN),
    "登记": Party("登记", "登记处", PartyKind.REGISTRAR, in_city=True, sme=False),
}
CONTRACT = RegisteredContract(
    "合同1",
    ContractType.TRANSFER,
    date(2023, 3, 1),
    Fen(2_600_000_00),
    Fen(2_600_000_00),
    None,
    "大学",
    "企业",
    "机构",
    "登记",
)


def told(contracts: list[RegisteredContract], item: Item, **changed: Party) -> Explanation:
    parties = PARTIES | changed
    calculation = prepare(2023, parties=parties, contracts=contracts, policies=select_policies())
    key = contracts[-1].holder(item)
    assert key is not None
    return explain(calculation.results_of(key)[item], parties)


@pytest.mark.parametrize("case", CASES)
def test_every_figure_that_was_used_appears(case: dict[str, object]) -> None:
    parties = {name: _party(name, given) for name, given in case["organisations"].items()}  # type: ignore[attr-defined]
    for result in _results(case):  # type: ignore[arg-type]
        explanation = explain(result, parties)
        assert unpack(pack(explanation)) == explanation
        assert len(explanation.parts) == len(result.contracts)
        assert len(explanation.documents) == len(result.compared)
        for part in explanation.parts:
            assert part.text
            assert part.counted == (part.reason == "")
        if result.paying is None:
            assert explanation.amount_fen == 0
            assert len(explanation.sentences) > 1
            continue
        text = "".join([*explanation.sentences, *explanation.formulas])
        assert result.paying.policy.document_no in text
        assert result.paying.terms.article in text
        for group in result.paying.groups:
            if group.base_fen:
                assert format_yuan(group.base_fen) in text
                assert rate_text(group.group.rate) in text
                assert format_yuan(group.group.cap) in text
                assert format_yuan(group.uncapped_fen) in text
        for part in result.paying.parts:
            if part.deducted_fen:
                line = next(
                    p for p in explanation.parts if p.contract_no == part.contract.contract_no
                )
                assert format_yuan(part.deducted_fen) in line.text
                assert format_yuan(part.contract.amount_fen) in line.text


def used_parameters(paying: PolicyResult) -> list[str]:
    """List everything of a document that an amount rests on, as the sentences write it."""
    policy, terms = paying.policy, paying.terms
    used = [policy.document_no, terms.article, terms.clause, policy.in_force.since.isoformat()]
    if policy.in_force.until:
        used.append(policy.in_force.until.isoformat())
    if terms.threshold is not None:
        used += [short_yuan(terms.threshold), format_yuan(paying.counted_base_fen)]
    if terms.filing_required:
        used.append("备案有效")
    if terms.claimant.sme:
        used.append("中小微企业")
    if terms.claimant.in_city:
        used.append("在济南登记注册")
    for group in paying.groups:
        if group.base_fen:
            used += [
                format_yuan(group.base_fen),
                rate_text(group.group.rate),
                format_yuan(group.group.cap),
                format_yuan(group.uncapped_fen),
            ]
            if len(paying.groups) > 1:
                used.append(group.group.label)
    return used


def used_of_part(part: ContractPart, terms: ItemTerms) -> list[str]:
    """List everything that one contract's base or its exclusion rests on."""
    if part.deducted_fen:
        return [
            format_yuan(Fen(part.base_fen + part.deducted_fen)),
            format_yuan(part.deducted_fen),
            format_yuan(part.base_fen),
            terms.article,
            "释读 D",
        ]
    if part.counted and part.group:
        return [part.group.base.label, format_yuan(part.base_fen)]
    letters = {
        Reason.FISCAL_FUNDS: "释读 C",
        Reason.ACTIVITY_ALREADY_COUNTED: "释读 E",
        Reason.NOT_FILED: "释读 J",
        Reason.POLICY_NOT_IN_FORCE: "释读 F",
        Reason.COUNTED_IN_OTHER_ROLE: "释读 H",
    }
    return [letters[reason] for reason in part.reasons if reason in letters]


def test_every_parameter_used_appears_in_thousands_of_explanations() -> None:
    chance = random.Random(27)
    explained, seen = 0, set()
    for number in range(600):
        orgs, cons = world(chance, number)
        parties = {key: party(org) for key, org in orgs.items()}
        for year, drafts in ((2020, False), (2021, False), (2022, False), (2023, True)):
            calculation = prepare(
                year,
                parties=parties,
                contracts=[contract(con) for con in cons],
                policies=select_policies(include_drafts=drafts),
            )
            for result in calculation.results():
                told = explain(result, parties)
                assert told.amount_fen == result.amount_fen
                if result.paying is None:
                    continue
                text = "".join([*told.sentences, *told.formulas])
                for parameter in used_parameters(result.paying):
                    assert parameter in text
                for part, line in zip(result.paying.parts, told.parts, strict=True):
                    for parameter in used_of_part(part, result.paying.terms):
                        assert parameter in line.text
                keys = [reading.key for reading in told.readings]
                assert keys[: len(result.paying.terms.readings)] == list(
                    result.paying.terms.readings
                )
                explained += 1
                seen.add((result.item, result.paying.policy.id))
    assert explained > 1000
    # Every document has paid each of its items at least once among them.
    assert seen == {(terms.item, p.id) for p in policies() for terms in p.items}


def test_what_is_missing_to_a_threshold_is_exact() -> None:
    explanation = told([CONTRACT], Item.AGENCY)
    assert explanation.missing == (
        "再有 40\u00a0万元即达到 300\u00a0万元门槛。全年计入的合同合计 2,600,000.00 元；"
        "达到门槛后全年可得 3,000,000.00 × 1.5\u00a0% = 45,000.00 元。"
    )


def test_what_is_missing_to_the_cap_is_the_least_that_reaches_it() -> None:
    explanation = told([CONTRACT], Item.BUYER)
    assert "30,733,333.34 元基数即到全年上限" in explanation.missing
    full = replace(CONTRACT, amount_fen=Fen(33_333_333_34))
    assert "已到全年上限" in told([full], Item.BUYER).missing


def test_what_bars_an_organisation_is_said_with_what_it_would_get() -> None:
    large = replace(PARTIES["企业"], sme=False)
    explanation = told([CONTRACT], Item.BUYER, 企业=large)
    assert "小企业不是中小微企业，第十二条只补助中小微企业。" in explanation.sentences
    assert explanation.missing == "若是中小微企业，全年可得 78,000.00 元。"
    record = Dishonesty(Period(date(2023, 12, 31), date(2024, 12, 31)), "虚假技术合同")
    dishonest = replace(PARTIES["大学"], dishonesty=(record,))
    text = "".join(told([CONTRACT], Item.SELLER, 大学=dishonest).sentences)
    assert "一票否决" in text
    assert "原因：虚假技术合同" in text


def test_the_documents_that_lost_say_why() -> None:
    verdicts = {d.policy_id: d.verdict for d in told([CONTRACT], Item.BUYER).documents}
    assert verdicts["jzf-2021-15"] == "支付；同额中发文最晚"
    assert verdicts["jkf-2021-27"] == "同额，发文较早"
    assert verdicts["jkf-2020-10"] == "不支付：济科发〔2020〕10号已于 2022-12-31 到期"
    fiscal = replace(CONTRACT, fiscal_funds=True)
    verdicts = {d.policy_id: d.verdict for d in told([fiscal], Item.BUYER).documents}
    assert verdicts["jzf-2021-15"] == "支付"
    assert verdicts["jkf-2021-27"] == "不支付：用财政资金购买"


def test_an_estimate_is_what_the_contract_adds() -> None:
    before = replace(CONTRACT, contract_no="合同0", amount_fen=Fen(1_000_000_00))
    found = estimate(CONTRACT, others=[before], parties=PARTIES, policies=select_policies())
    agency, seller = found.of(Item.AGENCY), found.of(Item.SELLER)
    assert agency is not None
    assert seller is not None
    # The contract carries the year over the threshold: the whole year's amount is its doing.
    assert (agency.before_fen, agency.added_fen) == (0, 54_000_00)
    assert (seller.before_fen, seller.added_fen) == (1_500_00, 3_900_00)
    assert found.total_fen == sum(item.added_fen for item in found.items)
    assert [item.added_fen for item in found.items] == sorted(
        (item.added_fen for item in found.items), reverse=True
    )


def test_an_estimate_takes_from_a_later_contract_of_the_same_activity() -> None:
    own = replace(CONTRACT, activity_id="A1")
    later = replace(
        own, contract_no="合同2", registered_on=date(2023, 6, 1), amount_fen=Fen(1_000_000_00)
    )
    found = estimate(own, others=[later], parties=PARTIES, policies=select_policies())
    seller = found.of(Item.SELLER)
    assert seller is not None
    # Without this contract the later one is the first of its activity and counts.
    assert (seller.before_fen, seller.added_fen) == (1_500_00, 2_400_00)


def test_days_are_compared_where_a_term_turns() -> None:
    rows = compare_days(CONTRACT, others=[], parties=PARTIES, policies=select_policies())
    assert [row.on.isoformat() for row in rows] == [
        "2020-03-20",
        "2020-03-30",
        "2021-04-27",
        "2021-10-15",
        "2023-01-01",
        "2023-03-01",
        "2024-04-27",
        "2024-10-15",
    ]
    totals = {row.on.isoformat(): row.total_fen for row in rows}
    assert totals["2023-03-01"] == 81_900_00
    assert totals["2024-04-27"] == 78_000_00
    assert totals["2024-10-15"] == 0
    assert [row.on.isoformat() for row in rows if row.given] == ["2023-03-01"]
    assert "27号文 2024-04-26 到期" in rows[6].change


def test_where_no_document_speaks_the_explanation_says_so() -> None:
    calculation = prepare(2023, parties=PARTIES, contracts=[CONTRACT], policies=())
    assert explain(calculation.results_of("大学")[Item.SELLER], PARTIES) == Explanation(
        year=2023,
        item="seller",
        party_name="泉城大学",
        amount_fen=Fen(0),
        policy_id="",
        document_no="",
        article="",
        formulas=(),
        sentences=("没有文件支付卖方补助。",),
        missing="",
        parts=(),
        documents=(),
        readings=(),
    )


def test_who_has_no_kind_is_still_named() -> None:
    nameless = replace(PARTIES["企业"], kind=None)
    paid = told([CONTRACT], Item.BUYER, 企业=nameless).sentences
    assert paid[1].startswith("小企业是在济南登记注册的单位，属中小微企业，")
    institute = replace(PARTIES["企业"], kind=PartyKind.RESEARCH_INSTITUTE)
    paid = told([CONTRACT], Item.BUYER, 企业=institute).sentences
    assert paid[1].startswith("小企业是在济南登记注册的")
    assert "，属中小微企业，" in paid[1]
    barred = told([CONTRACT], Item.SELLER, 大学=replace(PARTIES["大学"], kind=None))
    assert any(text.startswith("泉城大学是其他单位，") for text in barred.sentences)
    sold_by_nobody = told([CONTRACT], Item.BUYER, 大学=replace(PARTIES["大学"], kind=None))
    assert any("卖方泉城大学是其他单位，" in part.text for part in sold_by_nobody.parts)


@pytest.mark.parametrize(
    ("reason", "end"), [("", "释读 I）。"), ("伪造", "释读 I），原因：伪造。")]
)
def test_dishonesty_is_named_with_its_reason_where_there_is_one(reason: str, end: str) -> None:
    record = Dishonesty(Period(date(2023, 1, 1), date(2024, 12, 31)), reason)
    barred = told([CONTRACT], Item.SELLER, 大学=replace(PARTIES["大学"], dishonesty=(record,)))
    assert any(text.endswith(end) for text in barred.sentences)


def test_a_document_that_is_only_tried_out_has_no_term() -> None:
    tried = [policy.as_if_in_force() for policy in select_policies()]
    calculation = prepare(2023, parties=PARTIES, contracts=[CONTRACT], policies=tried)
    texts = explain(calculation.results_of("大学")[Item.SELLER], PARTIES).sentences
    assert any(text.startswith("计入的合同按全年施行试算") for text in texts)
