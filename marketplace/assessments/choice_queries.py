"""Reads for choosing an assessor: the library, conflicts of interest, experts."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.queries import OrganisationView
from marketplace.accounts.rules import OrganisationSubkind
from marketplace.achievements import queries as achievements
from marketplace.assessments import rules
from marketplace.assessments.models import Assessment
from marketplace.assessments.queries import AssessmentView
from marketplace.assessments.rules import (
    OPEN_STATES,
    AssessmentState,
    ConflictKind,
    PartyFacts,
    SubjectFacts,
)
from marketplace.foundation.access import Role


@dataclass(frozen=True)
class AssessorChoice:
    """An assessor of the library, with what forbids it this order and how it has worked."""

    organisation: OrganisationView
    conflicts: tuple[ConflictKind, ...]
    filed_count: int
    open_count: int


def assessors(session: Session) -> list[OrganisationView]:
    """List the assessors of the library, by name."""
    return accounts.list_organisations(session, subkinds=[OrganisationSubkind.ASSESSOR])


def assessor_counts(session: Session) -> dict[int, tuple[int, int]]:
    """Count filed reports and open orders of every assessor."""
    rows = session.execute(
        select(
            Assessment.assessor_organisation_id,
            func.count().filter(Assessment.state == AssessmentState.FILED),
            func.count().filter(Assessment.state.in_(OPEN_STATES)),
        )
        .where(Assessment.assessor_organisation_id.is_not(None))
        .group_by(Assessment.assessor_organisation_id)
    )
    return {
        organisation_id: (filed, running)
        for organisation_id, filed, running in rows
        if organisation_id is not None
    }


def choices_for(session: Session, view: AssessmentView) -> list[AssessorChoice]:
    """List the library's assessors for one order, those free of conflicts first."""
    counts = assessor_counts(session)
    client = party_facts(session, view.row.organisation_id)
    subject = subject_facts(session, view.row.achievement_id)
    found = [
        AssessorChoice(
            organisation,
            tuple(rules.conflicts(party_facts(session, organisation.id), client, subject)),
            *counts.get(organisation.id, (0, 0)),
        )
        for organisation in assessors(session)
    ]
    return sorted(found, key=lambda choice: (bool(choice.conflicts), choice.organisation.name))


def party_facts(session: Session, organisation_id: int) -> PartyFacts:
    """Return what conflicts are found by, of one side."""
    organisation = accounts.get_organisation(session, organisation_id)
    return PartyFacts(
        organisation.id,
        organisation.name,
        organisation.representative,
        frozenset(member.user_id for member in accounts.members(session, organisation_id)),
    )


def subject_facts(session: Session, achievement_id: int) -> SubjectFacts:
    """Return who owns and who made an achievement."""
    content = achievements.get_internal(session, achievement_id).content
    return SubjectFacts(
        frozenset(o.organisation_id for o in content.owners if o.organisation_id is not None),
        frozenset(o.name for o in content.owners),
        frozenset(i.user_id for i in content.inventors if i.user_id is not None),
    )


def experts_of(session: Session, organisation_id: int) -> list[tuple[int, str]]:
    """List an assessor's people who may score: (user id, name)."""
    return [
        (member.user_id, member.name)
        for member in accounts.members(session, organisation_id)
        if member.roles & {Role.ASSESSOR, Role.EXPERT}
    ]
