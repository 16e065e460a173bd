"""Amounts, dates, words, terms and steps of a technology contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.achievements.rules import IPKind
from marketplace.contracts import parameters
from marketplace.contracts.content_rules import content_problems
from marketplace.contracts.payment_rules import Instalment
from marketplace.contracts.precheck_rules import precheck
from marketplace.contracts.rules import (
    EDITABLE,
    IP_OF_SUBTYPE,
    SUBTYPES,
    TRANSITIONS,
    Contact,
    ContractContent,
    ContractStatus,
    ContractSubtype,
    ContractType,
    Item,
    PlanSource,
    ReviewTerms,
    check_reviewer,
    decide_type,
    mode_of,
    move,
    review_workdays,
)
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import PaymentMode, TechnologyField, TradingMode

TODAY = date(2024, 3, 15)
TERMS = ReviewTerms(normal=15, large=30, large_from_yuan=5_000_000)
COMPLETE = ContractContent(
    project_name="低温脱硝催化剂普通许可",
    contract_type=ContractType.LICENCE,
    subtype=ContractSubtype.ORDINARY,
    seller_organisation_id=1,
    buyer_organisation_id=2,
    registrar_organisation_id=3,
    signed_on=TODAY,
    effective_on=TODAY,
    ends_on=TODAY,
    amount_fen=Fen(100),
    technology_amount_fen=Fen(60),
    items=(Item("设备", Fen(40)),),
    payment_mode=PaymentMode.LUMP_SUM,
    related_parties=False,
    plan_source=PlanSource.NONE,
    ip_kind=IPKind.INVENTION,
    technology_field=TechnologyField.ENVIRONMENT,
    objective_code="01",
    industry_code="26",
    fiscal_funds=False,
    seller_contact=Contact("甲", "乙", "1"),
    buyer_contact=Contact("丙", "丁", "2"),
)


def codes(content: ContractContent) -> list[str]:
    return [problem.code for problem in content_problems(content, today=TODAY)]


def missing(content: ContractContent, *, has_text: bool = True) -> list[str]:
    lines = precheck(content, has_text=has_text, today=TODAY)
    return [line.problem.code for line in lines if line.problem]


def test_a_complete_form_contradicts_nothing_and_lacks_nothing() -> None:
    assert codes(COMPLETE) == []
    assert missing(COMPLETE) == []


def test_an_empty_form_contradicts_nothing_but_lacks_every_line() -> None:
    assert codes(ContractContent()) == []
    lines = precheck(ContractContent(), has_text=False, today=TODAY)
    # Items cannot be missing before the amounts are known.
    assert [line.label for line in lines if line.passed] == ["非技术性费用分项"]


@given(
    amount=st.integers(-10, 10**13),
    technology=st.integers(-10, 10**13),
    items=st.lists(st.integers(-5, 10**12), max_size=5),
)
def test_amounts_pass_exactly_when_the_law_allows_them(
    amount: int, technology: int, items: list[int]
) -> None:
    content = replace(
        COMPLETE,
        amount_fen=Fen(amount),
        technology_amount_fen=Fen(technology),
        items=tuple(Item("费用", Fen(item)) for item in items),
    )
    sound = (
        amount > 0
        and 0 < technology <= amount
        and all(item > 0 for item in items)
        and technology + sum(items) <= amount
    )
    assert (codes(content) == []) == sound
    complete = sound and technology + sum(items) == amount
    assert (missing(content) == []) == complete


@pytest.mark.parametrize(
    ("technology", "refused"), [(0, True), (1, False), (99, False), (100, False), (101, True)]
)
def test_the_technology_amount_lies_above_zero_and_within_the_amount(
    technology: int, refused: bool
) -> None:
    content = replace(COMPLETE, technology_amount_fen=Fen(technology), items=())
    assert bool(codes(content)) == refused


def test_the_untaxed_amount_lies_within_the_technology_amount() -> None:
    assert codes(replace(COMPLETE, tax_exempt_amount_fen=Fen(60))) == []
    assert codes(replace(COMPLETE, tax_exempt_amount_fen=Fen(61))) == ["contracts.tax_exempt"]


@pytest.mark.parametrize(
    ("signed", "effective", "ends", "expected"),
    [
        (0, 0, 0, []),
        (1, 1, 1, ["contracts.signed_later"]),
        (0, -1, 0, ["contracts.effective_before_signed"]),
        (-5, -3, -4, ["contracts.ends_before_begin"]),
        (-5, None, -6, ["contracts.ends_before_begin"]),
        (None, -3, -3, []),
    ],
)
def test_dates_follow_each_other(
    signed: int | None, effective: int | None, ends: int | None, expected: list[str]
) -> None:
    def day(offset: int | None) -> date | None:
        return None if offset is None else TODAY + timedelta(days=offset)

    content = replace(
        COMPLETE, signed_on=day(signed), effective_on=day(effective), ends_on=day(ends)
    )
    assert codes(content) == expected


@pytest.mark.parametrize("contract_type", list(ContractType))
def test_a_subtype_belongs_to_one_type(contract_type: ContractType) -> None:
    for subtype in ContractSubtype:
        content = replace(COMPLETE, contract_type=contract_type, subtype=subtype)
        assert (codes(content) == []) == (subtype in SUBTYPES[contract_type])


def test_every_subtype_has_exactly_one_type() -> None:
    listed = [subtype for group in SUBTYPES.values() for subtype in group]
    assert sorted(listed) == sorted(ContractSubtype)


def test_nobody_contracts_with_itself() -> None:
    assert codes(replace(COMPLETE, buyer_organisation_id=1)) == ["contracts.same_party"]


def test_the_transferred_right_agrees_with_the_name() -> None:
    for subtype, kinds in IP_OF_SUBTYPE.items():
        for kind in IPKind:
            content = replace(
                COMPLETE, contract_type=ContractType.TRANSFER, subtype=subtype, ip_kind=kind
            )
            assert (missing(content) == []) == (kind in kinds)


def test_a_transfer_needs_a_right_and_a_service_does_not() -> None:
    bare = replace(COMPLETE, ip_kind=None, no_ip=True)
    assert missing(bare) == ["contracts.ip_needed"]
    service = replace(bare, contract_type=ContractType.SERVICE, subtype=ContractSubtype.GENERAL)
    assert missing(service) == []


def test_instalments_are_described() -> None:
    content = replace(COMPLETE, payment_mode=PaymentMode.INSTALMENTS)
    assert missing(content) == ["contracts.no_payment_terms"]
    told = replace(content, payment_terms="签约付六成，验收付四成")
    assert missing(told) == ["contracts.schedule_missing"]
    parts = (Instalment(TODAY, "签约", Fen(60)), Instalment(TODAY, "验收", Fen(39)))
    assert missing(replace(told, schedule=parts)) == ["contracts.schedule_missing"]
    whole = (parts[0], Instalment(TODAY, "验收", Fen(40)))
    assert missing(replace(told, schedule=whole)) == []


def test_related_parties_explain_themselves() -> None:
    content = replace(COMPLETE, related_parties=True)
    assert missing(content) == ["contracts.related_unexplained"]


def test_the_text_is_asked_for() -> None:
    assert missing(COMPLETE, has_text=False) == ["contracts.no_text"]


@pytest.mark.parametrize(
    ("fen", "disputed", "days"),
    [
        (499_999_999, False, 15),
        (500_000_000, False, 30),
        (500_000_001, False, 30),
        (1, True, 30),
    ],
)
def test_large_and_disputed_contracts_have_the_long_term(
    fen: int, disputed: bool, days: int
) -> None:
    assert review_workdays(TERMS, Fen(fen), disputed=disputed) == days


def test_the_terms_are_dated_data() -> None:
    assert parameters.review_terms_on(TODAY) == TERMS


def test_the_rules_change_with_2026() -> None:
    assert "2000" in parameters.rules_on(date(2025, 12, 31)).name
    assert "2026" in parameters.rules_on(date(2026, 1, 1)).name
    with pytest.raises(RuleBroken):
        parameters.rules_on(date(1999, 1, 1))


@given(st.lists(st.sampled_from(list(ContractStatus)), max_size=8))
def test_no_way_through_the_register_skips_the_registrar(steps: list[ContractStatus]) -> None:
    status, seen = ContractStatus.DRAFT, [ContractStatus.DRAFT]
    for step in steps:
        try:
            status = move(status, step)
        except Conflict:
            assert step not in TRANSITIONS[status]
            continue
        seen.append(status)
    if ContractStatus.REGISTERED in seen:
        assert ContractStatus.SUBMITTED in seen
    # After a decision nothing leads back to where the form can be edited.
    decided = [
        i for i, s in enumerate(seen) if s in (ContractStatus.REGISTERED, ContractStatus.REFUSED)
    ]
    assert not decided or not set(seen[decided[0] :]) & EDITABLE


def test_a_registrar_does_not_decide_on_its_own_contract() -> None:
    check_reviewer(3, (1, 2))
    with pytest.raises(RuleBroken):
        check_reviewer(2, (1, 2))


def test_the_mode_follows_from_type_and_subtype() -> None:
    assert mode_of(ContractType.TRANSFER, ContractSubtype.PATENT) is TradingMode.TRANSFER
    assert mode_of(ContractType.LICENCE, ContractSubtype.EXCLUSIVE) is TradingMode.LICENCE_EXCLUSIVE
    assert mode_of(ContractType.CONSULTING, None) is TradingMode.SERVICE


def test_the_registrar_may_decide_on_another_type_that_fits() -> None:
    applied = (ContractType.DEVELOPMENT, ContractSubtype.COMMISSIONED)
    assert decide_type(applied, None, None, ip_kind=None) == applied
    assert decide_type(applied, ContractType.SERVICE, ContractSubtype.GENERAL, ip_kind=None) == (
        ContractType.SERVICE,
        ContractSubtype.GENERAL,
    )
    assert decide_type(applied, None, ContractSubtype.COOPERATIVE, ip_kind=None) == (
        ContractType.DEVELOPMENT,
        ContractSubtype.COOPERATIVE,
    )


@pytest.mark.parametrize(
    ("contract_type", "subtype", "ip_kind", "code"),
    [
        (ContractType.SERVICE, None, None, "contracts.subtype"),
        (ContractType.SERVICE, ContractSubtype.PATENT, None, "contracts.subtype"),
        (None, ContractSubtype.GENERAL, None, "contracts.subtype"),
        (ContractType.TRANSFER, ContractSubtype.PATENT, IPKind.SECRET, "contracts.ip_differs"),
        (ContractType.TRANSFER, ContractSubtype.PATENT, None, "contracts.ip_differs"),
    ],
)
def test_a_type_that_does_not_fit_is_refused(
    contract_type: ContractType | None,
    subtype: ContractSubtype | None,
    ip_kind: IPKind | None,
    code: str,
) -> None:
    applied = (ContractType.DEVELOPMENT, ContractSubtype.COMMISSIONED)
    with pytest.raises(RuleBroken) as refusal:
        decide_type(applied, contract_type, subtype, ip_kind=ip_kind)
    assert refusal.value.code == code
