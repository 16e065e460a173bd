"""Reads of the library of assessors: houses and experts with their records, and known ties."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.employer_queries import employers
from marketplace.accounts.queries import OrganisationView
from marketplace.accounts.rules import OrganisationSubkind
from marketplace.achievements.inventor_queries import worked_with
from marketplace.assessments.library_rules import (
    ExpertGrade,
    ExpertRecord,
    HouseGrade,
    HouseRecord,
    TieKind,
)
from marketplace.assessments.models import (
    Assessment,
    ExpertEntry,
    HouseEntry,
    ScoreRow,
    Seat,
    Tie,
)
from marketplace.assessments.panel_rules import SeatState
from marketplace.assessments.rules import OPEN_STATES, AssessmentState, ExpertFacts
from marketplace.foundation.access import Role
from marketplace.foundation.clock import local_date
from marketplace.foundation.trade import TechnologyField

_DAYS_A_YEAR = 365


@dataclass(frozen=True)
class HouseView:
    """An assessment house as the library shows it; grade None: not entered yet."""

    organisation: OrganisationView
    grade: HouseGrade | None
    fields: tuple[TechnologyField, ...]
    basis: str
    record: HouseRecord

    def covers(self, field: TechnologyField | None) -> bool:
        """Tell whether it works in a field."""
        return field is not None and field in self.fields


@dataclass(frozen=True)
class ExpertView:
    """An expert as the library shows it."""

    user_id: int
    name: str
    title: str
    grade: ExpertGrade
    fields: tuple[TechnologyField, ...]
    basis: str
    employer_names: tuple[str, ...]
    record: ExpertRecord

    def covers(self, field: TechnologyField | None) -> bool:
        """Tell whether the expert works in a field."""
        return field is not None and field in self.fields


@dataclass(frozen=True)
class TieView:
    """A tie between two organisations."""

    id: int
    first_name: str
    second_name: str
    kind: TieKind
    since: date
    until: date | None
    source: str


def houses(session: Session) -> list[HouseView]:
    """List the library's houses, by name."""
    entries = {row.organisation_id: row for row in session.scalars(select(HouseEntry))}
    records = house_records(session)
    found = []
    for organisation in accounts.list_organisations(
        session, subkinds=[OrganisationSubkind.ASSESSOR]
    ):
        entry = entries.get(organisation.id)
        found.append(
            HouseView(
                organisation,
                entry.grade if entry else None,
                _fields(entry.fields if entry else ()),
                entry.basis if entry else "",
                records.get(organisation.id, HouseRecord()),
            )
        )
    return found


def house_records(session: Session) -> dict[int, HouseRecord]:
    """Read how every house has worked; a report is late after the agreed day of Jinan's clock."""
    found: dict[int, HouseRecord] = {}
    for house, state, due_on, reported_at in session.execute(
        select(
            Assessment.assessor_organisation_id,
            Assessment.state,
            Assessment.due_on,
            Assessment.reported_at,
        ).where(Assessment.assessor_organisation_id.is_not(None))
    ):
        assert house is not None
        was = found.get(house, HouseRecord())
        checked = state is AssessmentState.FILED or (
            state is AssessmentState.REJECTED and reported_at is not None
        )
        late = bool(checked and reported_at and due_on and local_date(reported_at) > due_on)
        found[house] = HouseRecord(
            was.filed_count + (state is AssessmentState.FILED),
            was.refused_count + (checked and state is AssessmentState.REJECTED),
            was.late_count + late,
            was.open_count + (state in OPEN_STATES),
        )
    return found


def experts(session: Session) -> list[ExpertView]:
    """List the library's experts who have not left and still hold a role, by name."""
    entries = session.scalars(select(ExpertEntry).where(ExpertEntry.left_at.is_(None))).all()
    active = set(accounts.users_with_role(session, Role.EXPERT)) | set(
        accounts.users_with_role(session, Role.ASSESSOR)
    )
    shown = [entry for entry in entries if entry.user_id in active]
    ids = [entry.user_id for entry in shown]
    users = accounts.get_users(session, ids)
    work = employers(session, ids)
    names = accounts.get_organisations(session, {one for held in work.values() for one in held})
    records = expert_records(session)
    found = [
        ExpertView(
            entry.user_id,
            users[entry.user_id].name,
            users[entry.user_id].title,
            entry.grade,
            _fields(entry.fields),
            entry.basis,
            tuple(sorted(names[one].short_name for one in work[entry.user_id])),
            records.get(entry.user_id, ExpertRecord()),
        )
        for entry in shown
    ]
    return sorted(found, key=lambda expert: (expert.name, expert.user_id))


def expert_records(session: Session) -> dict[int, ExpertRecord]:
    """Read how every expert has scored: sheets, open seats, distance from each panel's median."""
    submitted: dict[int, int] = {}
    waiting: dict[int, int] = {}
    for expert_id, state, count in session.execute(
        select(Seat.expert_id, Seat.state, func.count())
        .join(Assessment, Assessment.id == Seat.assessment_id)
        .where(
            or_(Seat.state == SeatState.SUBMITTED, Assessment.state.in_(OPEN_STATES)),
            Seat.state != SeatState.DECLINED,
        )
        .group_by(Seat.expert_id, Seat.state)
    ):
        counts = submitted if state is SeatState.SUBMITTED else waiting
        counts[expert_id] = counts.get(expert_id, 0) + count
    panels: dict[tuple[int, str], dict[int, int]] = {}
    # Of panels that are closed: an open one must not show through an expert's record.
    for assessment_id, indicator, expert_id, points in session.execute(
        select(ScoreRow.assessment_id, ScoreRow.indicator, ScoreRow.expert_id, ScoreRow.points)
        .join(Assessment, Assessment.id == ScoreRow.assessment_id)
        .where(Assessment.state == AssessmentState.FILED)
    ):
        panels.setdefault((assessment_id, indicator), {})[expert_id] = points
    distance: dict[int, int] = {}
    compared: dict[int, int] = {}
    for given in panels.values():
        if len(given) < 2:
            continue
        median = sorted(given.values())[len(given) // 2]
        for expert_id, points in given.items():
            distance[expert_id] = distance.get(expert_id, 0) + abs(points - median)
            compared[expert_id] = compared.get(expert_id, 0) + 1
    return {
        expert_id: ExpertRecord(
            submitted.get(expert_id, 0),
            waiting.get(expert_id, 0),
            distance.get(expert_id, 0),
            compared.get(expert_id, 0),
        )
        for expert_id in {*submitted, *waiting, *distance}
    }


def expert_facts(
    session: Session, user_ids: Collection[int], *, on: date, past_deal_years: int
) -> dict[int, ExpertFacts]:
    """Return what conflicts of experts are found by."""
    users = accounts.get_users(session, user_ids)
    work = employers(session, user_ids)
    joint = worked_with(session, user_ids)
    traded, owned = ties_on(session, on=on, past_deal_years=past_deal_years)
    return {
        user_id: ExpertFacts(
            user_id,
            users[user_id].name,
            work[user_id],
            frozenset(joint.get(user_id, ())),
            frozenset().union(*(traded.get(one, frozenset()) for one in work[user_id])),
            frozenset().union(*(owned.get(one, frozenset()) for one in work[user_id])),
        )
        for user_id in users
    }


Ties = dict[int, frozenset[int]]


def ties_on(session: Session, *, on: date, past_deal_years: int) -> tuple[Ties, Ties]:
    """Return who has dealt with whom of late, and who holds capital of whom, on a day."""
    earliest = on - timedelta(days=past_deal_years * _DAYS_A_YEAR)
    rows = session.scalars(
        select(Tie).where(
            Tie.since <= on,
            or_(
                (Tie.kind == TieKind.DEAL) & (Tie.since >= earliest),
                (Tie.kind == TieKind.OWNERSHIP) & (Tie.until.is_(None) | (Tie.until >= on)),
            ),
        )
    )
    found: dict[TieKind, dict[int, set[int]]] = {kind: {} for kind in TieKind}
    for row in rows:
        found[row.kind].setdefault(row.first_id, set()).add(row.second_id)
        found[row.kind].setdefault(row.second_id, set()).add(row.first_id)
    deals, capital = (
        {one: frozenset(others) for one, others in found[kind].items()}
        for kind in (TieKind.DEAL, TieKind.OWNERSHIP)
    )
    return deals, capital


def ties(session: Session, *, limit: int = 100) -> list[TieView]:
    """List the newest ties for the operator."""
    rows = session.scalars(
        select(Tie).order_by(Tie.recorded_at.desc(), Tie.id.desc()).limit(limit)
    ).all()
    names = accounts.get_organisations(
        session, {one for row in rows for one in (row.first_id, row.second_id)}
    )
    return [
        TieView(
            row.id,
            names[row.first_id].name,
            names[row.second_id].name,
            row.kind,
            row.since,
            row.until,
            row.source,
        )
        for row in rows
    ]


def candidates_for_entry(session: Session) -> list[tuple[int, str]]:
    """List the people who may be entered as experts: who holds the role of one anywhere."""
    ids = set(accounts.users_with_role(session, Role.EXPERT)) | set(
        accounts.users_with_role(session, Role.ASSESSOR)
    )
    return sorted(
        (
            (user.id, f"{user.name}（{user.title or '未填职务'}）")
            for user in accounts.get_users(session, ids).values()
        ),
        key=lambda pair: pair[1],
    )


def _fields(stored: Collection[str]) -> tuple[TechnologyField, ...]:
    return tuple(TechnologyField(value) for value in stored)
