"""The order of an assessment: ask, choose an assessor, accept or decline, end."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.rules import OrganisationSubkind
from marketplace.achievements import queries as achievements
from marketplace.achievements import service as achievements_service
from marketplace.achievements.rules import AchievementState
from marketplace.assessments import choice_queries, queries, rules
from marketplace.assessments.events import (
    AssessmentAccepted,
    AssessmentAssigned,
    AssessmentDeclined,
    AssessmentRejected,
    AssessmentRequested,
)
from marketplace.assessments.models import Assessment
from marketplace.assessments.parameters import valuation_terms_on
from marketplace.assessments.rules import (
    AssessmentState,
)
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.workdays import add_workdays
from marketplace.payments import service as payments
from marketplace.payments.rules import PaymentPurpose

ASSESSABLE = frozenset(
    {
        AchievementState.INTERNAL_REVIEW,
        AchievementState.PUBLISHED,
        AchievementState.LISTED,
        AchievementState.IN_DEAL,
    }
)


def subject(assessment_id: int) -> str:
    """Return the subject under which an assessment's audit rows and payments stand."""
    return f"assessment:{assessment_id}"


def request(
    session: Session, *, actor: Actor, now: datetime, achievement_id: int, purpose: str
) -> int:
    """Ask for an assessment and return its id; the pre-assessment is computed and kept at once."""
    require(actor, rules.REQUEST)
    view = achievements.get_own(session, actor, achievement_id)
    if view.state not in ASSESSABLE:
        raise RuleBroken(
            "assessments.not_assessable",
            f"成果现在是“{view.state.label}”，提交审批或发布之后才能申请评估；"
            "草稿可以随时看预评估的得分和建议",
        )
    pre = queries.pre_assessment(view, on=local_date(now))
    row = Assessment(
        state=rules.move(AssessmentState.REQUESTED, AssessmentState.PRE_ASSESSED),
        achievement_id=achievement_id,
        title=view.title,
        organisation_id=view.organisation_id,
        requested_by_id=actor.user_id,
        requested_at=now,
        purpose=rules.check_reason(purpose, "评估用途（如转让定价、作价入股）", field="purpose"),
        pre_result=queries.PRE_RESULT.dump_python(pre, mode="json"),
        pre_score_tenths=pre.score_tenths,
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError as twice:
        raise Conflict(
            "assessments.open_already",
            "这项成果已有一项评估在进行，不必重复申请；请在“评估”页面继续办理",
        ) from twice
    outbox.publish(
        session,
        AssessmentRequested(
            assessment_id=row.id,
            achievement_id=achievement_id,
            organisation_id=row.organisation_id,
            title=row.title,
            pre_score_tenths=row.pre_score_tenths,
        ),
        now=now,
    )
    note(session, actor, "request", row, now, pre_score_tenths=row.pre_score_tenths)
    return row.id


def assign(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    assessment_id: int,
    assessor_organisation_id: int,
) -> None:
    """Choose an assessor of the library; one with a known conflict of interest is refused."""
    require(actor, rules.REQUEST)
    row = lock(session, Assessment, assessment_id)
    require_own(actor, row.organisation_id)
    assessor = accounts.get_organisation(session, assessor_organisation_id)
    if not assessor.verified or not assessor.offers(OrganisationSubkind.ASSESSOR):
        raise RuleBroken(
            "assessments.not_assessor", "请从评估机构库中选择一家已核验的评估机构", "assessor"
        )
    rules.check_no_conflict(
        rules.conflicts(
            choice_queries.party_facts(session, assessor.id, on=local_date(now)),
            choice_queries.party_facts(session, row.organisation_id, on=local_date(now)),
            choice_queries.subject_facts(session, row.achievement_id),
        )
    )
    before = row.state
    row.state = rules.move(before, AssessmentState.ASSIGNED)
    row.assessor_organisation_id = assessor.id
    row.assigned_at = now
    today = local_date(now)
    row.answer_by = add_workdays(today, valuation_terms_on(today).accept_workdays)
    row.declined_reason = ""
    count_version(row)
    outbox.publish(
        session,
        AssessmentAssigned(
            assessment_id=row.id,
            achievement_id=row.achievement_id,
            organisation_id=row.organisation_id,
            assessor_organisation_id=assessor.id,
            title=row.title,
        ),
        now=now,
    )
    note(session, actor, "assign", row, now, before=before, assessor=assessor.id)


def accept(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    assessment_id: int,
    declared: bool,
    statement: str,
    expert_id: int,
    fee_fen: Fen,
    due_on: date,
) -> None:
    """Take the order with a conflict-of-interest statement, an expert, a fee and a day.

    The expert reads the achievement's confidential layer from now until the end of the order. A
    fee is expected through payments; the report follows its arrival.
    """
    require(actor, rules.ACCEPT)
    row = lock(session, Assessment, assessment_id)
    require_own(actor, row.assessor_organisation_id)
    assessor_id = assessor_of(row)
    text = rules.check_statement(declared=declared, statement=statement)
    if expert_id not in {
        person for person, _name in choice_queries.experts_of(session, assessor_id)
    }:
        raise RuleBroken(
            "assessments.not_expert", "请从本机构的评估师或评审专家中选择一位", "expert"
        )
    rules.check_no_conflict(
        rules.conflicts(
            choice_queries.party_facts(session, assessor_id, on=local_date(now)),
            choice_queries.party_facts(session, row.organisation_id, on=local_date(now)),
            choice_queries.subject_facts(session, row.achievement_id),
            expert_id=expert_id,
        )
    )
    if due_on <= local_date(now):
        raise RuleBroken("assessments.due_past", "出具报告的日期应晚于今天", "due_on")
    before = row.state
    row.state = rules.move(before, AssessmentState.ACCEPTED)
    row.accepted_at, row.accepted_by_id = now, actor.user_id
    row.statement, row.expert_id = text, expert_id
    row.fee_fen, row.due_on = fee_fen, due_on
    if fee_fen:
        row.payment_id = payments.expect(
            session,
            actor=actor,
            now=now,
            purpose=PaymentPurpose.ASSESSMENT_FEE,
            subject=subject(row.id),
            payer_organisation_id=row.organisation_id,
            payee_organisation_id=assessor_id,
            amount_fen=fee_fen,
            description=f"评估费：{row.title}",
            due_on=due_on,
        )
    achievements_service.open_confidential_layer(
        session,
        actor=actor,
        now=now,
        achievement_id=row.achievement_id,
        organisation_id=assessor_id,
        ground=f"评估委托，{text[:80]}",
    )
    count_version(row)
    outbox.publish(
        session,
        AssessmentAccepted(
            assessment_id=row.id,
            achievement_id=row.achievement_id,
            organisation_id=row.organisation_id,
            assessor_organisation_id=assessor_id,
            title=row.title,
            fee_fen=fee_fen,
            due_on=due_on,
        ),
        now=now,
    )
    note(session, actor, "accept", row, now, before=before, fee_fen=fee_fen, expert=expert_id)


def decline(
    session: Session, *, actor: Actor, now: datetime, assessment_id: int, reason: str
) -> None:
    """Decline the order with a reason; the client may choose another assessor."""
    require(actor, rules.ACCEPT)
    row = lock(session, Assessment, assessment_id)
    require_own(actor, row.assessor_organisation_id)
    assessor_id = assessor_of(row)
    text = rules.check_reason(reason, "不接受的理由")
    before = row.state
    rules.check_offered(before)
    row.state = rules.move(before, AssessmentState.PRE_ASSESSED)
    row.assessor_organisation_id = None
    row.assigned_at = row.answer_by = None
    row.declined_reason = text
    count_version(row)
    outbox.publish(
        session,
        AssessmentDeclined(
            assessment_id=row.id,
            achievement_id=row.achievement_id,
            organisation_id=row.organisation_id,
            assessor_organisation_id=assessor_id,
            title=row.title,
            reason=text,
        ),
        now=now,
    )
    note(session, actor, "decline", row, now, before=before, reason=text)


def reject(
    session: Session, *, actor: Actor, now: datetime, assessment_id: int, reason: str
) -> None:
    """End an assessment without a report on file, with the reason.

    The client may before the assessor has accepted, the assessor while it works, the operator
    when it checks the report. A fee already paid is settled between the parties.
    """
    row = lock(session, Assessment, assessment_id)
    if row.state in (AssessmentState.PRE_ASSESSED, AssessmentState.ASSIGNED):
        require(actor, rules.REQUEST)
        require_own(actor, row.organisation_id)
    elif row.state in rules.WORKING_STATES:
        require(actor, rules.ISSUE)
        require_own(actor, row.assessor_organisation_id)
    else:
        require(actor, rules.FILE)
    text = rules.check_reason(reason, "终止的原因")
    before = row.state
    row.state = rules.move(before, AssessmentState.REJECTED)
    row.ended_reason = text
    if row.payment_id is not None and row.fee_paid_at is None:
        payments.cancel(session, actor=actor, now=now, payment_id=row.payment_id)
    close_record(session, row, actor=actor, now=now, reason="评估已终止")
    count_version(row)
    outbox.publish(
        session,
        AssessmentRejected(
            assessment_id=row.id,
            achievement_id=row.achievement_id,
            organisation_id=row.organisation_id,
            assessor_organisation_id=row.assessor_organisation_id,
            title=row.title,
            reason=text,
        ),
        now=now,
    )
    note(session, actor, "reject", row, now, before=before, reason=text)


def assessor_of(row: Assessment) -> int:
    """Return the chosen assessor; an order without one is not found."""
    if row.assessor_organisation_id is None:
        raise NotFound()
    return row.assessor_organisation_id


def count_version(row: Assessment) -> None:
    """Count a change, so that a page opened before it is told."""
    row.version += 1


def close_record(
    session: Session, row: Assessment, *, actor: Actor, now: datetime, reason: str
) -> None:
    """Close the confidential layer that accepting the order had opened."""
    if row.accepted_at is None or row.assessor_organisation_id is None:
        return
    achievements_service.close_confidential_layer(
        session,
        actor=actor,
        now=now,
        achievement_id=row.achievement_id,
        organisation_id=row.assessor_organisation_id,
        reason=reason,
    )


def note(
    session: Session,
    actor: Actor,
    action: str,
    row: Assessment,
    now: datetime,
    *,
    before: AssessmentState | None = None,
    **after: object,
) -> None:
    """Write the audit row of one step."""
    audit.record(
        session,
        actor=actor,
        action=f"assessments.{action}",
        subject=subject(row.id),
        now=now,
        before=None if before is None else {"state": before},
        after={"state": row.state, **after},
    )
