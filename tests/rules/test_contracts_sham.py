"""Signs of a sham contract: each at its bound, each with its reason, and nothing without one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.contracts.rules import Contact, ContractContent
from marketplace.contracts.sham_rules import (
    Alike,
    Edge,
    Findings,
    Other,
    PartyTraits,
    SignKind,
    Unpaid,
    ValuedRange,
    find_circle,
    sham_signs,
)
from marketplace.foundation.money import Fen

TODAY = date(2024, 3, 15)
PLAIN = ContractContent(project_name="脱硝催化剂", amount_fen=Fen(100), related_parties=False)
VALUED = ValuedRange(Fen(100), Fen(200), TODAY, 500, 2000)


def kinds(content: ContractContent, findings: Findings) -> list[SignKind]:
    return [sign.kind for sign in sham_signs(content, findings)]


def test_an_ordinary_contract_shows_no_sign() -> None:
    apart = Findings(
        seller=PartyTraits("甲", "舜华路 1 号", Contact("甲", "乙", "1"), "甲", frozenset({"周"})),
        buyer=PartyTraits("丙", "舜华路 2 号", Contact("丙", "丁", "2"), "丙", frozenset({"高"})),
        valued=VALUED,
    )
    assert sham_signs(PLAIN, apart) == []
    assert sham_signs(PLAIN, Findings()) == []


@pytest.mark.parametrize(
    ("amount", "unusual"), [(49, True), (50, False), (400, False), (401, True)]
)
def test_a_price_far_from_the_valuation_is_a_sign(amount: int, unusual: bool) -> None:
    found = sham_signs(replace(PLAIN, amount_fen=Fen(amount)), Findings(valued=VALUED))
    assert [sign.kind for sign in found] == ([SignKind.PRICE] if unusual else [])
    if unusual:
        assert "2024-03-15" in found[0].explanation
        assert "50 %" in found[0].bound


def test_the_same_file_and_the_same_activity_name_the_other_contracts() -> None:
    found = sham_signs(
        replace(PLAIN, activity_id="HD-1"),
        Findings(same_text=[Other(7, "JN-2024-0007")], same_activity=[Other(8, "JN-2024-0008")]),
    )
    assert [sign.kind for sign in found] == [SignKind.SAME_TEXT, SignKind.SAME_ACTIVITY]
    assert [sign.others[0].contract_id for sign in found] == [7, 8]
    assert "JN-2024-0008" in found[1].explanation
    assert "HD-1" in found[1].explanation


def test_a_like_text_says_how_much_and_where_it_differs() -> None:
    alike = Alike(Other(9, "JN-2024-0009"), 931, ("甲方支付经费二十万元。",))
    (sign,) = sham_signs(PLAIN, Findings(alike=[alike], text_per_mille=850))
    assert sign.kind is SignKind.LIKE_TEXT
    assert "93.1 %" in sign.explanation
    assert "甲方支付经费二十万元" in sign.explanation
    assert "85 %" in sign.bound
    # One pair is told once: who has the same file has the same text.
    both = Findings(same_text=[Other(9, "x")], alike=[alike])
    assert kinds(PLAIN, both) == [SignKind.SAME_TEXT]


@pytest.mark.parametrize(
    ("seller", "buyer", "words"),
    [
        (
            PartyTraits(address="舜华路 1 号"),
            PartyTraits(address="舜华路 1 号 "),
            "地址（舜华路 1 号）",
        ),
        (PartyTraits("甲"), PartyTraits(registered_representative="甲"), "法定代表人（甲）"),
        (
            PartyTraits(contact=Contact(phone="0531-1")),
            PartyTraits(contact=Contact(phone="0531-1")),
            "联系电话（0531-1）",
        ),
        (
            PartyTraits(people=frozenset({"周敏", "丁"})),
            PartyTraits(people=frozenset({"周敏"})),
            "平台经办人（周敏）",
        ),
    ],
)
def test_what_two_parties_share_is_said_with_the_value(
    seller: PartyTraits, buyer: PartyTraits, words: str
) -> None:
    (sign,) = sham_signs(PLAIN, Findings(seller=seller, buyer=buyer))
    assert sign.kind is SignKind.LIKELY_RELATED
    assert words in sign.explanation
    declared = replace(PLAIN, related_parties=True, related_explanation="买方是卖方的全资子公司")
    (said,) = sham_signs(declared, Findings(seller=seller, buyer=buyer))
    assert said.kind is SignKind.DECLARED_RELATED
    assert "全资子公司" in said.explanation


def test_a_missing_payment_is_told_of_this_contract_and_of_earlier_ones_apart() -> None:
    found = sham_signs(
        PLAIN,
        Findings(
            unpaid=[Unpaid(Other(3, "JN-1"), TODAY), Unpaid(Other(4, "JN-2"), TODAY, own=True)],
            unpaid_days=90,
        ),
    )
    assert [sign.kind for sign in found] == [SignKind.UNPAID, SignKind.UNPAID]
    assert "本合同" in found[0].explanation
    assert found[1].others == (Other(3, "JN-1"),)


def edge(contract_id: int, seller: int, buyer: int, amount: int = 100) -> Edge:
    return Edge(Other(contract_id, f"JN-{contract_id}"), seller, buyer, Fen(amount))


def test_a_ring_is_found_and_told_with_its_way() -> None:
    start = edge(1, 10, 20)
    others = [edge(2, 20, 30), edge(3, 30, 10, 60), edge(4, 30, 40)]
    ring = find_circle(start, others, most=4)
    assert [each.other.contract_id for each in ring] == [1, 2, 3]
    (sign,) = sham_signs(
        PLAIN, Findings(circle=ring, circle_days=365, names=("甲大学", "乙公司", "丙公司"))
    )
    assert sign.kind is SignKind.CIRCLE
    assert "甲大学 → 乙公司 → 丙公司 → 甲大学" in sign.explanation
    assert "0.60 元" in sign.explanation
    assert len(sign.others) == 3


@pytest.mark.parametrize(("most", "found"), [(2, False), (3, True), (4, True)])
def test_a_ring_has_no_more_members_than_the_rule_says(most: int, found: bool) -> None:
    others = [edge(2, 20, 30), edge(3, 30, 10)]
    assert bool(find_circle(edge(1, 10, 20), others, most=most)) is found


def test_two_that_sell_to_each_other_are_a_ring() -> None:
    ring = find_circle(edge(1, 10, 20), [edge(2, 20, 10)], most=4)
    assert [each.other.contract_id for each in ring] == [1, 2]


@given(
    st.lists(
        st.tuples(st.integers(1, 6), st.integers(1, 6)).filter(lambda pair: pair[0] != pair[1]),
        min_size=1,
        max_size=14,
    )
)
def test_whatever_is_called_a_ring_is_one(pairs: list[tuple[int, int]]) -> None:
    edges = [edge(number, *pair) for number, pair in enumerate(pairs)]
    ring = find_circle(edges[0], edges, most=4)
    if not ring:
        # No way of at most three further contracts leads back.
        reach = {edges[0].buyer_id}
        for _ in range(3):
            ahead = {e.buyer_id for e in edges[1:] if e.seller_id in reach}
            assert edges[0].seller_id not in ahead
            reach = ahead
        return
    assert ring[0] == edges[0]
    assert all(one.buyer_id == other.seller_id for one, other in pairwise(ring))
    assert ring[-1].buyer_id == ring[0].seller_id
    assert len({each.other.contract_id for each in ring}) == len(ring) <= 4
    assert len({each.seller_id for each in ring}) == len(ring)
