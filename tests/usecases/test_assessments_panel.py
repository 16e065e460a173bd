"""Panels through their use cases: who is refused a seat, blindness, replacement, the last sheet."""

from __future__ import annotations

import threading
from datetime import date, datetime

import pytest
from sqlalchemy import select

from marketplace.achievements import service as achievements_service
from marketplace.achievements.rules import Inventor
from marketplace.assessments import library_queries, panel_queries, queries, service
from marketplace.assessments.library_rules import ExpertGrade, TieKind
from marketplace.assessments.models import Assessment, Seat
from marketplace.assessments.panel_rules import AchievementType, SeatState
from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM, Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.trade import TechnologyField
from tests.assessing import Bench, answers, content
from tests.world import World


@pytest.fixture
def bench(database: Database, world: World, now: datetime) -> Bench:
    return Bench(database, world, now)


def score_of(bench: Bench, assessment_id: int) -> int | None:
    with bench.database.reading() as session:
        return session.get_one(Assessment, assessment_id).score_tenths


def enter(bench: Bench, actor: Actor) -> Actor:
    bench.do(
        service.enter_expert,
        bench.operator,
        user_id=actor.user_id,
        grade=ExpertGrade.FULL,
        fields=(TechnologyField.ENVIRONMENT,),
        basis="职称证书 2019-0003",
    )
    return actor


def test_a_panel_scores_when_the_last_sheet_is_in(bench: Bench) -> None:
    made = bench.accepted()
    bench.panel(made)
    for place, expert in enumerate(bench.experts):
        assert score_of(bench, made) is None
        with bench.database.reading() as session, pytest.raises(NotFound):
            queries.get_scored(session, bench.assessor, made)
        seat_id = bench.declare(made, expert)
        bench.do(service.hand_in, expert, seat_id=seat_id, answers=answers(70 + place))
    assert score_of(bench, made) is not None
    with bench.database.reading() as session:
        panel = panel_queries.panel_of(session, made)
        assert panel is not None
        assert panel.result is not None
        assert sorted(panel.result.indicators[0].points) == [70, 71, 72, 73, 74]
        assert [seat.number for seat in panel.seats] == [1, 2, 3, 4, 5]


def test_no_sheet_shows_before_the_last_is_in(bench: Bench) -> None:
    made = bench.accepted()
    bench.panel(made)
    for expert in bench.experts[:4]:
        bench.do(service.hand_in, expert, seat_id=bench.declare(made, expert), answers=answers(33))
    with bench.database.reading() as session:
        panel = panel_queries.panel_of(session, made)
        assert panel is not None
        assert panel.submitted_count == 4
        assert panel.result is None
        assert all(seat.marks == {} and seat.reasons == {} for seat in panel.seats)
        trail = audit.history(session, f"assessment:{made}")
        assert not any(
            "marks" in (entry.after or {}) or "33" in str(entry.after) for entry in trail
        )


def test_a_sheet_is_handed_in_once(bench: Bench) -> None:
    made = bench.accepted()
    bench.panel(made)
    first = bench.experts[0]
    seat_id = bench.seat(made, first)
    with pytest.raises(RuleBroken, match="先声明"):
        bench.do(service.hand_in, first, seat_id=seat_id, answers=answers())
    bench.declare(made, first)
    bench.do(service.hand_in, first, seat_id=seat_id, answers=answers(80))
    with pytest.raises(Conflict, match="不能再改"):
        bench.do(service.hand_in, first, seat_id=seat_id, answers=answers(90))
    with pytest.raises(Conflict, match="不能再退出"):
        bench.do(service.leave, first, seat_id=seat_id, reason="临时有事不能评分")
    with bench.database.reading() as session:
        assert session.get_one(Seat, seat_id).marks["rigour"] == 76


def test_only_the_invited_expert_sits(bench: Bench) -> None:
    made = bench.accepted()
    bench.panel(made)
    seat_id = bench.declare(made, bench.experts[0])
    for other in (bench.experts[1], bench.assessor):
        with pytest.raises(NotFound):
            bench.do(service.hand_in, other, seat_id=seat_id, answers=answers())
    with pytest.raises(NotAllowed):
        bench.do(service.hand_in, bench.officer, seat_id=seat_id, answers=answers())


def test_an_expert_who_leaves_is_replaced(bench: Bench) -> None:
    made = bench.accepted()
    bench.panel(made)
    leaver, *rest = bench.experts
    bench.do(service.leave, leaver, seat_id=bench.seat(made, leaver), reason="与发明人是博士同门")
    for expert in rest:
        bench.do(service.hand_in, expert, seat_id=bench.declare(made, expert), answers=answers())
    assert score_of(bench, made) is None  # four sheets are no panel
    with pytest.raises(RuleBroken, match="不能再改"):
        bench.do(
            service.call_panel,
            bench.assessor,
            assessment_id=made,
            achievement_type=AchievementType.BASIC,
            expert_ids=[bench.expert().user_id],
        )
    fresh = bench.expert()
    bench.call(made, [fresh])
    bench.do(service.hand_in, fresh, seat_id=bench.declare(made, fresh), answers=answers())
    assert score_of(bench, made) is not None
    with bench.database.reading() as session:
        panel = panel_queries.panel_of(session, made)
        assert panel is not None
        assert sorted(seat.number for seat in panel.seats) == [1, 2, 3, 4, 5]


def refused(bench: Bench, assessment_id: int, tied: Actor, why: str) -> None:
    others = [bench.expert() for _ in range(4)]
    with pytest.raises(RuleBroken, match=why):
        bench.call(assessment_id, [tied, *others])
    with bench.database.reading() as session:
        assert session.scalars(select(Seat)).all() == []


def test_the_clients_own_expert_is_refused(bench: Bench) -> None:
    made = bench.accepted()
    refused(
        bench,
        made,
        enter(bench, bench.world.actor(Role.EXPERT, bench.university)),
        "专家任职于委托单位",
    )


def test_the_houses_own_assessor_is_refused(bench: Bench) -> None:
    made = bench.accepted()
    refused(bench, made, enter(bench, bench.assessor), "专家任职于承办的评估机构")


def test_a_namesake_of_an_inventor_is_refused(bench: Bench) -> None:
    refused(bench, bench.accepted(), bench.expert(name="陈卓"), "与成果的发明人同名")


def test_a_co_inventor_of_another_result_is_refused(bench: Bench) -> None:
    inventor = bench.world.actor(Role.INVENTOR, bench.university, name="申见")
    colleague = bench.expert(name="贺同")
    assert inventor.user_id is not None
    assert colleague.user_id is not None
    bench.do(
        achievements_service.create_draft,
        bench.officer,
        content=content(
            bench.university.name,
            inventors=(Inventor("申见", inventor.user_id), Inventor("贺同", colleague.user_id)),
        ),
    )
    made = bench.requested(inventors=(Inventor("申见", inventor.user_id),))
    bench.do(
        service.assign,
        bench.officer,
        assessment_id=made,
        assessor_organisation_id=bench.house.id,
    )
    bench.accept(made)
    refused(bench, made, colleague, "共同完成过其他成果")


@pytest.mark.parametrize(
    ("kind", "since", "until", "why"),
    [
        (TieKind.DEAL, date(2021, 4, 1), None, "技术交易"),
        (TieKind.OWNERSHIP, date(2015, 1, 1), None, "股权关系"),
        (TieKind.OWNERSHIP, date(2015, 1, 1), date(2024, 3, 15), "股权关系"),
    ],
)
def test_a_tie_of_the_employer_refuses(
    bench: Bench, kind: TieKind, since: date, until: date | None, why: str
) -> None:
    made = bench.accepted()
    tied = bench.expert()
    bench.do(
        service.record_tie,
        bench.operator,
        first_id=tied.organisation_id,
        second_id=bench.university.id,
        kind=kind,
        since=since,
        until=until,
        source="工商登记",
    )
    refused(bench, made, tied, why)


@pytest.mark.parametrize(
    ("kind", "since", "until"),
    [
        (TieKind.DEAL, date(2021, 3, 1), None),  # more than three years ago
        (TieKind.OWNERSHIP, date(2015, 1, 1), date(2024, 3, 14)),  # over
    ],
)
def test_a_tie_of_the_past_is_none(
    bench: Bench, kind: TieKind, since: date, until: date | None
) -> None:
    made = bench.accepted()
    tied = bench.expert()
    bench.do(
        service.record_tie,
        bench.operator,
        first_id=bench.university.id,
        second_id=tied.organisation_id,
        kind=kind,
        since=since,
        until=until,
        source="工商登记",
    )
    bench.call(made, [tied, *(bench.expert() for _ in range(4))])


def test_a_tie_found_after_the_invitation_still_bars(bench: Bench) -> None:
    made = bench.accepted()
    bench.panel(made)
    first = bench.experts[0]
    seat_id = bench.declare(made, first)
    bench.do(
        service.record_tie,
        SYSTEM,
        first_id=first.organisation_id,
        second_id=bench.university.id,
        kind=TieKind.DEAL,
        since=date(2024, 3, 1),
        until=None,
        source="技术合同 JN-2024-0009",
    )
    with pytest.raises(RuleBroken, match="利益冲突"):
        bench.do(service.hand_in, first, seat_id=seat_id, answers=answers())


def test_a_tie_is_recorded_once(bench: Bench) -> None:
    other = bench.world.organisation()
    for pair in ((other.id, bench.university.id), (bench.university.id, other.id)):
        bench.do(
            service.record_tie,
            SYSTEM,
            first_id=pair[0],
            second_id=pair[1],
            kind=TieKind.DEAL,
            since=date(2024, 3, 1),
            until=None,
            source="技术合同 JN-2024-0009",
        )
    with bench.database.reading() as session:
        assert len(library_queries.ties(session)) == 1


def test_a_panel_that_disagrees_holds_the_report_until_explained(bench: Bench) -> None:
    made = bench.worked(points=(20, 74, 75, 76, 77))
    with pytest.raises(RuleBroken, match="分歧"):
        bench.do(service.issue, bench.assessor, assessment_id=made)
    with pytest.raises(RuleBroken):
        bench.do(service.explain, bench.assessor, assessment_id=made, text="不同")
    bench.do(
        service.explain,
        bench.assessor,
        assessment_id=made,
        text="一位专家认为市场已饱和，其余四位依据用户订单判断，采多数意见。",
    )
    bench.do(service.issue, bench.assessor, assessment_id=made)


def test_an_expert_outside_the_library_is_refused(bench: Bench) -> None:
    made = bench.accepted()
    gone = bench.expert()
    bench.do(
        service.release_expert, bench.operator, user_id=gone.user_id, reason="本人申请退出专家库"
    )
    with pytest.raises(RuleBroken, match="已经出库"):
        bench.call(made, [gone, *(bench.expert() for _ in range(4))])


def test_records_come_from_what_was_done(bench: Bench) -> None:
    made = bench.filed()
    with bench.database.reading() as session:
        house = next(
            h for h in library_queries.houses(session) if h.organisation.id == bench.house.id
        )
        assert (house.record.filed_count, house.record.late_count) == (1, 0)
        assert house.record.passed_text == "100 %（1 / 1）"
        records = library_queries.expert_records(session)
        lowest = records[bench.experts[0].user_id or 0]
        # 70 where the panel's median is 76, on four indicators; the technical levels are equal.
        assert (lowest.submitted_count, lowest.distance_sum, lowest.distance_count) == (1, 24, 5)
    assert made


def test_two_last_sheets_at_once_count_one_score(bench: Bench) -> None:
    made = bench.accepted()
    bench.panel(made)
    seats = {expert: bench.declare(made, expert) for expert in bench.experts}
    for expert in bench.experts[:3]:
        bench.do(service.hand_in, expert, seat_id=seats[expert], answers=answers(70))
    last = bench.experts[3:]

    def hand_in(expert: Actor) -> None:
        bench.do(service.hand_in, expert, seat_id=seats[expert], answers=answers(80))

    threads = [threading.Thread(target=hand_in, args=(expert,)) for expert in last]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with bench.database.reading() as session:
        trail = [entry.action for entry in audit.history(session, f"assessment:{made}")]
        assert trail.count("assessments.panel_scored") == 1
        states = set(session.scalars(select(Seat.state)))
        assert states == {SeatState.SUBMITTED}
