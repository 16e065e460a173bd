"""The what-if of the bureau over a year's registered contracts, and one organisation's reasons."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from marketplace.foundation.errors import NotFound
from marketplace.subsidies import draft_queries
from marketplace.subsidies.explanation_rules import Explanation, explain
from marketplace.subsidies.parameters import Policy, policies, select_policies
from marketplace.subsidies.whatif_rules import Place, WhatIf, compare_sides, scenario
from marketplace.subsidies.word_rules import Item
from marketplace.subsidies.year_facts_queries import load_year

ISSUED = "issued"


@dataclass(frozen=True)
class Choice:
    """A set of documents to compare: its key in the address, its name, and what is tried in it."""

    key: str
    label: str
    tried: Policy | None


@dataclass(frozen=True)
class Comparison:
    """A year on two sides."""

    contract_count: int
    organisation_count: int
    found: WhatIf


def choices(session: Session) -> list[tuple[str, str]]:
    """List what can stand on a side: the issued documents, saved drafts, and single documents."""
    return [
        (ISSUED, "现行文件"),
        *(
            (f"draft:{view.id}", f"草案：{view.name}")
            for view in draft_queries.list_drafts(session)
        ),
        *(
            (f"policy:{policy.id}", f"{'征求意见稿' if policy.draft else '文件'}：{policy.short}")
            for policy in reversed(policies())
            if policy.items
        ),
    ]


def get_choice(session: Session, key: str) -> Choice:
    """Return what a key names or raise ``NotFound``; a draft that cannot be read says why."""
    if key == ISSUED:
        return Choice(key, "现行文件", None)
    kind, _, name = key.partition(":")
    if kind == "draft" and name.isascii() and name.isdigit() and len(name) < 10:
        view = draft_queries.get_draft(session, int(name))
        return Choice(key, f"{view.name}（第 {view.edition} 版）", view.policy)
    for policy in policies():
        if kind == "policy" and policy.id == name:
            return Choice(key, policy.short, policy)
    raise NotFound()


def compare_year(
    session: Session, year: int, left: Choice, right: Choice, place: Place
) -> Comparison:
    """Compute everybody's year on both sides."""
    facts = load_year(session, year)
    issued = select_policies()
    before, after = (
        facts.calculation(scenario(issued, side.tried, place)) for side in (left, right)
    )
    return Comparison(facts.contract_count, len(before.held), compare_sides(before, after))


def explain_both(
    session: Session, year: int, left: Choice, right: Choice, place: Place, organisation_id: int
) -> list[tuple[Item, Explanation, Explanation]]:
    """Explain an organisation's items on both sides or raise ``NotFound`` where it has none."""
    facts = load_year(session, year)
    key = str(organisation_id)
    issued = select_policies()
    sides = []
    for side in (left, right):
        calculation = facts.calculation(scenario(issued, side.tried, place))
        if key not in calculation.held:
            raise NotFound()
        sides.append(calculation.results_of(key))
    return [
        (item, explain(sides[0][item], facts.parties), explain(sides[1][item], facts.parties))
        for item in sides[0]
    ]
