"""Whether organisations may take part at present."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organisation
from marketplace.accounts.queries import OrganisationView, list_organisations
from marketplace.accounts.rules import OrganisationState
from marketplace.foundation.errors import RuleBroken


def check_acting(session: Session, organisation_ids: Iterable[int | None]) -> None:
    """Refuse to go on while one of the organisations is suspended, and say which."""
    wanted = {found for found in organisation_ids if found is not None}
    names = session.scalars(
        select(Organisation.name)
        .where(Organisation.id.in_(wanted), Organisation.state == OrganisationState.SUSPENDED)
        .order_by(Organisation.id)
    ).all()
    if names:
        raise RuleBroken(
            "accounts.suspended",
            f"{'、'.join(names)}已被交易中心暂停，恢复之前这件事不能继续；请与交易中心联系",
        )


def suspended(session: Session) -> list[OrganisationView]:
    """List the organisations that are suspended, by name."""
    return list_organisations(session, states=(OrganisationState.SUSPENDED,))
