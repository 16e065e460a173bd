"""The proposed type: the clauses it rests on, and how often it is right on texts with an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from marketplace.contracts import parameters
from marketplace.contracts.proposal_rules import Certainty, Proposal, propose
from marketplace.contracts.rules import SUBTYPES, ContractSubtype, ContractType
from marketplace.contracts.text_rules import clauses

TEXTS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "contract_texts.yaml").read_text(encoding="utf-8")
)["texts"]


def read(text: str, name: str = "") -> Proposal:
    return propose(name, clauses(text), parameters.type_cues())


@pytest.mark.parametrize(
    "case", [c for c in TEXTS if not c.get("held_out")], ids=lambda c: c["name"]
)
def test_a_text_gets_the_type_that_its_duties_speak_for(case: dict[str, Any]) -> None:
    found = read(case["text"], case["name"])
    assert (found.contract_type.value if found.contract_type else None) == case["type"]


def test_texts_never_tuned_on_are_seldom_read_wrongly() -> None:
    """A type that is not proposed costs a look, a wrong one misleads: the second is counted."""
    held_out = [case for case in TEXTS if case.get("held_out")]
    found = [(read(case["text"], case["name"]).contract_type, case["type"]) for case in held_out]
    wrong = [pair for pair in found if pair[0] is not None and pair[0].value != pair[1]]
    right = [pair for pair in found if (pair[0].value if pair[0] else None) == pair[1]]
    assert not wrong
    assert len(right) >= len(held_out) * 3 // 4


def test_every_ground_is_a_clause_of_the_text_word_for_word() -> None:
    for case in TEXTS:
        plain = "".join(case["text"].split())
        found = read(case["text"], case["name"])
        for ground in (*found.grounds, *found.doubts):
            assert "".join(ground.clause.words.split()) in plain
            assert ground.says
            assert ground.article
        assert sum(points for _kind, points in found.points) == sum(
            ground.weight for ground in found.grounds
        )


def test_a_subtype_belongs_to_the_proposed_type() -> None:
    for case in TEXTS:
        found = read(case["text"])
        if found.subtype is not None:
            assert found.contract_type is not None
            assert found.subtype in SUBTYPES[found.contract_type]
    assert read("乙方将专利申请权转让给甲方，甲方成为申请人。\n双方办理著录项目变更。").subtype is (
        ContractSubtype.PATENT_APPLICATION
    )


def test_what_a_clause_denies_does_not_count() -> None:
    said = "第一条 甲方将专利权转让给乙方。"
    assert read(said).contract_type is ContractType.TRANSFER
    for denied in ("第一条 本合同不涉及专利权转让。", "第一条 本合同不包括专利权的转让。"):
        assert read(denied).points == ()


def test_a_title_is_no_duty() -> None:
    titled = "技术秘密转让合同\n第一条 双方另行约定。"
    assert read(titled).points == ()
    assert read(titled, "技术秘密转让合同").named is ContractType.TRANSFER
    # A text without articles is read from its first line on.
    assert read("甲方将专利权转让给乙方。").contract_type is ContractType.TRANSFER


def test_repeating_a_clause_does_not_outweigh_the_rest() -> None:
    once = "甲方许可乙方实施其发明专利。\n"
    assert read(once * 40).points == read(once * 2).points


def test_two_types_alike_get_no_proposal() -> None:
    both = read("第一条 甲方将其专利权转让给乙方。\n第二条 甲方许可乙方使用其技术。")
    assert both.contract_type is None
    assert both.certainty is Certainty.OPEN
    assert {kind for kind, _points in both.points} == {
        ContractType.TRANSFER,
        ContractType.LICENCE,
    }


def test_a_name_that_disagrees_with_the_duties_is_told() -> None:
    case = next(case for case in TEXTS if case["name"] == "风电轴承检测技术开发")
    found = read(case["text"], "风电轴承技术开发")
    assert (found.named, found.contract_type) == (ContractType.DEVELOPMENT, ContractType.SERVICE)
    assert found.name_differs
    assert not read(case["text"], "风电轴承检测服务").name_differs


@given(st.text(max_size=400))
def test_any_text_is_read_without_a_fault(text: str) -> None:
    found = read(text, text[:40])
    assert (found.contract_type is None) == (found.certainty is Certainty.OPEN)


@given(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3))
def test_points_never_fall_when_clauses_are_added(cases: list[dict[str, Any]]) -> None:
    first = dict(read(cases[0]["text"]).points)
    whole = dict(read("\n".join(case["text"] for case in cases)).points)
    assert all(whole[kind] >= points for kind, points in first.items())
