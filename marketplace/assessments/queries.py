"""Reads of assessments: one, lists for each side, the latest valuation on file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements.queries import AchievementView
from marketplace.assessments import rules
from marketplace.assessments.models import Assessment, MethodRow, ScoreRow
from marketplace.assessments.parameters import scoring_on, valuation_terms_on
from marketplace.assessments.rules import (
    OPEN_STATES,
    AssessmentState,
    ExpertScore,
    Indicator,
    ValuationMethod,
)
from marketplace.assessments.scoring_rules import PreAssessment, facts_of, pre_assess
from marketplace.assessments.valuation_rules import (
    CostInput,
    IncomeInput,
    MarketInput,
    MethodInput,
    MethodResult,
    check_input,
    compute,
)
from marketplace.foundation.access import SYSTEM, Actor, Role, permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken
from marketplace.foundation.money import Fen

PRE_RESULT = TypeAdapter(PreAssessment)
INPUTS: dict[ValuationMethod, TypeAdapter[MethodInput]] = {
    ValuationMethod.INCOME: TypeAdapter(IncomeInput),
    ValuationMethod.MARKET: TypeAdapter(MarketInput),
    ValuationMethod.COST: TypeAdapter(CostInput),
}
_CLIENT_ROLES = (
    Role.OFFICER,
    Role.ORG_ADMIN,
    Role.INVENTOR,
    Role.COLLEGE_APPROVER,
    Role.LEADER,
)
_ASSESSOR_ROLES = (Role.ASSESSOR, Role.PROVIDER, Role.EXPERT, Role.ORG_ADMIN)


@dataclass(frozen=True)
class AssessmentRow:
    """One line of a list."""

    id: int
    state: AssessmentState
    achievement_id: int
    title: str
    organisation_id: int
    client_name: str
    assessor_organisation_id: int | None
    assessor_name: str
    requested_at: datetime
    pre_score_tenths: int
    score_tenths: int | None
    low_fen: Fen | None
    high_fen: Fen | None
    due_on: date | None
    answer_by: date | None
    report_number: str | None


@dataclass(frozen=True)
class AssessmentView:
    """An assessment in full, as its parties and the operator see it."""

    row: AssessmentRow
    version: int
    purpose: str
    pre: PreAssessment
    assigned_at: datetime | None
    declined_reason: str
    accepted_at: datetime | None
    statement: str
    expert_id: int | None
    expert_name: str
    fee_fen: Fen
    payment_id: int | None
    fee_paid_at: datetime | None
    scores: tuple[ExpertScore, ...]
    inputs: dict[ValuationMethod, MethodInput]
    results: tuple[MethodResult, ...]
    base_on: date | None
    valid_until: date | None
    reasoning: str
    weights: dict[Indicator, int]
    scoring_reference: str
    reported_at: datetime | None
    filed_at: datetime | None
    ended_reason: str
    panelled: bool
    disagreement_note: str
    is_client: bool
    is_assessor: bool

    @property
    def id(self) -> int:
        """Return the assessment's id."""
        return self.row.id

    @property
    def state(self) -> AssessmentState:
        """Return where it stands."""
        return self.row.state

    @property
    def scored(self) -> bool:
        """Tell whether the five indicators have their points."""
        return self.row.score_tenths is not None

    @property
    def valued(self) -> bool:
        """Tell whether the value range is concluded."""
        return self.row.low_fen is not None

    @property
    def fee_settled(self) -> bool:
        """Tell whether nothing is left to pay."""
        return self.fee_fen == 0 or self.fee_paid_at is not None

    @property
    def reported(self) -> bool:
        """Tell whether a report exists."""
        return self.reported_at is not None


@dataclass(frozen=True)
class ValuationView:
    """The latest valuation on file of an achievement; amounts are fen."""

    assessment_id: int
    achievement_id: int
    number: str
    low_fen: Fen
    high_fen: Fen
    base_on: date
    valid_until: date
    score_tenths: int
    assessor_organisation_id: int
    assessor_name: str
    filed_at: datetime

    def valid_on(self, day: date) -> bool:
        """Tell whether the report may be used on a day."""
        return self.base_on <= day <= self.valid_until


def pre_assessment(view: AchievementView, *, on: date) -> PreAssessment:
    """Compute the first score of an achievement as its record stands."""
    return pre_assess(facts_of(view.content, on=on, stale=view.stale), scoring_on(on))


def latest_valuation(session: Session, achievement_id: int) -> ValuationView | None:
    """Return the newest valuation on file of an achievement, valid or run out, or None."""
    row = session.scalar(
        select(Assessment)
        .where(
            Assessment.achievement_id == achievement_id, Assessment.state == AssessmentState.FILED
        )
        .order_by(Assessment.filed_at.desc(), Assessment.id.desc())
        .limit(1)
    )
    if row is None:
        return None
    # The columns below are filled for every filed report; the service sees to it.
    assert row.low_fen is not None
    assert row.high_fen is not None
    assert row.base_on is not None
    assert row.valid_until is not None
    assert row.filed_at is not None
    assert row.assessor_organisation_id is not None
    return ValuationView(
        assessment_id=row.id,
        achievement_id=row.achievement_id,
        number=row.report_number or "",
        low_fen=row.low_fen,
        high_fen=row.high_fen,
        base_on=row.base_on,
        valid_until=row.valid_until,
        score_tenths=row.score_tenths or 0,
        assessor_organisation_id=row.assessor_organisation_id,
        assessor_name=accounts.get_organisation(session, row.assessor_organisation_id).name,
        filed_at=row.filed_at,
    )


def open_assessment_of(session: Session, achievement_id: int) -> int | None:
    """Return the id of the achievement's open assessment, or None."""
    return session.scalar(
        select(Assessment.id).where(
            Assessment.achievement_id == achievement_id, Assessment.state.in_(OPEN_STATES)
        )
    )


def get_for(session: Session, actor: Actor, assessment_id: int) -> AssessmentView:
    """Return one assessment to its client, its assessor or the operator, else ``NotFound``."""
    row = session.get(Assessment, assessment_id)
    if row is None or not _may_see(actor, row):
        raise NotFound()
    names = _names(session, [row])
    scores = session.scalars(select(ScoreRow).where(ScoreRow.assessment_id == row.id)).all()
    points = {score.indicator: score for score in scores}
    methods = session.scalars(
        select(MethodRow).where(MethodRow.assessment_id == row.id).order_by(MethodRow.id)
    ).all()
    inputs = {
        method.method: INPUTS[method.method].validate_python(method.inputs) for method in methods
    }
    is_assessor = row.assessor_organisation_id == actor.organisation_id and actor.signed_in
    panelled = row.panel_called_at is not None
    is_client = row.organisation_id == actor.organisation_id and actor.signed_in
    # The client reads scores and working when the report is out, not while it is being written.
    open_book = is_assessor or row.reported_at is not None
    scoring = scoring_on(local_date(row.scored_at or row.requested_at))
    weights = scoring.weights.model_dump()
    return AssessmentView(
        row=_row(row, names, open_book=open_book),
        version=row.version,
        purpose=row.purpose,
        pre=PRE_RESULT.validate_python(row.pre_result),
        assigned_at=row.assigned_at,
        declined_reason=row.declined_reason,
        accepted_at=row.accepted_at,
        statement=row.statement,
        expert_id=row.expert_id,
        expert_name=accounts.get_user(session, row.expert_id).name if row.expert_id else "",
        fee_fen=row.fee_fen,
        payment_id=row.payment_id,
        fee_paid_at=row.fee_paid_at,
        # A report from before panels: one expert's points.
        scores=tuple(
            ExpertScore(indicator, points[indicator].points, points[indicator].reason)
            for indicator in Indicator
            if indicator in points and open_book and not panelled
        ),
        inputs=inputs if open_book else {},
        results=tuple(compute(data) for data in inputs.values()) if open_book else (),
        base_on=row.base_on if open_book else None,
        valid_until=row.valid_until if open_book else None,
        reasoning=row.reasoning if open_book else "",
        weights={part: weights[part.value] for part in Indicator},
        scoring_reference=scoring.reference,
        reported_at=row.reported_at,
        filed_at=row.filed_at,
        ended_reason=row.ended_reason,
        panelled=panelled,
        disagreement_note=row.disagreement_note if open_book else "",
        is_client=is_client,
        is_assessor=is_assessor,
    )


def get_report(session: Session, actor: Actor, assessment_id: int) -> AssessmentView:
    """Return an assessment whose report is out, else raise ``NotFound``."""
    view = get_for(session, actor, assessment_id)
    if not view.reported:
        raise NotFound("assessments.no_report", "报告还没有出具")
    return view


def get_scored(session: Session, actor: Actor, assessment_id: int) -> AssessmentView:
    """Return an assessment whose panel has scored, to who may read the scores now.

    The house may when the last sheet is in, the others when the report is out.
    """
    view = get_for(session, actor, assessment_id)
    if not view.panelled or view.row.score_tenths is None:
        raise NotFound(
            "assessments.not_scored", "专家评分交齐之后，评估机构才能看到；报告出具后公开给委托方"
        )
    return view


def get_to_work(session: Session, actor: Actor, assessment_id: int) -> AssessmentView:
    """Return an assessment that the actor's organisation works on, else refuse."""
    view = get_for(session, actor, assessment_id)
    if not view.is_assessor:
        raise NotFound()
    if view.state not in rules.WORKING_STATES:
        raise Conflict(
            "assessments.not_working",
            f"这项评估现在是“{view.state.label}”，不能再修改估值",
        )
    return view


@dataclass(frozen=True)
class Trial:
    """What methods give before anything is kept, or why they give nothing."""

    results: tuple[MethodResult, ...]
    refusal: RuleBroken | None


def try_valuation(inputs: Mapping[ValuationMethod, MethodInput], *, on: date) -> Trial:
    """Compute methods without keeping anything, so that the conclusion can be drawn from them."""
    terms = valuation_terms_on(on)
    problems = [p for data in inputs.values() for p in check_input(data, terms)]
    if problems:
        return Trial((), RuleBroken.of(problems))
    return Trial(tuple(compute(data) for data in inputs.values()), None)


def list_for(
    session: Session,
    actor: Actor,
    *,
    states: Sequence[AssessmentState] = (),
    after: str | None = None,
    size: int = 20,
) -> Page[AssessmentRow]:
    """Read one page of the assessments an actor has to do with, the newest first."""
    statement = select(Assessment).where(mine(actor))
    if states:
        statement = statement.where(Assessment.state.in_(states))
    page = paginate(
        session,
        statement,
        keys=[Assessment.requested_at.desc(), Assessment.id.desc()],
        after=after,
        size=size,
    )
    names = _names(session, page.items)
    return page.map(
        lambda row: _row(
            row,
            names,
            open_book=row.reported_at is not None
            or row.assessor_organisation_id == actor.organisation_id,
        )
    )


def count_states(session: Session, actor: Actor) -> dict[AssessmentState, int]:
    """Count an actor's assessments by state."""
    rows = session.execute(
        select(Assessment.state, func.count()).where(mine(actor)).group_by(Assessment.state)
    )
    return dict(rows.all())


def _may_see(actor: Actor, row: Assessment) -> bool:
    if actor is SYSTEM or permits(actor, rules.FILE):
        return True
    if row.organisation_id == actor.organisation_id and actor.has(*_CLIENT_ROLES):
        return True
    return row.assessor_organisation_id == actor.organisation_id and actor.has(*_ASSESSOR_ROLES)


def mine(actor: Actor) -> ColumnElement[bool]:
    """Return the condition for what an actor has to do with."""
    if actor is SYSTEM or permits(actor, rules.FILE):
        return Assessment.id > 0
    return or_(
        Assessment.organisation_id == actor.organisation_id,
        Assessment.assessor_organisation_id == actor.organisation_id,
    )


def _names(session: Session, rows: Sequence[Assessment]) -> dict[int, str]:
    ids = {row.organisation_id for row in rows} | {
        row.assessor_organisation_id for row in rows if row.assessor_organisation_id
    }
    return {key: view.name for key, view in accounts.get_organisations(session, ids).items()}


def _row(row: Assessment, names: dict[int, str], *, open_book: bool) -> AssessmentRow:
    assessor = row.assessor_organisation_id
    return AssessmentRow(
        id=row.id,
        state=row.state,
        achievement_id=row.achievement_id,
        title=row.title,
        organisation_id=row.organisation_id,
        client_name=names[row.organisation_id],
        assessor_organisation_id=assessor,
        assessor_name=names[assessor] if assessor else "",
        requested_at=row.requested_at,
        pre_score_tenths=row.pre_score_tenths,
        score_tenths=row.score_tenths if open_book else None,
        low_fen=row.low_fen if open_book else None,
        high_fen=row.high_fen if open_book else None,
        due_on=row.due_on,
        answer_by=row.answer_by,
        report_number=row.report_number,
    )
