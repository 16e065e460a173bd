"""Which desk a person works at."""

from __future__ import annotations

from datetime import date

import pytest

from marketplace.accounts.rules import OrganisationKind
from marketplace.foundation.access import Role
from marketplace.foundation.waiting import WaitingItem
from marketplace.workbench.rules import Act, Desk, desks_of, distinct, overdue


def test_every_working_role_has_a_desk() -> None:
    assert [role for role in Role if not desks_of({role}, None)] == [Role.ORG_ADMIN]


@pytest.mark.parametrize("kind", list(OrganisationKind))
def test_who_only_manages_members_sees_the_desk_of_the_organisation(
    kind: OrganisationKind,
) -> None:
    assert len(desks_of({Role.ORG_ADMIN}, kind)) == 1


def test_several_roles_bring_several_desks_in_a_fixed_order() -> None:
    assert desks_of({Role.INVENTOR, Role.BROKER, Role.ORG_ADMIN}, OrganisationKind.UNIVERSITY) == (
        Desk.OWNER,
        Desk.BROKER,
    )
    assert desks_of(set(), None) == ()
    # The organisation's own purpose leads.
    assert desks_of({Role.OFFICER, Role.ENTERPRISE}, OrganisationKind.ENTERPRISE) == (
        Desk.ENTERPRISE,
        Desk.OWNER,
    )


def test_an_act_that_several_desks_offer_is_shown_once() -> None:
    acts = [Act("登记成果", "a"), Act("合同", "c"), Act("技术合同", "c"), *map(_act, "defg")]
    assert [act.label for act in distinct(acts)] == ["登记成果", "合同", "d", "e"]


def _act(name: str) -> Act:
    return Act(name, name)


def test_what_is_due_today_is_not_overdue() -> None:
    today = date(2024, 3, 15)
    items = [
        WaitingItem("甲", "", "x", due_on=date(2024, 3, 14)),
        WaitingItem("乙", "", "x", due_on=today),
        WaitingItem("丙", "", "x"),
    ]
    assert overdue(items, today) == 1
