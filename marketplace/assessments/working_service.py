"""The house's work on an assessment: value, report, file; the panel has its own service."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from marketplace.assessments import (
    panel_queries,
    panel_rules,
    queries,
    rules,
    valuation_rules,
)
from marketplace.assessments.events import (
    ReportFiled,
    ReportIssued,
)
from marketplace.assessments.models import Assessment, MethodRow
from marketplace.assessments.ordering_service import (
    assessor_of,
    close_record,
    count_version,
    note,
)
from marketplace.assessments.parameters import valuation_terms_on
from marketplace.assessments.rules import (
    AssessmentState,
    ValuationMethod,
)
from marketplace.assessments.valuation_rules import Conclusion, MethodInput
from marketplace.foundation import outbox
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, RuleBroken, raise_if_any
from marketplace.foundation.numbering import next_number


def value(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    assessment_id: int,
    version: int | None,
    inputs: Mapping[ValuationMethod, MethodInput],
    conclusion: Conclusion,
) -> None:
    """Find the value range by one or more methods and conclude it, with its dates."""
    require(actor, rules.WORK)
    row = _load_to_work(session, actor, assessment_id, version)
    today = local_date(now)
    terms = valuation_terms_on(today)
    raise_if_any(
        problem for data in inputs.values() for problem in valuation_rules.check_input(data, terms)
    )
    results = [valuation_rules.compute(data) for data in inputs.values()]
    valuation_rules.check_conclusion(conclusion, results, terms, today=today)
    before = row.state
    row.state = rules.move(before, AssessmentState.SCORING)
    session.execute(delete(MethodRow).where(MethodRow.assessment_id == row.id))
    for method, data in inputs.items():
        session.add(
            MethodRow(
                assessment_id=row.id,
                method=method,
                inputs=queries.INPUTS[method].dump_python(data, mode="json"),
            )
        )
    row.low_fen, row.high_fen = conclusion.low_fen, conclusion.high_fen
    row.base_on, row.valid_until = conclusion.base_on, conclusion.valid_until
    row.reasoning = conclusion.reasoning.strip()
    count_version(row)
    note(
        session,
        actor,
        "value",
        row,
        now,
        before=before,
        methods=sorted(inputs),
        low_fen=row.low_fen,
        high_fen=row.high_fen,
        base_on=row.base_on,
        valid_until=row.valid_until,
    )


def issue(session: Session, *, actor: Actor, now: datetime, assessment_id: int) -> None:
    """Issue the report: scores and value range stand, the fee has arrived; it gets its number."""
    require(actor, rules.ISSUE)
    row = lock(session, Assessment, assessment_id)
    require_own(actor, row.assessor_organisation_id)
    to = rules.move(row.state, AssessmentState.REPORT)
    if row.score_tenths is None or row.low_fen is None or row.high_fen is None:
        missing = "专家组的评分（全部交齐）" if row.score_tenths is None else "评估值区间"
        raise RuleBroken("assessments.incomplete", f"还缺{missing}，补全后才能出具报告")
    panel = panel_queries.panel_of(session, row.id)
    if panel is not None and panel.result is not None:
        panel_rules.check_explained(panel.result, panel.terms, row.disagreement_note)
    if row.fee_fen and row.fee_paid_at is None:
        raise RuleBroken(
            "assessments.unpaid", "评估费还没有到账，到账后才能出具报告；可以提醒委托方付款"
        )
    before = row.state
    row.state = to
    row.report_number = next_number(session, "PG", local_date(now).year)
    row.reported_at, row.reported_by_id = now, actor.user_id
    count_version(row)
    outbox.publish(
        session,
        ReportIssued(
            assessment_id=row.id,
            achievement_id=row.achievement_id,
            organisation_id=row.organisation_id,
            assessor_organisation_id=assessor_of(row),
            title=row.title,
            number=row.report_number,
            low_fen=row.low_fen,
            high_fen=row.high_fen,
        ),
        now=now,
    )
    note(session, actor, "issue", row, now, before=before, number=row.report_number)


def file(session: Session, *, actor: Actor, now: datetime, assessment_id: int) -> None:
    """Put a report on file; from now on it is the achievement's latest valuation."""
    require(actor, rules.FILE)
    row = lock(session, Assessment, assessment_id)
    before = row.state
    row.state = rules.move(before, AssessmentState.FILED)
    # A report states all of these: ``issue`` lets none through without.
    assert row.report_number is not None
    assert row.low_fen is not None
    assert row.high_fen is not None
    assert row.base_on is not None
    assert row.valid_until is not None
    row.filed_at, row.filed_by_id = now, actor.user_id
    close_record(session, row, actor=actor, now=now, reason="评估报告已备案")
    count_version(row)
    outbox.publish(
        session,
        ReportFiled(
            assessment_id=row.id,
            achievement_id=row.achievement_id,
            organisation_id=row.organisation_id,
            assessor_organisation_id=assessor_of(row),
            title=row.title,
            number=row.report_number,
            low_fen=row.low_fen,
            high_fen=row.high_fen,
            base_on=row.base_on,
            valid_until=row.valid_until,
        ),
        now=now,
    )
    note(session, actor, "file", row, now, before=before)


def note_fee_paid(
    session: Session, *, actor: Actor, now: datetime, assessment_id: int, payment_id: int
) -> None:
    """Note that the fee arrived; noted already, do nothing."""
    row = lock(session, Assessment, assessment_id)
    if row.payment_id != payment_id or row.fee_paid_at is not None:
        return
    row.fee_paid_at = now
    note(session, actor, "fee_paid", row, now, payment=payment_id)


def _load_to_work(
    session: Session, actor: Actor, assessment_id: int, version: int | None
) -> Assessment:
    row = lock(session, Assessment, assessment_id)
    require_own(actor, row.assessor_organisation_id)
    if row.state not in rules.WORKING_STATES:
        raise Conflict(
            "assessments.not_working",
            f"这项评估现在是“{row.state.label}”，不能再修改估值",
        )
    if version is not None and version != row.version:
        raise Conflict(
            "assessments.stale",
            "打开页面之后，同事已经修改过这项评估；您填写的内容还在，请核对后再保存一次",
        )
    return row
