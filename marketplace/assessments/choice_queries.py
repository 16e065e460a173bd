"""Reads for choosing who assesses: houses and experts of the library, with what forbids each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.assessments import rules
from marketplace.assessments.library_queries import (
    ExpertView,
    HouseView,
    expert_facts,
    experts,
    houses,
    ties_on,
)
from marketplace.assessments.models import Assessment, Seat
from marketplace.assessments.panel_rules import SeatState
from marketplace.assessments.parameters import panel_terms_on
from marketplace.assessments.queries import AssessmentView
from marketplace.assessments.rules import ConflictKind, PartyFacts, SubjectFacts
from marketplace.foundation.access import Role


@dataclass(frozen=True)
class AssessorChoice:
    """A house of the library, with what forbids it this order and whether it knows the field."""

    house: HouseView
    conflicts: tuple[ConflictKind, ...]
    in_field: bool


@dataclass(frozen=True)
class ExpertChoice:
    """An expert of the library, with what forbids a seat; ``advised`` marks the first choice."""

    expert: ExpertView
    conflicts: tuple[ConflictKind, ...]
    in_field: bool
    advised: bool = False


def choices_for(session: Session, view: AssessmentView, *, on: date) -> list[AssessorChoice]:
    """List the library's houses for one order: free of conflicts, in the field, least loaded."""
    client = party_facts(session, view.row.organisation_id, on=on)
    subject = subject_facts(session, view.row.achievement_id)
    field = achievements.get_internal(session, view.row.achievement_id).content.field
    found = [
        AssessorChoice(
            house,
            tuple(
                rules.conflicts(party_facts(session, house.organisation.id, on=on), client, subject)
            ),
            house.covers(field),
        )
        for house in houses(session)
    ]
    return sorted(
        found,
        key=lambda choice: (
            bool(choice.conflicts),
            not choice.in_field,
            choice.house.record.open_count,
            choice.house.organisation.name,
        ),
    )


def experts_for(session: Session, row: Assessment, *, on: date) -> list[ExpertChoice]:
    """List the library's experts for one panel, in the order in which they are advised.

    Free of conflicts first, then of the field, then the least loaded, then the closest to past
    panels. The first five or seven, of the smaller size, are marked as advised.
    """
    terms = panel_terms_on(on)
    found = experts(session)
    facts = expert_facts(
        session, [one.user_id for one in found], on=on, past_deal_years=terms.past_deal_years
    )
    subject = subject_facts(session, row.achievement_id)
    field = achievements.get_internal(session, row.achievement_id).content.field
    house = row.assessor_organisation_id or 0
    choices = [
        ExpertChoice(
            one,
            tuple(rules.expert_conflicts(facts[one.user_id], row.organisation_id, house, subject)),
            one.covers(field),
        )
        for one in found
    ]
    choices.sort(
        key=lambda choice: (
            bool(choice.conflicts),
            not choice.in_field,
            choice.expert.record.open_count,
            choice.expert.record.distance_sum * 100 // max(choice.expert.record.distance_count, 1),
            choice.expert.user_id,
        )
    )
    size = min(terms.sizes)
    return [
        replace(choice, advised=place < size and not choice.conflicts)
        for place, choice in enumerate(choices)
    ]


def experts_of_order(session: Session, assessment_id: int, *, on: date) -> list[ExpertChoice]:
    """List the experts for the panel of an order; the caller has checked who asks."""
    return experts_for(session, session.get_one(Assessment, assessment_id), on=on)


def seated(session: Session, assessment_id: int) -> frozenset[int]:
    """Return the experts who hold a seat of an order already."""
    return frozenset(
        session.scalars(
            select(Seat.expert_id).where(
                Seat.assessment_id == assessment_id, Seat.state != SeatState.DECLINED
            )
        )
    )


def conflicts_of_expert(
    session: Session, row: Assessment, user_id: int, *, on: date
) -> list[ConflictKind]:
    """List what forbids one expert a seat."""
    terms = panel_terms_on(on)
    facts = expert_facts(session, [user_id], on=on, past_deal_years=terms.past_deal_years)
    return rules.expert_conflicts(
        facts[user_id],
        row.organisation_id,
        row.assessor_organisation_id or 0,
        subject_facts(session, row.achievement_id),
    )


def party_facts(session: Session, organisation_id: int, *, on: date) -> PartyFacts:
    """Return what conflicts are found by, of one side, on a day."""
    organisation = accounts.get_organisation(session, organisation_id)
    traded, owned = ties_on(session, on=on, past_deal_years=panel_terms_on(on).past_deal_years)
    return PartyFacts(
        organisation.id,
        organisation.name,
        organisation.representative,
        frozenset(member.user_id for member in accounts.members(session, organisation_id)),
        traded.get(organisation_id, frozenset()),
        owned.get(organisation_id, frozenset()),
    )


def subject_facts(session: Session, achievement_id: int) -> SubjectFacts:
    """Return who owns and who made an achievement."""
    content = achievements.get_internal(session, achievement_id).content
    return SubjectFacts(
        frozenset(o.organisation_id for o in content.owners if o.organisation_id is not None),
        frozenset(o.name for o in content.owners),
        frozenset(i.user_id for i in content.inventors if i.user_id is not None),
        frozenset(i.name for i in content.inventors if i.name),
    )


def experts_of(session: Session, organisation_id: int) -> list[tuple[int, str]]:
    """List an assessor's people who may sign a report: (user id, name)."""
    return [
        (member.user_id, member.name)
        for member in accounts.members(session, organisation_id)
        if member.roles & {Role.ASSESSOR, Role.EXPERT}
    ]
