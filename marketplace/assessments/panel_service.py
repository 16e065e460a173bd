"""The panel of an assessment: call it, declare or give back a seat, hand in a sheet.

Locks are taken in this order: assessment, seat.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.achievements import queries as achievements
from marketplace.assessments import choice_queries, panel_queries, panel_rules, rules
from marketplace.assessments.events import ExpertInvited, ExpertLeft, PanelScored
from marketplace.assessments.models import Assessment, ScoreRow, Seat
from marketplace.assessments.ordering_service import assessor_of, count_version, note
from marketplace.assessments.panel_rules import (
    AchievementType,
    Candidate,
    SeatState,
    SheetAnswers,
)
from marketplace.assessments.parameters import panel_terms_on
from marketplace.assessments.rules import AssessmentState
from marketplace.foundation import outbox
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken


def call_panel(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    assessment_id: int,
    achievement_type: AchievementType,
    expert_ids: Sequence[int],
) -> None:
    """Put five or seven experts of the library on the panel; a conflict of interest refuses one.

    A second call fills the seats that were given back, with the same type of achievement. Experts
    are invited to declare; nobody learns who else sits there.
    """
    require(actor, rules.WORK)
    row = lock(session, Assessment, assessment_id)
    require_own(actor, row.assessor_organisation_id)
    if row.state not in rules.WORKING_STATES:
        raise Conflict(
            "assessments.not_working", f"这项评估现在是“{row.state.label}”，不能组建专家组"
        )
    today = local_date(row.panel_called_at or now)
    terms = panel_terms_on(today)
    seated = _seats(session, row.id)
    if any(seat.state is SeatState.SUBMITTED for seat in seated) and (
        achievement_type is not row.achievement_type
    ):
        raise RuleBroken(
            "assessments.type_fixed", "已有专家交了评分，成果类型不能再改", "achievement_type"
        )
    chosen = list(dict.fromkeys([*(seat.expert_id for seat in seated), *expert_ids]))
    panel_rules.check_panel(_candidates(session, row, chosen, now), terms)
    before = row.state
    if before is AssessmentState.ACCEPTED:
        row.state = rules.move(before, AssessmentState.SCORING)
    row.achievement_type = achievement_type
    row.panel_called_at = row.panel_called_at or now
    free = [n for n in range(1, len(chosen) + 1) if n not in {seat.number for seat in seated}]
    taken = {seat.expert_id for seat in seated}
    fresh = [one for one in panel_rules.seats(row.id, chosen) if one not in taken]
    field = achievements.get_internal(session, row.achievement_id).content.field
    views = {view.user_id: view for view in panel_queries.library(session)}
    for number, expert_id in zip(free, fresh, strict=True):
        seat = Seat(
            assessment_id=row.id,
            expert_id=expert_id,
            number=number,
            in_field=views[expert_id].covers(field),
            state=SeatState.INVITED,
            invited_at=now,
            declared_at=None,
            submitted_at=None,
            marks={},
        )
        session.add(seat)
        session.flush()
        assert row.due_on is not None  # set when the order was accepted
        outbox.publish(
            session,
            ExpertInvited(
                assessment_id=row.id,
                seat_id=seat.id,
                expert_user_id=expert_id,
                title=row.title,
                due_on=row.due_on,
            ),
            now=now,
        )
    count_version(row)
    note(
        session,
        actor,
        "call_panel",
        row,
        now,
        before=before,
        type=achievement_type,
        experts=sorted(chosen),
    )


def declare(
    session: Session, *, actor: Actor, now: datetime, seat_id: int, declared: bool, statement: str
) -> None:
    """Declare that nothing ties the expert to the matter; from now on the dossier is open."""
    row, seat = _own_seat(session, actor, seat_id)
    text = rules.check_statement(declared=declared, statement=statement)
    if seat.state is not SeatState.INVITED:
        raise Conflict("assessments.declared", f"您现在是“{seat.state.label}”，不必再声明")
    _refuse_conflict(session, row, seat, now)
    seat.state, seat.statement, seat.declared_at = SeatState.DECLARED, text, now
    note(session, actor, "declare", row, now, seat=seat.number)


def leave(session: Session, *, actor: Actor, now: datetime, seat_id: int, reason: str) -> None:
    """Give the seat back before a sheet is handed in, with the reason; it is filled anew."""
    row, seat = _own_seat(session, actor, seat_id)
    text = rules.check_reason(reason, "回避或退出的原因")
    if seat.state is SeatState.SUBMITTED:
        raise Conflict("assessments.sheet_in", "评分已经提交，不能再退出")
    if seat.state is SeatState.DECLINED:
        raise Conflict("assessments.left", "您已经退出这个专家组")
    seat.state = SeatState.DECLINED
    outbox.publish(
        session,
        ExpertLeft(
            assessment_id=row.id,
            assessor_organisation_id=assessor_of(row),
            title=row.title,
            reason=text,
        ),
        now=now,
    )
    note(session, actor, "leave", row, now, seat=seat.number, reason=text)


def hand_in(
    session: Session, *, actor: Actor, now: datetime, seat_id: int, answers: SheetAnswers
) -> None:
    """Hand in a sheet, once and for good; the last one closes the panel and counts the score.

    The audit row says that a sheet came in, not what stands on it: scoring is blind.
    """
    row, seat = _own_seat(session, actor, seat_id)
    if seat.state is SeatState.SUBMITTED:
        raise Conflict("assessments.sheet_in", "您已经提交评分，独立评分不能再改")
    if seat.state is not SeatState.DECLARED:
        raise RuleBroken("assessments.not_declared", "请先声明没有利益关系，再打开材料评分")
    _refuse_conflict(session, row, seat, now)
    assert row.achievement_type is not None
    assert row.panel_called_at is not None
    terms = panel_terms_on(local_date(row.panel_called_at))
    sheet = terms.sheet(row.achievement_type.value)
    panel_rules.check_sheet(answers, sheet, terms)
    seat.marks = {line.code: answers.marks[line.code] for line in sheet.lines()}
    seat.trl_evidence = answers.trl_evidence.strip()
    seat.state, seat.submitted_at = SeatState.SUBMITTED, now
    for indicator, points in panel_rules.indicator_points(seat.marks, sheet, terms).items():
        session.add(
            ScoreRow(
                assessment_id=row.id,
                expert_id=seat.expert_id,
                indicator=indicator,
                points=points,
                reason=answers.reasons[indicator].strip(),
            )
        )
    session.flush()
    note(session, actor, "hand_in", row, now, seat=seat.number)
    seated = _seats(session, row.id)
    if len(seated) not in terms.sizes or any(
        one.state is not SeatState.SUBMITTED for one in seated
    ):
        return
    result = panel_queries.result_of(row, seated)
    row.score_tenths, row.scored_at = result.score_tenths, now
    count_version(row)
    outbox.publish(
        session,
        PanelScored(
            assessment_id=row.id,
            assessor_organisation_id=assessor_of(row),
            title=row.title,
            score_tenths=result.score_tenths,
        ),
        now=now,
    )
    note(session, actor, "panel_scored", row, now, score_tenths=result.score_tenths)


def explain(
    session: Session, *, actor: Actor, now: datetime, assessment_id: int, text: str
) -> None:
    """Write why the experts differ and what was made of it; it is printed in the report."""
    require(actor, rules.WORK)
    row = lock(session, Assessment, assessment_id)
    require_own(actor, row.assessor_organisation_id)
    if row.state is not AssessmentState.SCORING or row.score_tenths is None:
        raise Conflict("assessments.not_scored", "专家评分交齐之后、出具报告之前，才能写分歧说明")
    row.disagreement_note = rules.check_reason(text, "专家分歧在哪里、如何取舍", field="note")
    count_version(row)
    note(session, actor, "explain", row, now)


def _candidates(
    session: Session, row: Assessment, chosen: Sequence[int], now: datetime
) -> list[Candidate]:
    offered = {
        choice.expert.user_id: choice
        for choice in choice_queries.experts_for(session, row, on=local_date(now))
    }
    missing = [one for one in chosen if one not in offered]
    if missing:
        raise RuleBroken(
            "assessments.not_in_library", "请从专家库中选择；有人已经出库，请刷新页面", "experts"
        )
    return [
        Candidate(
            one,
            offered[one].expert.name,
            offered[one].in_field,
            tuple(kind.label for kind in offered[one].conflicts),
        )
        for one in chosen
    ]


def _refuse_conflict(session: Session, row: Assessment, seat: Seat, now: datetime) -> None:
    """Look again: a tie may have come up since the seat was given."""
    rules.check_no_conflict(
        choice_queries.conflicts_of_expert(session, row, seat.expert_id, on=local_date(now)),
        who="expert",
    )


def _own_seat(session: Session, actor: Actor, seat_id: int) -> tuple[Assessment, Seat]:
    require(actor, rules.SIT)
    found = session.get(Seat, seat_id)
    if found is None or found.expert_id != actor.user_id:
        raise NotFound()
    row = lock(session, Assessment, found.assessment_id)
    seat = lock(session, Seat, seat_id)
    if row.state not in rules.WORKING_STATES:
        raise Conflict(
            "assessments.panel_over", f"这项评估现在是“{row.state.label}”，专家评分已经结束"
        )
    return row, seat


def _seats(session: Session, assessment_id: int) -> list[Seat]:
    """Return the seats that are taken, in their order."""
    return list(
        session.scalars(
            select(Seat)
            .where(Seat.assessment_id == assessment_id, Seat.state != SeatState.DECLINED)
            .order_by(Seat.number)
        )
    )
