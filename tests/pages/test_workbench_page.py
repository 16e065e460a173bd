"""The first page after sign-in, for each kind of organisation and role."""

from __future__ import annotations

from typing import Any

import pytest

from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.foundation.access import Role

_K, _S = OrganisationKind, OrganisationSubkind
HOMES: dict[Role, tuple[OrganisationKind, tuple[OrganisationSubkind, ...]]] = {
    Role.OFFICER: (_K.UNIVERSITY, ()),
    Role.LEADER: (_K.UNIVERSITY, ()),
    Role.INVENTOR: (_K.RESEARCH_INSTITUTE, ()),
    Role.ENTERPRISE: (_K.ENTERPRISE, ()),
    Role.BROKER: (_K.SERVICE_INSTITUTION, (_S.AGENCY,)),
    Role.AGENCY_HEAD: (_K.SERVICE_INSTITUTION, (_S.AGENCY,)),
    Role.PROVIDER: (_K.SERVICE_INSTITUTION, (_S.IP_FIRM,)),
    Role.ASSESSOR: (_K.SERVICE_INSTITUTION, (_S.ASSESSOR,)),
    Role.EXPERT: (_K.UNIVERSITY, ()),
    Role.REGISTRAR: (_K.REGISTRAR, ()),
    Role.DISTRICT_REVIEWER: (_K.GOVERNMENT, (_S.DISTRICT,)),
    Role.CENTRE_REVIEWER: (_K.GOVERNMENT, (_S.PROMOTION_CENTRE,)),
    Role.BUREAU_REVIEWER: (_K.GOVERNMENT, (_S.BUREAU,)),
    Role.TREASURER: (_K.GOVERNMENT, (_S.FINANCE_BUREAU,)),
    Role.OPERATOR: (_K.OPERATOR, ()),
}


@pytest.mark.parametrize("role", list(HOMES))
def test_each_role_is_told_what_waits_and_how_to_begin(
    role: Role, client: Any, page_world: Any
) -> None:
    kind, subkinds = HOMES[role]
    organisation = page_world.organisation(kind, subkinds=subkinds)
    client.sign_in_as(page_world.actor(role, organisation))
    answer = client.get("/workbench")
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    assert "待我办理" in page
    assert role.label in page
    assert "2024-03-15" in page
    assert "星期五" in page


def test_the_public_is_asked_to_sign_in(client: Any) -> None:
    answer = client.get("/workbench")
    assert answer.status_code == 302
    assert "/sign-in?next=/workbench" in answer.headers["Location"]
