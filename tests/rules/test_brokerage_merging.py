"""Merging and splitting, pure: which pairs, which price, where a part begins."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.brokerage.merge_rules import (
    DealFootprint,
    MergedPrice,
    SplitSubject,
    check_split,
    merged_amount,
    merged_part,
    refusals,
    split_refusals,
    step_of_part,
    suggested_price,
)
from marketplace.brokerage.pipeline_parameters import pipelines
from marketplace.brokerage.pipeline_rules import DealFacts, Step
from marketplace.brokerage.rules import TALKING, DealStage
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TradingMode

ONE = DealFootprint(
    id=1,
    title="先谈的",
    stage=DealStage.PRICE_TALK,
    seller_organisation_id=10,
    buyer_organisation_id=20,
    broker_user_id=30,
    agency_organisation_id=40,
    achievement_id=50,
    need_id=None,
    part="",
    listed=False,
    amount_fen=Fen(300),
    agreement_holds=False,
    agreement_waived=False,
    commission_agreed=False,
    disputed=False,
)
OTHER = replace(ONE, id=2, title="后谈的", achievement_id=51, amount_fen=Fen(100))


def codes(ending: DealFootprint, standing: DealFootprint) -> list[str]:
    return [each.code for each in refusals(ending, standing)]


def test_two_deals_of_one_pair_and_one_leader_are_merged_either_way() -> None:
    assert codes(ONE, OTHER) == codes(OTHER, ONE) == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"id": 1}, "merge.itself"),
        ({"seller_organisation_id": 11}, "merge.parties"),
        ({"buyer_organisation_id": 21}, "merge.parties"),
        ({"broker_user_id": 31}, "merge.leaders"),
        ({"agency_organisation_id": None}, "merge.leaders"),
        ({"disputed": True}, "merge.disputed"),
        ({"stage": DealStage.SIGNED}, "merge.closed"),
        ({"stage": DealStage.REGISTERED}, "merge.closed"),
        ({"stage": DealStage.LOST}, "merge.closed"),
        ({"stage": DealStage.MERGED}, "merge.closed"),
    ],
)
def test_what_refuses_a_merge_in_both_directions(changed: dict[str, object], code: str) -> None:
    other = replace(OTHER, **changed)  # type: ignore[arg-type]  # any field of the table
    assert codes(ONE, other) == codes(other, ONE) == [code]


def test_an_achievement_goes_into_no_deal_without_one() -> None:
    bare = replace(OTHER, achievement_id=None, need_id=60)
    assert codes(ONE, bare) == ["merge.direction"]
    assert codes(bare, ONE) == []


def test_a_deal_of_the_hall_stands() -> None:
    listed = replace(OTHER, listed=True)
    assert codes(listed, ONE) == ["merge.listed"]
    assert codes(ONE, listed) == []


@pytest.mark.parametrize("one", ["holds", "waived", ""])
@pytest.mark.parametrize("other", ["holds", "waived", ""])
def test_an_agreement_is_not_merged_with_a_waiver(one: str, other: str) -> None:
    def with_basis(deal: DealFootprint, basis: str) -> DealFootprint:
        return replace(deal, agreement_holds=basis == "holds", agreement_waived=basis == "waived")

    expected = ["merge.confidentiality"] if {one, other} == {"holds", "waived"} else []
    assert codes(with_basis(ONE, one), with_basis(OTHER, other)) == expected


def test_one_confirmed_commission_goes_along_two_do_not() -> None:
    mine, theirs = replace(ONE, commission_agreed=True), replace(OTHER, commission_agreed=True)
    assert codes(mine, OTHER) == codes(ONE, theirs) == []
    assert codes(mine, theirs) == ["merge.commissions"]


def test_all_reasons_are_told_at_once() -> None:
    worse = replace(OTHER, buyer_organisation_id=21, disputed=True, stage=DealStage.LOST)
    assert codes(ONE, worse) == ["merge.closed", "merge.parties", "merge.disputed"]


@pytest.mark.parametrize(
    ("price", "ending", "standing", "result"),
    [
        (MergedPrice.KEEP, 300, 100, 100),
        (MergedPrice.KEEP, 300, None, None),
        (MergedPrice.ADD, 300, 100, 400),
        (MergedPrice.ADD, 300, None, 300),
        (MergedPrice.ADD, None, 100, 100),
        (MergedPrice.ADD, None, None, None),
    ],
)
def test_the_price_of_what_stands(
    price: MergedPrice, ending: int | None, standing: int | None, result: int | None
) -> None:
    one = replace(ONE, amount_fen=None if ending is None else Fen(ending))
    other = replace(OTHER, amount_fen=None if standing is None else Fen(standing))
    assert merged_amount(one, other, price) == result


def test_an_awarded_price_is_not_added_to() -> None:
    awarded = replace(OTHER, listed=True)
    with pytest.raises(RuleBroken):
        merged_amount(ONE, awarded, MergedPrice.ADD)
    assert merged_amount(ONE, awarded, MergedPrice.KEEP) == 100
    assert suggested_price(ONE, awarded) is MergedPrice.KEEP


def test_one_thing_is_not_counted_twice() -> None:
    assert suggested_price(ONE, OTHER) is MergedPrice.ADD
    need = replace(ONE, achievement_id=None, need_id=60)
    assert suggested_price(need, OTHER) is MergedPrice.KEEP


@pytest.mark.parametrize(
    ("ending", "standing", "result"),
    [("", "甲", ""), ("甲", "", ""), ("甲", "乙", "乙、甲"), ("", "", "")],
)
def test_parts_of_one_thing_come_together(ending: str, standing: str, result: str) -> None:
    same = replace(OTHER, achievement_id=ONE.achievement_id, part=standing)
    assert merged_part(replace(ONE, part=ending), same) == result
    assert merged_part(replace(ONE, part=ending), replace(OTHER, part=standing)) == standing


@given(price=st.integers(2, 10**12), share=st.data())
def test_a_split_divides_the_price_without_rest(price: int, share: st.DataObject) -> None:
    deal = replace(ONE, amount_fen=Fen(price))
    part = Fen(share.draw(st.integers(1, price - 1)))
    assert (
        check_split(deal, subject=SplitSubject.PART, part=" 第二件 ", amount_fen=part) == "第二件"
    )
    for wrong in (0, price, price + 1, -1):
        with pytest.raises(RuleBroken):
            check_split(deal, subject=SplitSubject.PART, part="第二件", amount_fen=Fen(wrong))


def test_only_an_achievement_and_a_need_come_apart() -> None:
    both = replace(ONE, need_id=60)
    assert check_split(both, subject=SplitSubject.NEED, part="不看", amount_fen=None) == ""
    for bare in (ONE, replace(both, achievement_id=None)):
        with pytest.raises(RuleBroken) as refusal:
            check_split(bare, subject=SplitSubject.NEED, part="", amount_fen=None)
        assert refusal.value.code == "split.subject"


@pytest.mark.parametrize("stage", list(DealStage))
def test_only_what_is_talked_about_is_split(stage: DealStage) -> None:
    found = [each.code for each in split_refusals(replace(ONE, stage=stage))]
    assert found == ([] if stage in TALKING else ["split.closed"])


def test_the_hall_and_a_dispute_refuse_a_split() -> None:
    found = split_refusals(replace(ONE, listed=True, disputed=True))
    assert [each.code for each in found] == ["split.listed", "split.disputed"]


@pytest.mark.parametrize("reached", pipelines().get("transfer").talking, ids=lambda step: step.code)
@pytest.mark.parametrize("covered", [True, False])
@pytest.mark.parametrize("priced", [True, False])
def test_a_part_begins_where_its_conditions_are_met(
    reached: Step, covered: bool, priced: bool
) -> None:
    transfer = pipelines().get("transfer")
    facts = DealFacts(
        stage=DealStage.LEAD,
        step="lead",
        agreement_accepted=covered,
        amount_fen=Fen(100) if priced else None,
        trading_mode=TradingMode.LICENCE_ORDINARY,
    )
    start = step_of_part(transfer, facts, reached=reached.code)
    furthest = "confidentiality"
    if covered:
        furthest = "contract_draft" if priced else "price_talk"
    assert transfer.place(start.code) == min(transfer.place(reached.code), transfer.place(furthest))
