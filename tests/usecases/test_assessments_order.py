"""An assessment from the request to the filed report, and who may not do what."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from marketplace.accounts.models import Membership
from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.achievements import queries as achievements
from marketplace.achievements import service as achievements_service
from marketplace.assessments import choice_queries, desk_queries, queries, service
from marketplace.assessments.models import Assessment
from marketplace.assessments.rules import AssessmentState, ConflictKind, ValuationMethod
from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import OutboxEvent
from marketplace.payments import service as payments
from marketplace.payments import statement_service
from marketplace.payments.statement_rules import Line
from tests.assessing import CONCLUSION, COST, INCOME, Bench, answers, content
from tests.world import World


@pytest.fixture
def bench(database: Database, world: World, now: datetime) -> Bench:
    return Bench(database, world, now)


def state_of(bench: Bench, assessment_id: int) -> AssessmentState:
    with bench.database.reading() as session:
        return session.get_one(Assessment, assessment_id).state


def events(bench: Bench) -> list[str]:
    with bench.database.reading() as session:
        return list(
            session.scalars(
                select(OutboxEvent.name)
                .where(OutboxEvent.name.startswith("assessments."))
                .order_by(OutboxEvent.id)
            )
        )


def test_a_request_keeps_the_pre_assessment_of_that_day(bench: Bench) -> None:
    made = bench.requested()
    with bench.database.reading() as session:
        view = queries.get_for(session, bench.officer, made)
        record = achievements.get_internal(session, view.row.achievement_id)
        assert view.pre == queries.pre_assessment(record, on=date(2024, 3, 15))
        assert view.row.pre_score_tenths == view.pre.score_tenths > 500
        assert audit.history(session, f"assessment:{made}")[0].action == "assessments.request"
    assert events(bench) == ["assessments.AssessmentRequested"]


def test_one_open_assessment_for_an_achievement(bench: Bench) -> None:
    made = bench.requested()
    with bench.database.reading() as session:
        achievement_id = session.get_one(Assessment, made).achievement_id
    with pytest.raises(Conflict, match="不必重复"):
        bench.do(
            service.request,
            bench.officer,
            achievement_id=achievement_id,
            purpose="另要一份评估作对照",
        )
    bench.do(service.reject, bench.officer, assessment_id=made, reason="许可计划取消，不再需要估值")
    bench.do(
        service.request, bench.officer, achievement_id=achievement_id, purpose="改为作价入股定价"
    )


def test_one_open_assessment_also_when_two_ask_at_once(bench: Bench) -> None:
    achievement_id = bench.achievement()
    outcomes: list[str] = []

    def ask() -> None:
        try:
            bench.do(
                service.request,
                bench.officer,
                achievement_id=achievement_id,
                purpose="协议定价的参考",
            )
            outcomes.append("made")
        except Conflict as refused:
            outcomes.append(refused.code)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["assessments.open_already"] * 5 + ["made"]


def test_a_draft_is_not_valued_but_shows_its_score(bench: Bench) -> None:
    draft = bench.do(
        achievements_service.create_draft, bench.officer, content=content(bench.university.name)
    )
    with pytest.raises(RuleBroken, match="草稿"):
        bench.do(service.request, bench.officer, achievement_id=draft, purpose="先看看值多少钱")
    with bench.database.reading() as session:
        view = achievements.get_own(session, bench.officer, draft)
        assert queries.pre_assessment(view, on=date(2024, 3, 15)).score_tenths > 500


def test_the_whole_way_to_the_latest_valuation(bench: Bench) -> None:
    made = bench.filed()
    assert state_of(bench, made) is AssessmentState.FILED
    with bench.database.reading() as session:
        view = queries.get_for(session, bench.officer, made)
        found = queries.latest_valuation(session, view.row.achievement_id)
        assert found is not None
        assert found.number == "PG-2024-0001"
        assert (found.low_fen, found.high_fen) == (CONCLUSION.low_fen, CONCLUSION.high_fen)
        assert found.valid_on(date(2025, 2, 27))
        assert not found.valid_on(date(2025, 2, 28))
        # Trimmed 76.0 × 65 %, and 75.0 for technical value × 35 %, the levels being the same.
        assert found.score_tenths == 757
        assert [result.low_fen for result in view.results] == [
            queries.compute(INCOME).low_fen,
            queries.compute(COST).low_fen,
        ]
    assert events(bench)[-3:] == [
        "assessments.PanelScored",
        "assessments.ReportIssued",
        "assessments.ReportFiled",
    ]


def test_a_report_not_on_file_is_no_valuation(bench: Bench) -> None:
    made = bench.worked()
    bench.do(service.issue, bench.assessor, assessment_id=made)
    bench.do(
        service.reject,
        bench.operator,
        assessment_id=made,
        reason="收入预测没有依据，请重新评估",
    )
    with bench.database.reading() as session:
        row = session.get_one(Assessment, made)
        assert row.state is AssessmentState.REJECTED
        assert queries.latest_valuation(session, row.achievement_id) is None


def join(bench: Bench, user_id: int | None, organisation_id: int) -> None:
    """Make a person a member of another organisation as well."""
    assert user_id is not None
    with bench.database.transaction() as session:
        session.add(
            Membership(user_id=user_id, organisation_id=organisation_id, role=Role.PROVIDER)
        )
        audit.record(
            session, actor=SYSTEM, action="test.join", subject=f"user:{user_id}", now=bench.now
        )


def test_a_tied_assessor_cannot_be_chosen(bench: Bench) -> None:
    inventor = bench.world.actor(Role.INVENTOR, bench.university, name="陈卓")
    join(bench, inventor.user_id, bench.house.id)
    made = bench.requested()
    with bench.database.reading() as session:
        view = queries.get_for(session, bench.officer, made)
        choices = choice_queries.choices_for(session, view, on=date(2024, 3, 15))
    assert choices[0].conflicts == (ConflictKind.INVENTOR_MEMBER, ConflictKind.SHARED_MEMBER)
    with pytest.raises(RuleBroken, match="利益冲突"):
        bench.do(
            service.assign,
            bench.officer,
            assessment_id=made,
            assessor_organisation_id=bench.house.id,
        )
    assert state_of(bench, made) is AssessmentState.PRE_ASSESSED


def test_a_tie_that_arises_later_stops_the_acceptance(bench: Bench) -> None:
    made = bench.requested()
    bench.do(
        service.assign, bench.officer, assessment_id=made, assessor_organisation_id=bench.house.id
    )
    join(bench, bench.officer.user_id, bench.house.id)
    with pytest.raises(RuleBroken, match="同时是委托单位和评估机构的成员"):
        bench.accept(made)
    assert state_of(bench, made) is AssessmentState.ASSIGNED


def test_only_an_assessor_of_the_library_can_be_chosen(bench: Bench) -> None:
    made = bench.requested()
    park = bench.world.organisation(
        OrganisationKind.SERVICE_INSTITUTION, subkinds=(OrganisationSubkind.PARK,)
    )
    with pytest.raises(RuleBroken, match="评估机构库"):
        bench.do(
            service.assign, bench.officer, assessment_id=made, assessor_organisation_id=park.id
        )


def test_a_report_is_promised_for_a_day_to_come(bench: Bench) -> None:
    made = bench.requested()
    bench.do(
        service.assign, bench.officer, assessment_id=made, assessor_organisation_id=bench.house.id
    )
    bench.now += timedelta(days=28)  # the day for which the builder promises the report
    with pytest.raises(RuleBroken, match="晚于今天"):
        bench.accept(made)


def test_a_declined_order_goes_to_another_assessor(bench: Bench) -> None:
    made = bench.requested()
    bench.do(
        service.assign, bench.officer, assessment_id=made, assessor_organisation_id=bench.house.id
    )
    bench.do(
        service.decline, bench.assessor, assessment_id=made, reason="近期没有环境材料方向的评估师"
    )
    with bench.database.reading() as session:
        view = queries.get_for(session, bench.officer, made)
        assert view.state is AssessmentState.PRE_ASSESSED
        assert "环境材料" in view.declined_reason
        with pytest.raises(NotFound):
            queries.get_for(session, bench.assessor, made)
        waiting = desk_queries.waiting(session, bench.officer, now=bench.now)
        assert "环境材料" in waiting[0].why


def test_the_fee_arrives_before_the_report(bench: Bench) -> None:
    made = bench.worked(fee_fen=Fen(18_000_00))
    with pytest.raises(RuleBroken, match="评估费"):
        bench.do(service.issue, bench.assessor, assessment_id=made)
    with bench.database.reading() as session:
        payment_id = queries.get_for(session, bench.officer, made).payment_id
    line = Line("流水 20240316-01", date(2024, 3, 15), Fen(18_000_00), bench.university.name)
    colleague = bench.world.actor(Role.OPERATOR)
    bench.do(statement_service.record_line, colleague, line=line)
    bench.do(payments.confirm, bench.operator, payment_id=payment_id, reference=line.reference)
    bench.settle()
    bench.do(service.issue, bench.assessor, assessment_id=made)
    assert state_of(bench, made) is AssessmentState.REPORT


def test_the_confidential_layer_opens_for_the_work_and_closes_after_it(bench: Bench) -> None:
    made = bench.accepted()
    with bench.database.reading() as session:
        achievement_id = session.get_one(Assessment, made).achievement_id
        assert achievements.has_grant(session, achievement_id, bench.house.id)
    bench.score(made)
    bench.do(
        service.reject, bench.assessor, assessment_id=made, reason="委托方未能提供收入预测的依据"
    )
    with bench.database.reading() as session:
        assert not achievements.has_grant(session, achievement_id, bench.house.id)


def test_the_client_reads_the_scores_only_in_the_report(bench: Bench) -> None:
    made = bench.worked()
    with bench.database.reading() as session:
        before = queries.get_for(session, bench.officer, made)
        assert before.row.score_tenths is None
        with pytest.raises(NotFound):
            queries.get_scored(session, bench.officer, made)
        assert before.row.low_fen is None
        assert queries.get_for(session, bench.assessor, made).scored
    bench.do(service.issue, bench.assessor, assessment_id=made)
    with bench.database.reading() as session:
        after = queries.get_for(session, bench.officer, made)
        assert after.scored
        assert after.row.low_fen == CONCLUSION.low_fen


def test_a_stale_page_does_not_overwrite(bench: Bench) -> None:
    made = bench.accepted()
    with bench.database.reading() as session:
        version = queries.get_for(session, bench.assessor, made).version
    bench.score(made)
    with pytest.raises(Conflict, match="同事"):
        bench.do(
            service.value,
            bench.assessor,
            assessment_id=made,
            version=version,
            inputs={ValuationMethod.COST: COST},
            conclusion=CONCLUSION,
        )


def test_strangers_learn_nothing(bench: Bench) -> None:
    made = bench.requested()
    other = bench.world.actor(Role.OFFICER)
    with bench.database.reading() as session:
        with pytest.raises(NotFound):
            queries.get_for(session, other, made)
        assert queries.list_for(session, other).items == []
        assert [row.id for row in queries.list_for(session, bench.operator).items] == [made]
    with pytest.raises(NotFound):
        bench.do(service.assign, other, assessment_id=made, assessor_organisation_id=bench.house.id)
    with pytest.raises(NotAllowed):
        bench.do(service.file, bench.officer, assessment_id=made)


def test_waiting_follows_the_order(bench: Bench) -> None:
    def waits(actor: object) -> list[str]:
        with bench.database.reading() as session:
            items = desk_queries.waiting(session, actor, now=bench.now)  # type: ignore[arg-type]
            return [item.what.split("：")[0] for item in items]  # an Actor, widened for brevity

    made = bench.requested()
    assert waits(bench.officer) == ["选择评估机构"]
    bench.do(
        service.assign, bench.officer, assessment_id=made, assessor_organisation_id=bench.house.id
    )
    assert waits(bench.assessor) == ["接受评估委托"]
    bench.accept(made)
    assert waits(bench.assessor) == ["组建专家组"]
    bench.panel(made)
    assert waits(bench.assessor) == ["估值"]
    assert waits(bench.experts[0]) == ["专家评分"]
    for expert in bench.experts:
        seat_id = bench.declare(made, expert)
        bench.do(service.hand_in, expert, seat_id=seat_id, answers=answers())
    assert waits(bench.experts[0]) == []
    bench.do(
        service.value,
        bench.assessor,
        assessment_id=made,
        version=None,
        inputs={ValuationMethod.INCOME: INCOME},
        conclusion=replace(CONCLUSION, low_fen=Fen(2_800_000_00), high_fen=Fen(4_000_000_00)),
    )
    assert waits(bench.assessor) == ["出具评估报告"]
    bench.do(service.issue, bench.assessor, assessment_id=made)
    assert waits(bench.operator) == ["备案评估报告"]
    bench.do(service.file, bench.operator, assessment_id=made)
    assert waits(bench.operator) == waits(bench.officer) == waits(bench.assessor) == []


def test_the_platform_may_file_for_an_import(bench: Bench) -> None:
    made = bench.worked()
    bench.now += timedelta(days=1)
    bench.do(service.issue, bench.assessor, assessment_id=made)
    bench.do(service.file, SYSTEM, assessment_id=made)
    assert state_of(bench, made) is AssessmentState.FILED
