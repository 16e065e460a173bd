"""The operator keeps the library: houses, experts, and the ties between organisations."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.rules import OrganisationSubkind
from marketplace.assessments import library_rules, rules
from marketplace.assessments.library_queries import candidates_for_entry
from marketplace.assessments.library_rules import ExpertGrade, HouseGrade, TieKind
from marketplace.assessments.models import ExpertEntry, HouseEntry, Tie
from marketplace.foundation import audit
from marketplace.foundation.access import Actor, require
from marketplace.foundation.errors import NotFound, RuleBroken
from marketplace.foundation.trade import TechnologyField


def enter_house(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    organisation_id: int,
    grade: HouseGrade,
    fields: tuple[TechnologyField, ...],
    basis: str,
) -> None:
    """Enter an assessment house into the library, or bring its entry up to date."""
    require(actor, rules.KEEP_LIBRARY)
    organisation = accounts.get_organisation(session, organisation_id)
    if not organisation.offers(OrganisationSubkind.ASSESSOR):
        raise RuleBroken("assessments.not_assessor", "只有评估机构可以入库", "organisation")
    library_rules.check_entry(fields, basis)
    entry = session.scalar(select(HouseEntry).where(HouseEntry.organisation_id == organisation_id))
    if entry is None:
        entry = HouseEntry(organisation_id=organisation_id, entered_at=now)
        session.add(entry)
    entry.grade, entry.fields, entry.basis = grade, [f.value for f in fields], basis.strip()
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="assessments.enter_house",
        subject=f"organisation:{organisation_id}",
        now=now,
        after={"grade": grade, "fields": entry.fields, "basis": entry.basis},
    )


def enter_expert(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    user_id: int,
    grade: ExpertGrade,
    fields: tuple[TechnologyField, ...],
    basis: str,
) -> None:
    """Enter a person who holds an expert's role into the library, or bring the entry up to date."""
    require(actor, rules.KEEP_LIBRARY)
    if user_id not in {person for person, _name in candidates_for_entry(session)}:
        raise RuleBroken(
            "assessments.not_expert", "请从具有“评审专家”或“评估师”角色的人员中选择", "user"
        )
    library_rules.check_entry(fields, basis)
    entry = session.scalar(select(ExpertEntry).where(ExpertEntry.user_id == user_id))
    if entry is None:
        entry = ExpertEntry(user_id=user_id, entered_at=now)
        session.add(entry)
    entry.grade, entry.fields, entry.basis = grade, [f.value for f in fields], basis.strip()
    entry.left_at = None
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="assessments.enter_expert",
        subject=f"expert:{user_id}",
        now=now,
        after={"grade": grade, "fields": entry.fields, "basis": entry.basis},
    )


def release_expert(
    session: Session, *, actor: Actor, now: datetime, user_id: int, reason: str
) -> None:
    """Take an expert out of the library, with the reason; seats taken already are kept."""
    require(actor, rules.KEEP_LIBRARY)
    entry = session.scalar(select(ExpertEntry).where(ExpertEntry.user_id == user_id))
    if entry is None or entry.left_at is not None:
        raise NotFound()
    text = rules.check_reason(reason, "出库的原因")
    entry.left_at = now
    audit.record(
        session,
        actor=actor,
        action="assessments.release_expert",
        subject=f"expert:{user_id}",
        now=now,
        after={"reason": text},
    )


def record_tie(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    first_id: int,
    second_id: int,
    kind: TieKind,
    since: date,
    until: date | None,
    source: str,
) -> None:
    """Record what ties two organisations; recorded already with that source, do nothing."""
    require(actor, rules.KEEP_LIBRARY)
    library_rules.check_tie(first_id, second_id, since, until, source)
    first, second = sorted((first_id, second_id))
    accounts.get_organisation(session, first)
    accounts.get_organisation(session, second)
    text = source.strip()
    known = session.scalar(
        select(Tie.id).where(
            Tie.first_id == first, Tie.second_id == second, Tie.kind == kind, Tie.source == text
        )
    )
    if known is not None:
        return
    tie = Tie(
        first_id=first,
        second_id=second,
        kind=kind,
        since=since,
        until=until,
        source=text,
        recorded_at=now,
    )
    session.add(tie)
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="assessments.record_tie",
        subject=f"tie:{tie.id}",
        now=now,
        after={"first": first, "second": second, "kind": kind, "since": since, "until": until},
    )
