"""What a correction of a document changed, word for word as an officer reads it."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from marketplace.contracts.rules import ContractType
from marketplace.foundation.money import Fen
from marketplace.subsidies.correction_rules import (
    Change,
    changes_between,
    corrections,
    difference_text,
    notes,
)
from marketplace.subsidies.parameters import Policy, select_policies
from marketplace.subsidies.word_rules import Base, PartyKind

FIRST = select_policies(["jkf-2021-27"])[0]
PLACE = "items 第 1 项 → groups 第 1 项"


def corrected(known_from: date, text: str, **changes: Any) -> Policy:
    """Return a later edition of the document with these fields of its own."""
    return FIRST.model_copy(
        update={"known_from": known_from, "correction": text, "confirmed_on": known_from, **changes}
    )


def with_group(**changes: Any) -> dict[str, Any]:
    """Return the document's items with other data of its first group."""
    first, *others = FIRST.items
    group, *groups = first.groups
    changed = first.model_copy(update={"groups": (group.model_copy(update=changes), *groups)})
    return {"items": (changed, *others)}


def with_item(**changes: Any) -> dict[str, Any]:
    """Return the document's items with other data of its first item."""
    first, *others = FIRST.items
    return {"items": (first.model_copy(update=changes), *others)}


SECOND = corrected(date(2026, 5, 1), "上限录入有误", **with_group(cap=Fen(700_000_00)))
THIRD = corrected(
    date(2026, 6, 1), "比例录入有误", **with_group(cap=Fen(700_000_00), rate=Fraction(1, 500))
)
ALL = [FIRST, SECOND, THIRD]


@pytest.mark.parametrize(
    ("changes", "place", "before", "after"),
    [
        (with_group(cap=Fen(700_000_00)), f"{PLACE} → cap", "80\u00a0万元", "70\u00a0万元"),
        (with_group(rate=Fraction(1, 500)), f"{PLACE} → rate", "1.5\u00a0‰", "2\u00a0‰"),
        (
            with_group(base=Base.TECHNOLOGY_AMOUNT),
            f"{PLACE} → base",
            Base.AMOUNT.label,
            Base.TECHNOLOGY_AMOUNT.label,
        ),
        (
            with_item(threshold=Fen(10**8)),
            "items 第 1 项 → threshold",
            "",
            "100\u00a0万元",
        ),
        (with_item(added_value=False), "items 第 1 项 → added_value", "是", "否"),
        ({"short": "二十七号文"}, "short", "27号文", "二十七号文"),
        ({"in_force_reading": "推定"}, "in_force_reading", "", "推定"),
        (
            with_item(
                claimant=FIRST.items[0].claimant.model_copy(
                    update={"kinds": frozenset({PartyKind.UNIVERSITY, PartyKind.ENTERPRISE})}
                )
            ),
            "items 第 1 项 → claimant → kinds",
            "企业、创新创业共同体、新型研发机构、科研院所、高校",
            "企业、高校",
        ),
        (
            with_group(
                accepts=(
                    FIRST.items[0]
                    .groups[0]
                    .accepts[0]
                    .model_copy(update={"types": frozenset({ContractType.LICENCE})}),
                )
            ),
            f"{PLACE} → accepts 第 1 项 → types",
            "技术开发、技术许可、技术转让",
            "技术许可",
        ),
    ],
)
def test_each_kind_of_figure_and_word_is_written_as_documents_write_it(
    changes: dict[str, Any], place: str, before: str, after: str
) -> None:
    later = corrected(date(2026, 5, 1), "录入有误", **changes)
    assert changes_between(FIRST, later) == (Change(place, before, after),)
    assert changes_between(later, FIRST) == (Change(place, after, before),)


def test_a_share_of_a_fee_is_written_as_a_rate() -> None:
    before = select_policies(["jzf-2021-15"])[0]
    fee, *others = before.fees
    after = before.model_copy(
        update={"fees": (fee.model_copy(update={"share": Fraction(1, 2)}), *others)}
    )
    assert changes_between(before, after) == (
        Change("fees 第 1 项 → share", "100\u00a0%", "50\u00a0%"),
    )


def test_an_edition_that_says_the_same_changes_nothing() -> None:
    assert changes_between(FIRST, corrected(date(2026, 5, 1), "只更正核对日期")) == ()


def test_each_correction_is_compared_with_the_edition_before_it() -> None:
    made = corrections(ALL)
    assert [(c.known_from, c.text) for c in made] == [
        (date(2026, 5, 1), "上限录入有误"),
        (date(2026, 6, 1), "比例录入有误"),
    ]
    assert [[change.place for change in c.changes] for c in made] == [
        [f"{PLACE} → cap"],
        [f"{PLACE} → rate"],
    ]


@pytest.mark.parametrize(
    ("day", "count"),
    [
        (date(2026, 4, 30), 2),
        (date(2026, 5, 1), 1),
        (date(2026, 5, 31), 1),
        (date(2026, 6, 1), 0),
    ],
)
def test_only_what_became_known_after_a_day_is_told(day: date, count: int) -> None:
    assert len(corrections(ALL, after=day)) == count


def test_a_decision_is_told_of_every_later_correction_in_full() -> None:
    told = notes(
        ALL,
        decided_on=date(2026, 4, 30),
        decided=Fen(600_000_00),
        recomputed=Fen(700_000_00),
    )
    assert told == (
        "这份申报按 2026-04-30 已知的条文计算，此后条文数据有更正。",
        f"2026-05-01 更正：上限录入有误（{PLACE} → cap 80\u00a0万元 → 70\u00a0万元）。",
        f"2026-06-01 更正：比例录入有误（{PLACE} → rate 1.5\u00a0‰ → 2\u00a0‰）。",
        "按更正后的条文重算是 700,000.00 元，比已决定的 600,000.00 元多 100,000.00 元；"
        "已决定的金额不因更正而变。",
    )


def test_what_was_not_there_before_or_is_no_more_is_told_so() -> None:
    added = corrected(date(2026, 5, 1), "漏录", in_force_reading="推定", short="二十七号文")
    removed = corrected(date(2026, 6, 1), "误录", in_force_reading="")
    told = notes(
        [FIRST, added, removed], decided_on=date(2026, 1, 1), decided=Fen(1), recomputed=Fen(1)
    )
    assert told[1:3] == (
        "2026-05-01 更正：漏录（short 27号文 → 二十七号文；in_force_reading 没有 → 推定）。",
        "2026-06-01 更正：误录（short 二十七号文 → 27号文；in_force_reading 推定 → 没有）。",
    )


def test_a_decision_that_rests_on_the_latest_edition_is_told_nothing() -> None:
    assert notes(ALL, decided_on=date(2026, 6, 1), decided=Fen(600_000_00), recomputed=Fen(1)) == ()


@pytest.mark.parametrize(
    ("recomputed", "text"),
    [
        (100_00, "按更正后的条文重算仍是 100.00 元"),
        (
            100_01,
            "按更正后的条文重算是 100.01 元，比已决定的 100.00 元多 0.01 元；"
            "已决定的金额不因更正而变",
        ),
        (
            99_99,
            "按更正后的条文重算是 99.99 元，比已决定的 100.00 元少 0.01 元；"
            "已决定的金额不因更正而变",
        ),
    ],
)
def test_a_difference_of_a_fen_is_told(recomputed: int, text: str) -> None:
    assert difference_text(Fen(100_00), Fen(recomputed)) == text
