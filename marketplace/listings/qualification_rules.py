"""What a buyer is qualified by: the checklist, what is found by data, what an officer judges."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from marketplace.foundation.errors import Problem, raise_if_any
from marketplace.foundation.words import Word


class CheckItem(Word):
    """One item of the qualification checklist."""

    IDENTITY = "identity", "单位已经核验，经办人是本单位成员"
    PROMISE = "promise", "已作受让承诺"
    INTEGRITY = "integrity", "不在科研失信期内"
    CONDITIONS = "conditions", "符合公告的受让条件"
    CAPACITY = "capacity", "实施计划具体，有实施能力"
    FUNDS = "funds", "资金来源已说明，能按付款条件支付"
    RELATED = "related", "关联关系已经查清"


# What the data cannot tell: an officer reads the intent and ticks these.
JUDGED = (CheckItem.CONDITIONS, CheckItem.CAPACITY, CheckItem.FUNDS)


@dataclass(frozen=True)
class Side:
    """What is known of an organisation and its people: ids, and names as written."""

    organisation_id: int
    member_ids: frozenset[int]
    names: frozenset[str]


def relations(
    buyer: Side,
    seller: Side,
    *,
    owner_ids: Collection[int],
    inventor_ids: Collection[int],
    inventor_names: Collection[str],
) -> list[str]:
    """List the signs in the data that a buyer is tied to the seller or an inventor.

    Equal names are signs, not proof: an officer decides.
    """
    signs = []
    if buyer.organisation_id in owner_ids:
        signs.append("意向方是这项成果的共有权利人")
    both = buyer.member_ids & seller.member_ids
    if both:
        signs.append(f"有 {len(both)} 人同时是意向方和转让方的成员")
    inventors = buyer.member_ids & set(inventor_ids)
    if inventors:
        signs.append(f"有 {len(inventors)} 位成果完成人是意向方的成员")
    same = sorted(buyer.names & set(inventor_names))
    if same and not inventors:
        signs.append(f"意向方的{'、'.join(same)}与成果完成人同名")
    return signs


def check_admission(
    ticked: Collection[CheckItem],
    *,
    signs: Sequence[str],
    declared: bool,
    related: bool,
    note: str,
) -> None:
    """Refuse to admit before every judged item is ticked and the relations are decided.

    ``related`` is the officer's decision; against the buyer's word or the data it needs a note.
    """
    problems = [
        Problem("listings.unchecked", f"还没有确认“{item.label}”；确认后才能通过资格", "ticked")
        for item in JUDGED
        if item not in ticked
    ]
    if (declared or signs) and not related and len(note.strip()) < 5:
        problems.append(
            Problem(
                "listings.relation_undecided",
                "意向方申报了关联关系，或系统发现了线索；要认定为无关联，请写明查证的依据",
                "note",
            )
        )
    raise_if_any(problems)
