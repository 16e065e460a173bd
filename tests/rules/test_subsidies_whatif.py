"""The what-if: which documents stand on a side, who wins and loses, what it costs; drafts."""

from __future__ import annotations

import random
from datetime import date
from fractions import Fraction

import pytest

from marketplace.contracts.rules import ContractType
from marketplace.foundation import reference
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import Fen
from marketplace.subsidies.calculation_rules import prepare
from marketplace.subsidies.chart_rules import LABEL, WIDTH, diverging, pairs
from marketplace.subsidies.draft_rules import MAX_LETTERS, read_draft
from marketplace.subsidies.explanation_rules import explain
from marketplace.subsidies.parameters import Policy, policies, select_policies
from marketplace.subsidies.trace_rules import Party, RegisteredContract
from marketplace.subsidies.whatif_rules import (
    Effect,
    Place,
    Shift,
    WhatIf,
    compare_sides,
    scenario,
)
from marketplace.subsidies.word_rules import Item, PartyKind
from tests.rules.subsidy_worlds import contract, party, world

TEXT = reference.text("policies/jkf-2021-27")
PARTIES = {
    "大学": Party("大学", "泉城大学", PartyKind.UNIVERSITY, True, False),
    "企业": Party("企业", "小企业", PartyKind.ENTERPRISE, True, True),
}


def draft(*changes: tuple[str, str]) -> Policy:
    text = TEXT
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return read_draft(text)


def sold(amount: int, no: str = "合同1", on: date = date(2023, 3, 1)) -> RegisteredContract:
    fen = Fen(amount * 100)
    return RegisteredContract(
        no, ContractType.TRANSFER, on, fen, fen, None, "大学", "企业", None, None
    )


def what_if(tried: Policy, place: Place, *contracts: RegisteredContract) -> WhatIf:
    issued = select_policies()
    before, after = (
        prepare(
            2023,
            parties=PARTIES,
            contracts=list(contracts),
            policies=scenario(issued, side, place),
        )
        for side in (None, tried)
    )
    return compare_sides(before, after)


def shift(gain: int, *, item: Item = Item.SELLER, before: int = 10**9) -> Shift:
    return Shift("甲", "甲", item, Fen(before), Fen(before + gain), "", "", False, False)


def test_the_issued_documents_alone_are_the_year_as_it_is() -> None:
    issued = select_policies()
    assert scenario(issued, None, Place.INSTEAD) == issued


def test_instead_the_tried_document_alone_pays_what_it_names() -> None:
    tried = next(p for p in policies() if p.id == "beizeng-2023")
    side = scenario(select_policies(), tried, Place.INSTEAD)
    for item in (Item.SELLER, Item.BUYER):
        assert [p.id for p in side if p.terms_for(item)] == ["beizeng-2023"]
    assert [p.id for p in side if p.terms_for(Item.AGENCY)] == ["jkf-2021-27"]
    assert side[-1].in_force.covers(date(2022, 5, 1))


def test_beside_the_issued_ones_go_on_but_for_its_own_edition() -> None:
    side = scenario(select_policies(), draft(), Place.BESIDE)
    assert [p.id for p in side if p.terms_for(Item.SELLER)] == [
        "jzz-2020-20",
        "jkf-2020-10",
        "jkf-2021-27",
    ]
    assert len([p for p in side if p.id == "jkf-2021-27"]) == 1


def test_a_lower_rate_loses_instead_and_changes_nothing_beside() -> None:
    tried = draft(("rate: 3/2000", "rate: 1/2000"), ("id: jkf-2021-27", "id: jkf-2026-1"))
    instead = what_if(tried, Place.INSTEAD, sold(2_000_000))
    [lost] = instead.losers()
    assert (lost.before_fen, lost.after_fen, lost.effect) == (3_000_00, 1_000_00, Effect.LESS)
    assert (lost.before_policy, lost.name) == ("27号文", "泉城大学")
    assert instead.winners() == ()
    beside = what_if(tried, Place.BESIDE, sold(2_000_000))
    assert {s.effect for s in beside.shifts} == {Effect.SAME}


def test_who_gets_something_for_the_first_time_and_whom_a_cap_cuts() -> None:
    old = sold(2_000_000, on=date(2023, 3, 1))
    tried = draft(("rate: 3/2000", "rate: 1/2"), ("id: jkf-2021-27", "id: jkf-2026-1"))
    made = what_if(tried, Place.INSTEAD, old)
    [more] = made.winners()
    assert (more.after_fen, more.after_capped, more.before_capped) == (800_000_00, True, False)
    assert more.effect is Effect.MORE
    total = made.totals()[0]
    assert (total.before_capped, total.after_capped, total.gain_fen) == (0, 1, 797_000_00)
    assert shift(5, before=0).effect is Effect.NEW
    assert shift(-10, before=10).effect is Effect.LOST


def test_totals_make_the_sum_of_all_shifts_in_any_world() -> None:
    chance = random.Random(5)
    tried = next(p for p in policies() if p.id == "beizeng-2023")
    seen = set()
    for number in range(60):
        orgs, cons = world(chance, number)
        year = chance.choice(cons).on.year
        parties = {key: party(org) for key, org in orgs.items()}
        contracts = [contract(con) for con in cons]
        sides = [
            prepare(
                year,
                parties=parties,
                contracts=contracts,
                policies=scenario(select_policies(), side, Place.INSTEAD),
            )
            for side in (None, tried)
        ]
        made = compare_sides(*sides)
        before, after = (sum(r.amount_fen for r in side.results()) for side in sides)
        last = made.totals()[-1]
        assert (last.before_fen, last.after_fen) == (before, after)
        assert last.gain_fen == sum(band.gain_fen for band in made.bands())
        assert sum(b.count for b in made.bands()) == len(made.winners()) + len(made.losers())
        gains = [abs(s.gain_fen) for s in made.shifts]
        assert gains == sorted(gains, reverse=True)
        assert sum(len(made.of(item)) for item in Item) == len(made.of(None)) == len(gains)
        seen |= {s.effect for s in made.shifts}
    assert seen == set(Effect)


@pytest.mark.parametrize(
    ("gain", "label"),
    [
        (-100_000_01, "少 10 万元以上"),
        (-100_000_00, "少 1–10 万元"),
        (-10_000_01, "少 1–10 万元"),
        (-10_000_00, "少 1 万元以内"),
        (-1, "少 1 万元以内"),
        (1, "多 1 万元以内"),
        (10_000_00, "多 1 万元以内"),
        (10_000_01, "多 1–10 万元"),
        (100_000_00, "多 1–10 万元"),
        (100_000_01, "多 10 万元以上"),
    ],
)
def test_a_change_stands_in_one_band(gain: int, label: str) -> None:
    counted = {band.label: band.count for band in WhatIf((shift(gain),)).bands()}
    assert counted[label] == 1
    assert sum(counted.values()) == 1


def test_a_budget_is_never_exceeded_and_says_what_is_missing() -> None:
    made = WhatIf((shift(0, before=100), shift(0, before=201)))
    short = made.budget(Fen(150))
    assert (short.needed_fen, short.missing_fen) == (301, 151)
    assert short.factor == Fraction(150, 301)
    assert short.paid_fen == 49 + 100
    enough = made.budget(Fen(301))
    assert (enough.missing_fen, enough.factor, enough.paid_fen) == (0, 1, 301)


def test_a_tried_document_is_explained_without_a_term_of_its_own() -> None:
    calculation = prepare(
        2023,
        parties=PARTIES,
        contracts=[sold(2_000_000)],
        policies=scenario((), draft(), Place.INSTEAD),
    )
    told = "".join(explain(calculation.results_of("大学")[Item.SELLER], PARTIES).sentences)
    assert "按全年施行试算" in told
    assert "0001" not in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "还没有内容"),
        (" \n", "还没有内容"),
        (TEXT.replace("rate: 3/2000", "rate: 0.0015", 1), "比例要写成带斜杠的分数"),
        (TEXT.replace("cap_yuan: 800000", "cap_yaun: 800000", 1), "是不是 cap_yuan？"),
        (TEXT.replace("cap_yuan: 800000", "cap_yuan: '800000'", 1), "金额要写成以元计的正整数"),
        (TEXT.replace("2024-04-26", "2024-02-30", 1), "应为存在的日期"),
        (TEXT.replace("id: jkf-2021-27", "id: 27号文", 1), "应为小写字母"),
        (TEXT.replace("id: jkf-2021-27\n", "", 1), "id：缺少这一项"),
        (TEXT + "\nid: again", "写了两次"),
        ("- a\n- b", "应为几项“名称: 值”"),
        ("a: [1", "写法不对"),
        ("x: &a [1]\ny: *a", "第 2 行：不能用 YAML 的引用"),
        ("x: " + "[" * 5_000, "第 1 行：嵌套超过 20 层"),
        ("x" * (MAX_LETTERS + 1), "至多 60,000 个字"),
        ("42", "应为几项“名称: 值”"),
        ("null", "应为几项“名称: 值”"),
        ("{id: 7}", "id：应为文字"),
        ("? [a]\n: b", "写法不对"),
        ("id: \x00", "不能显示的字符"),
        ("x: " + "9" * 5_000, "过长的数字"),
        (TEXT.replace("rate: 3/2000", "rate: 1e999999999", 1), "比例要写成带斜杠的分数"),
        (TEXT.replace("rate: 3/2000", "rate: 甲", 1), "比例要写成带斜杠的分数"),
        (TEXT.replace("cap_yuan: 800000", "cap_yuan: 1000000000001", 1), "超过 1000 亿元"),
    ],
)
def test_a_draft_that_cannot_be_used_says_where_and_why(text: str, told: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        read_draft(text)
    assert told in refused.value.message
    assert refused.value.problems[0].field == "text"


def test_a_problem_of_a_draft_is_told_with_its_line() -> None:
    line = TEXT.splitlines().index(next(x for x in TEXT.splitlines() if "rate: 3/2000" in x)) + 1
    with pytest.raises(RuleBroken, match=f"第 {line} 行"):
        read_draft(TEXT.replace("rate: 3/2000", "rate: 3/0", 1))


def test_bars_are_as_long_as_their_figures() -> None:
    placed = pairs([("甲", 100, 50), ("乙", 0, 1)])
    assert [(p.before, p.after) for p in placed] == [
        (WIDTH - LABEL, (WIDTH - LABEL) // 2),
        (0, 4),
    ]
    assert placed[1].y > placed[0].y
    left, right = diverging([("少", 2, True), ("多", 1, False)])
    assert left.x + left.width == right.x
    assert left.width // 2 == right.width
    assert [bar.width for bar in diverging([("无", 0, False)])] == [0]
    assert pairs([("无", 0, 0)])[0].before == 0
