"""Achievements: states, completeness, shares, IP numbers and terms, visibility, the chain."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.achievements.completeness_rules import (
    contradictions,
    empty_claims,
    is_ipc,
    missing,
    normal_ipc,
)
from marketplace.achievements.ip_rules import (
    expected_check_digit,
    is_over,
    number_key,
    number_problem,
    protection_ends,
    remaining_tenths,
)
from marketplace.achievements.rules import (
    EDITABLE_STATES,
    TRANSITIONS,
    WHOLE_SHARE,
    AchievementState,
    Comparison,
    EvidenceClass,
    FieldGroup,
    Inventor,
    IPKind,
    IPRight,
    LegalStatus,
    Owner,
    ReviewStep,
    Visibility,
    check_chain,
    check_edit,
    check_reason,
    decides,
    difference,
    move,
    percent,
    steps_for,
)
from marketplace.achievements.visibility_rules import (
    hidden_groups,
    is_insider,
    level,
    redact,
)
from marketplace.foundation.access import ANONYMOUS, Actor, Role
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.reference import load
from marketplace.foundation.trade import TechnologyField
from tests.achievement_contents import complete_content
from tests.technology_fields import TechnologyFields

S = AchievementState


@given(st.sampled_from(AchievementState), st.sampled_from(AchievementState))
def test_only_the_steps_of_the_table_exist(state: AchievementState, to: AchievementState) -> None:
    if to in TRANSITIONS[state]:
        assert move(state, to) is to
    else:
        with pytest.raises(Conflict):
            move(state, to)


def test_nothing_unpublished_is_listed_or_dealt_with() -> None:
    for state in (S.DRAFT, S.INTERNAL_REVIEW, S.WITHDRAWN, S.EXPIRED):
        assert not TRANSITIONS[state] & {S.LISTED, S.IN_DEAL}


def test_a_complete_record_lacks_nothing() -> None:
    assert missing(complete_content(None), own_organisation_id=1) == []
    assert contradictions(complete_content(None)) == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "催化剂"}, "title"),
        ({"problem": ""}, "problem"),
        ({"solution": "很好"}, "solution"),
        ({"benefit": ""}, "benefit"),
        ({"comparison": ()}, "comparison"),
        ({"comparison": (Comparison("效率", "很高", "%", "旧法", "低", None),)}, "comparison"),
        (
            {"comparison": (Comparison("效率", "很高", "%", "旧法", "低", EvidenceClass.SELF),)},
            "comparison",
        ),
        ({"field": None}, "field"),
        ({"industry_code": ""}, "industry_code"),
        ({"trl": None}, "trl"),
        ({"trl_evidence": ""}, "trl_evidence"),
        ({"ip_rights": ()}, "ip_rights"),
        ({"ip_rights": (IPRight(None, "", ""),)}, "ip_rights"),
        ({"owners": ()}, "owners"),
        ({"owners": (Owner("甲", None, 1),)}, "owners"),
        ({"owners": (Owner("甲", 9_999, 1),)}, "owners"),
        ({"owners": (Owner("别人", 10_000, 2),)}, "owners"),
        ({"inventors": ()}, "inventors"),
        ({"fiscal_funded": None}, "fiscal_funded"),
        ({"modes": ()}, "modes"),
        ({"price_fen": None}, "price"),
        ({"negotiable": True}, "price"),
        ({"keywords": ()}, "keywords"),
    ],
)
def test_each_missing_part_is_named_beside_its_field(changed: dict[str, Any], field: str) -> None:
    found = missing(complete_content(None, **changed), own_organisation_id=1)
    assert field in {problem.field for problem in found}


def test_a_secret_needs_no_number() -> None:
    content = complete_content(None, ip_rights=(IPRight(IPKind.SECRET, "", "配方"),))
    assert missing(content, own_organisation_id=1) == []


@given(st.lists(st.integers(1, WHOLE_SHARE), min_size=1, max_size=6))
def test_shares_must_be_exactly_the_whole(shares: list[int]) -> None:
    owners = tuple(Owner(f"第{i}人", share, i + 1) for i, share in enumerate(shares))
    content = complete_content(None, owners=owners)
    total = sum(shares)
    over = any(problem.code.endswith("shares_over") for problem in contradictions(content))
    under = any(
        problem.code.endswith("shares_under") for problem in missing(content, own_organisation_id=1)
    )
    assert over is (total > WHOLE_SHARE)
    assert under is (total < WHOLE_SHARE)


def test_thirds_can_be_the_whole() -> None:
    owners = (Owner("甲", 3_333, 1), Owner("乙", 3_333), Owner("丙", 3_334))
    assert missing(complete_content(None, owners=owners), own_organisation_id=1) == []
    assert percent(3_333) == "33.33 %"
    assert percent(10_000) == "100 %"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"title": "长" * 101}, "最多 100 个"),
        ({"problem": "长" * 4001}, "最多 4000 个"),
        ({"trl": 10}, "1 到 9 级"),
        ({"ipc": ("H02",)}, "不是 IPC 分类号"),
        ({"industry_code": "34"}, "GB/T 4754"),
        ({"owners": (Owner("甲", 0, 1),)}, "大于 0"),
        ({"owners": (Owner("甲", 5_000, 1), Owner("甲", 5_000))}, "出现了两次"),
        ({"keywords": tuple(str(i) for i in range(21))}, "最多 20 个"),
        ({"inventors": tuple(Inventor(str(i)) for i in range(41))}, "最多 40 行"),
        ({"visibility": {FieldGroup.CONFIDENTIAL: Visibility.PUBLIC}}, "只能在签保密协议之后"),
    ],
)
def test_what_can_never_be_right_is_refused_in_a_draft_too(
    changed: dict[str, Any], words: str
) -> None:
    found = contradictions(complete_content(None, **changed))
    assert any(words in problem.message for problem in found)


def test_dates_that_end_before_they_begin() -> None:
    right = IPRight(
        IPKind.INVENTION, "", "某专利", LegalStatus.GRANTED, date(2020, 1, 2), date(2020, 1, 2)
    )
    found = contradictions(complete_content(None, ip_rights=(right,)))
    assert "不晚于申请日" in found[0].message


@pytest.mark.parametrize(
    ("number", "wrong"),
    [
        ("CN201210120987.1", False),
        ("ZL 2012 1 0120987.1", False),
        ("2012101209871", False),
        ("CN201210120987.2", True),
        ("CN201420418224.X", False),
        ("CN91224187.X", False),
        ("CN88212345", False),
        ("JP20130084014", False),
    ],
)
def test_patent_numbers_are_checked_by_their_check_digit(number: str, wrong: bool) -> None:
    problem = number_problem(IPRight(IPKind.INVENTION, number))
    assert (problem is not None) is wrong


@given(st.from_regex(r"\d{12}", fullmatch=True), st.integers(0, 11), st.integers(1, 9))
def test_the_check_digit_finds_every_single_slip(digits: str, at: int, by: int) -> None:
    slipped = digits[:at] + str((int(digits[at]) + by) % 10) + digits[at + 1 :]
    assert expected_check_digit(digits) != expected_check_digit(slipped)


def test_one_right_has_one_key_however_it_is_written() -> None:
    spellings = ("CN201210120987.1", "ZL2012 1 0120987.1", "2012101209871", "ｃｎ201210120987．1")
    assert {number_key(text) for text in spellings} == {"2012101209871"}


@pytest.mark.parametrize(
    ("kind", "filed", "ends"),
    [
        (IPKind.INVENTION, date(2010, 5, 1), date(2030, 5, 1)),
        (IPKind.UTILITY_MODEL, date(2012, 2, 29), date(2022, 2, 28)),
        (IPKind.DESIGN, date(2021, 5, 31), date(2031, 5, 31)),
        (IPKind.DESIGN, date(2021, 6, 1), date(2036, 6, 1)),
        (IPKind.SECRET, date(2021, 6, 1), None),
    ],
)
def test_protection_lasts_by_kind(kind: IPKind, filed: date, ends: date | None) -> None:
    assert protection_ends(kind, filed) == ends


def test_what_is_left_and_what_is_over() -> None:
    right = IPRight(IPKind.UTILITY_MODEL, filed_year=2014)
    assert not is_over(right, date(2024, 12, 31))
    assert is_over(right, date(2025, 1, 1))
    assert remaining_tenths(right, date(2023, 12, 31)) == 10
    assert remaining_tenths(right, date(2030, 1, 1)) == 0
    assert remaining_tenths(IPRight(IPKind.SECRET), date(2030, 1, 1)) is None
    assert is_over(replace(right, legal_status=LegalStatus.LAPSED), date(2015, 1, 1))


@pytest.mark.parametrize(
    ("own", "other", "unit", "words"),
    [
        ("92", "41", "%", "高 51 个百分点"),
        ("12", "31", "μm", "低 61 %"),
        ("≥1,200", "1000", "h", "高 20 %"),
        ("3", "0", "次", "高 3 次"),
        ("3", "3.0", "次", "相同"),
        ("很好", "一般", "", ""),
    ],
)
def test_differences_are_said_without_judging(own: str, other: str, unit: str, words: str) -> None:
    assert difference(Comparison("指标", own, unit, "旧法", other, None)) == words


def test_claims_need_a_number_beside_them() -> None:
    assert empty_claims("本装置国际领先。效率显著提高 12 %。成本低廉，填补国内空白") == [
        "国际领先",
        "填补国内",
        "成本低廉",
    ]


@pytest.mark.parametrize("code", ["G05B19/404", "H02M", "B60Q1/04"])
def test_ipc_symbols(code: str) -> None:
    assert is_ipc(normal_ipc(f" {code.lower()} "))
    assert not is_ipc(code[1:])


def test_a_listed_record_keeps_what_was_announced() -> None:
    before = complete_content(None)
    check_edit(S.LISTED, before, replace(before, problem=before.problem + "补充一句。"))
    with pytest.raises(RuleBroken, match="期望价格已经公告"):
        check_edit(S.LISTED, before, replace(before, price_fen=Fen(1)))
    check_edit(S.PUBLISHED, before, replace(before, price_fen=Fen(1)))


@pytest.mark.parametrize("state", sorted(set(AchievementState) - EDITABLE_STATES))
def test_under_review_and_after_the_end_nothing_changes(state: AchievementState) -> None:
    content = complete_content(None)
    with pytest.raises(Conflict):
        check_edit(state, content, content)


CHAIN = (
    ReviewStep(Role.LEADER, Fen(50_000_000)),
    ReviewStep(Role.OFFICER, Fen(0)),
    ReviewStep(Role.COLLEGE_APPROVER, Fen(0)),
)


@pytest.mark.parametrize(
    ("price", "negotiable", "last"),
    [
        (Fen(49_999_999), False, Role.OFFICER),
        (Fen(50_000_000), False, Role.LEADER),
        (None, True, Role.LEADER),
    ],
)
def test_the_chain_depends_on_the_amount(price: Fen | None, negotiable: bool, last: Role) -> None:
    steps = steps_for(CHAIN, price_fen=price, negotiable=negotiable)
    assert steps[0].role is Role.COLLEGE_APPROVER
    assert steps[-1].role is last


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([], "chain_empty"),
        ([ReviewStep(Role.LEADER, Fen(1))], "chain_gap"),
        ([ReviewStep(Role.LEADER, Fen(0))] * 2, "chain_twice"),
    ],
)
def test_a_chain_leaves_nobody_without_a_reviewer(steps: list[ReviewStep], code: str) -> None:
    with pytest.raises(RuleBroken) as caught:
        check_chain(steps)
    assert caught.value.code == f"achievements.{code}"


def test_who_decides_a_step() -> None:
    assert decides(Role.OFFICER, frozenset({Role.ORG_ADMIN}))
    assert not decides(Role.LEADER, frozenset({Role.OFFICER, Role.ORG_ADMIN}))
    with pytest.raises(RuleBroken):
        check_reason("  不 ", "退回")


def actor(role: Role, organisation_id: int = 1, user_id: int = 5, verified: bool = True) -> Actor:
    return Actor(user_id, organisation_id, frozenset({role}), verified=verified)


@pytest.mark.parametrize(
    ("who", "agreed", "reads"),
    [
        (ANONYMOUS, False, Visibility.PUBLIC),
        (ANONYMOUS, True, Visibility.PUBLIC),
        (actor(Role.ENTERPRISE, 2, verified=False), True, Visibility.PUBLIC),
        (actor(Role.ENTERPRISE, 2), False, Visibility.MEMBERS),
        (actor(Role.ENTERPRISE, 2), True, Visibility.AGREEMENT),
        (actor(Role.OPERATOR, 3), False, Visibility.MEMBERS),
        (actor(Role.OFFICER), False, Visibility.AGREEMENT),
        (actor(Role.LEADER), False, Visibility.AGREEMENT),
        (actor(Role.INVENTOR, user_id=9), False, Visibility.AGREEMENT),
        (actor(Role.INVENTOR, user_id=8), False, Visibility.MEMBERS),
        (actor(Role.INVENTOR, 2, user_id=9), False, Visibility.MEMBERS),
        (actor(Role.OFFICER, 2), False, Visibility.MEMBERS),
    ],
)
def test_each_reader_has_a_layer(who: Actor, agreed: bool, reads: Visibility) -> None:
    found = level(who, organisation_id=1, named_user_ids=frozenset({9}), agreed=agreed)
    assert found is reads


def test_only_those_who_work_on_it_open_a_draft() -> None:
    def may(who: Actor) -> bool:
        return is_insider(who, organisation_id=1, named_user_ids=frozenset({9}))

    assert may(actor(Role.OFFICER))
    assert may(actor(Role.INVENTOR, user_id=9))
    assert not may(actor(Role.INVENTOR, user_id=8))
    assert not may(actor(Role.OFFICER, 2))
    assert not may(actor(Role.OPERATOR, 3))
    assert not may(ANONYMOUS)


@given(
    st.sampled_from(Visibility),
    st.dictionaries(
        st.sampled_from([g for g in FieldGroup if g is not FieldGroup.CONFIDENTIAL]),
        st.sampled_from(Visibility),
    ),
)
def test_no_hidden_string_survives(layer: Visibility, chosen: dict[FieldGroup, Visibility]) -> None:
    canary = "金丝雀"
    content = complete_content(
        None,
        solution=canary + "solution",
        trl_evidence=canary + "maturity",
        confidential=canary + "confidential",
        comparison=(Comparison(canary + "comparison", "1", "", "", "2", None),),
        ip_rights=(IPRight(IPKind.SECRET, canary + "ip_rights", canary + "ip_rights"),),
        inventors=(Inventor(canary + "inventors"),),
        price_fen=Fen(987_654_321),
        visibility=chosen,
    )
    shown = str(redact(content, layer))
    for group in hidden_groups(content, layer):
        assert canary + group.value not in shown
        if group is FieldGroup.PRICE:
            assert "987654321" not in shown
    for group in set(FieldGroup) - set(hidden_groups(content, layer)) - {FieldGroup.PRICE}:
        assert canary + group.value in shown


def test_the_confidential_part_is_never_public() -> None:
    content = complete_content(None, visibility={FieldGroup.CONFIDENTIAL: Visibility.PUBLIC})
    assert redact(content, Visibility.MEMBERS).confidential == ""


def test_the_technology_fields_are_those_of_the_registration_form() -> None:
    listed = load("technology_fields", TechnologyFields).fields
    assert [entry.name for entry in listed] == [field.label for field in TechnologyField]
