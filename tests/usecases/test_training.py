"""Training on both databases: places, the waiting list, check-in, exams, certificates."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from marketplace.brokerage import queries as register
from marketplace.brokerage import service as brokerage
from marketplace.brokerage.register_rules import BrokerLevel, Certificate
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.training import (
    certificate_service,
    exam_queries,
    exam_service,
    personal_service,
    queries,
    rules,
    service,
)
from marketplace.training.exam_rules import QuestionKind
from marketplace.training.models import Attempt, Attendance, TrainingCertificate
from marketplace.training.rules import PlaceState
from marketplace.training.service import CheckInKey, CourseContent
from tests.dealing import Market, at_once, count, events
from tests.world import World

KEY = CheckInKey(b"of the site")
FIRST = datetime(2024, 4, 8, 9, tzinfo=LOCAL)
COURSE = CourseContent(
    title="初级技术经理人班",
    level=BrokerLevel.JUNIOR,
    place="交易中心三楼",
    starts_at=FIRST,
    ends_at=FIRST + timedelta(days=1, hours=8),
    hours=16,
    capacity=2,
    question_count=4,
    minutes=30,
    pass_percent=75,
    attempts=2,
    fee_fen=Fen(120_000),
)


class School(Market):
    """A market with a course and a bank of questions."""

    def __init__(self, database: Database, world: World, now: datetime, folder: Path) -> None:
        super().__init__(database, world, now, folder)
        self.operator = world.actor(Role.OPERATOR)
        for number in range(6):
            several = number % 2
            self.do(
                exam_service.add_question,
                self.operator,
                level=BrokerLevel.JUNIOR,
                kind=QuestionKind.MULTIPLE if several else QuestionKind.SINGLE,
                text=f"第 {number} 题",
                options=["甲", "乙", "丙", "丁"],
                right=[0, 2] if several else [1],
            )
        self.course = int(self.do(service.announce, self.operator, content=COURSE))

    def another(self) -> Actor:
        """Make another broker of the agency."""
        return self.world.actor(Role.BROKER, self.agency)

    def sign_up(self, actor: Actor) -> PlaceState:
        """Sign somebody up."""
        state = self.do(service.sign_up, actor, course_id=self.course)
        assert isinstance(state, PlaceState)
        return state

    def code(self) -> str:
        """Return the code that the room shows now."""
        return rules.make_code(KEY.key, course_id=self.course, now=self.now, seconds=120)

    def attend(self, actor: Actor, days: int = 2) -> None:
        """Let somebody come on the first days."""
        for day in range(days):
            self.now = FIRST + timedelta(days=day, minutes=5)
            self.do(service.check_in, actor, code=self.code(), key=KEY)

    def begin(self, actor: Actor) -> int:
        """Begin an attempt."""
        return int(self.do(exam_service.begin, actor, course_id=self.course))

    def answers(self, attempt_id: int, right: int = 99) -> dict[int, list[int]]:
        """Answer the first questions of a paper rightly."""
        with self.database.reading() as session:
            paper = session.get_one(Attempt, attempt_id).paper
        return {each["id"]: each["right"] for each in paper[:right]}

    def hand_in(self, actor: Actor, attempt_id: int, right: int = 99) -> None:
        """Hand a paper in."""
        self.do(
            exam_service.hand_in,
            actor,
            attempt_id=attempt_id,
            answers=self.answers(attempt_id, right),
        )

    def attempt(self, attempt_id: int) -> Attempt:
        """Read an attempt."""
        with self.database.reading() as session:
            return session.get_one(Attempt, attempt_id)


@pytest.fixture
def school(database: Database, world: World, now: datetime, tmp_path: Path) -> School:
    return School(database, world, now, tmp_path / "files")


def test_a_closed_account_makes_room_and_keeps_what_was_earned(school: School) -> None:
    first, second, third = (school.another() for _ in range(3))
    for each in (first, second, third):
        school.sign_up(each)
    with school.database.reading() as session:
        held = personal_service.own_data(session, user_id=third.user_id or 0)
    assert held["培训课程"] == [
        {"课程": "初级技术经理人班", "日期": FIRST.date().isoformat(), "报名": "候补中"}
    ]
    assert (held["培训考试"], held["培训证书"]) == ([], [])
    school.do(personal_service.let_go, first)
    with school.database.reading() as session:
        moved = queries.own_place(session, third, school.course)
    assert moved is not None
    assert moved.state is PlaceState.BOOKED
    school.attend(third)
    school.hand_in(third, school.begin(third))
    school.do(personal_service.let_go, third)
    with school.database.reading() as session:
        held = personal_service.own_data(session, user_id=third.user_id or 0)
    assert held["培训课程"][0]["报名"] == "已报名"
    assert held["培训考试"][0]["得分"] == 100
    assert held["培训证书"][0]["编号"] == "JNPX-C-2024-0001"


def test_a_full_course_has_a_waiting_list_that_moves_up(school: School) -> None:
    first, second, third, fourth = (school.another() for _ in range(4))
    booked, waits = PlaceState.BOOKED, PlaceState.WAITING
    assert [school.sign_up(each) for each in (first, second, third, fourth)] == [
        booked, booked, waits, waits,
    ]  # fmt: skip
    assert school.sign_up(first) is booked
    school.do(service.give_up, third, course_id=school.course)
    assert events(school, "training.CoursePlaceOffered") == []
    school.do(service.give_up, first, course_id=school.course)
    with school.database.reading() as session:
        place = queries.own_place(session, fourth, school.course)
    assert place is not None
    assert place.state is booked
    assert len(events(school, "training.CoursePlaceOffered")) == 1
    assert school.sign_up(first) is waits
    with pytest.raises(NotAllowed):
        school.sign_up(school.buyer)


def test_the_last_place_is_taken_once(school: School) -> None:
    school.sign_up(school.another())
    two = [school.another(), school.another()]
    states = at_once(*(lambda who=who: school.sign_up(who) for who in two))
    assert sorted(states) == [PlaceState.BOOKED, PlaceState.WAITING]


def test_a_day_counts_once_by_a_code_that_holds(school: School) -> None:
    broker = school.broker
    school.sign_up(broker)
    with pytest.raises(Conflict):
        school.do(service.check_in, broker, code=school.code(), key=KEY)
    school.now = FIRST + timedelta(minutes=5)
    old = school.code()
    with pytest.raises(RuleBroken) as refusal:
        school.do(service.check_in, school.another(), code=old, key=KEY)
    assert refusal.value.code == "training.no_place"
    school.do(service.check_in, broker, code=old, key=KEY)
    with pytest.raises(Conflict) as again:
        school.do(service.check_in, broker, code=school.code(), key=KEY)
    assert again.value.code == "training.checked_in"
    school.now += timedelta(seconds=121)
    with pytest.raises(RuleBroken) as late:
        school.do(service.check_in, broker, code=old, key=KEY)
    assert late.value.code == "training.code_over"
    assert count(school, Attendance) == 1
    with school.database.reading() as session:
        place = queries.own_place(session, broker, school.course)
        assert place is not None
        assert place.hours == 8
        assert queries.hours_of(session, school.agency.id, 2024) == [
            (broker.user_id, broker.name, 8)
        ]
        assert queries.hours_of(session, school.agency.id, 2023) == []


def test_an_exam_needs_the_hours(school: School) -> None:
    with pytest.raises(NotFound):
        school.begin(school.broker)
    school.sign_up(school.broker)
    school.attend(school.broker, days=1)
    with pytest.raises(RuleBroken) as refusal:
        school.begin(school.broker)
    assert refusal.value.code == "training.few_hours"


def test_passing_issues_a_certificate_into_the_register_that_anybody_checks(
    school: School,
) -> None:
    broker = school.broker
    school.sign_up(broker)
    school.attend(broker)
    attempt_id = school.begin(broker)
    assert school.begin(broker) == attempt_id
    with pytest.raises(NotFound):
        school.hand_in(school.another(), attempt_id)
    school.hand_in(broker, attempt_id, right=3)
    with pytest.raises(Conflict):
        school.hand_in(broker, attempt_id)
    with pytest.raises(Conflict):
        school.begin(broker)
    with school.database.reading() as session:
        entry = register.find_broker(session, broker.user_id)
        assert entry is not None
        (made,) = queries.own_certificates(session, broker, today=school.now.date())
        assert (entry.level, entry.certificate_no) == (BrokerLevel.JUNIOR, made.number)
        assert entry.confirmed_at is not None
        assert entry.certificate_valid_to == made.valid_to
        today = school.now.date()
        plain = queries.check_certificate(session, made.number, "", today=today)
        wrong = queries.check_certificate(session, made.number, "AAAAAAAA", today=today)
        whole = queries.check_certificate(session, made.number, made.check_code, today=today)
        later = made.valid_to + timedelta(days=1)
        over = queries.check_certificate(session, made.number, "", today=later)
        assert plain is not None
        assert wrong is not None
        assert whole is not None
        assert over is not None
        assert (plain.code_fits, plain.certificate) == (None, None)
        assert (wrong.code_fits, wrong.certificate) == (False, None)
        assert whole.certificate == made
        assert (plain.over, over.over) == (False, True)
        assert queries.check_certificate(session, "JNPX-C-2024-9999", "", today=today) is None
        assert queries.count_trained(session) == 1
    assert school.attempt(attempt_id).percent == 75


def test_attempts_are_counted_and_each_has_a_paper_of_its_own(school: School) -> None:
    school.sign_up(school.broker)
    school.attend(school.broker)
    first = school.begin(school.broker)
    school.hand_in(school.broker, first, right=2)
    second = school.begin(school.broker)
    school.hand_in(school.broker, second, right=0)
    assert [school.attempt(each).percent for each in (first, second)] == [50, 0]
    assert school.attempt(first).seed != school.attempt(second).seed
    with pytest.raises(RuleBroken) as refusal:
        school.begin(school.broker)
    assert refusal.value.code == "training.attempts"
    assert count(school, TrainingCertificate) == 0


def test_what_comes_late_counts_nothing_and_uses_the_attempt_up(school: School) -> None:
    school.sign_up(school.broker)
    school.attend(school.broker)
    first = school.begin(school.broker)
    school.now += timedelta(minutes=31)
    school.hand_in(school.broker, first)
    assert (school.attempt(first).percent, school.attempt(first).late) == (0, True)
    second = school.begin(school.broker)
    school.now += timedelta(minutes=31)
    with pytest.raises(RuleBroken):
        school.begin(school.broker)
    with school.database.reading() as session:
        door = exam_queries.exam_door(session, school.broker, school.course, now=school.now)
    assert door is not None
    assert (door.open, door.running) == (False, None)
    assert school.attempt(second).percent is None


def test_the_exam_has_a_term(school: School) -> None:
    school.sign_up(school.broker)
    school.attend(school.broker)
    school.now = COURSE.ends_at + timedelta(days=60, seconds=1)
    with pytest.raises(RuleBroken) as refusal:
        school.begin(school.broker)
    assert refusal.value.code == "training.exam_over"


def test_a_cancelled_course_has_no_exam(school: School) -> None:
    school.sign_up(school.broker)
    school.attend(school.broker)
    reason = "教师临时不能到场，另行安排"
    school.do(service.cancel, school.operator, course_id=school.course, reason=reason)
    with pytest.raises(Conflict) as refusal:
        school.begin(school.broker)
    assert refusal.value.code == "training.no_exam"
    with school.database.reading() as session:
        door = exam_queries.exam_door(session, school.broker, school.course, now=school.now)
    assert door is not None
    assert not door.open


def test_an_exam_that_is_being_sat_outlives_its_course(school: School) -> None:
    other = school.another()
    school.sign_up(school.broker)
    school.sign_up(other)
    school.attend(school.broker)
    school.attend(other)
    passing, failing = school.begin(school.broker), school.begin(other)
    reason = "教室漏水，课程停办"
    school.do(service.cancel, school.operator, course_id=school.course, reason=reason)
    assert school.begin(school.broker) == passing
    with school.database.reading() as session:
        door = exam_queries.exam_door(session, school.broker, school.course, now=school.now)
        paper = exam_queries.get_attempt(session, school.broker, passing)
    assert door is not None
    assert door.running is not None
    assert paper.course_cancelled
    school.hand_in(school.broker, passing)
    assert school.attempt(passing).passed
    assert count(school, TrainingCertificate) == 1
    # What ended without passing is not tried again.
    school.hand_in(other, failing, right=0)
    with pytest.raises(Conflict) as refusal:
        school.begin(other)
    assert refusal.value.code == "training.no_exam"


def test_a_withdrawn_question_is_drawn_no_more(school: School) -> None:
    for question_id in (1, 2, 3):
        school.do(exam_service.withdraw_question, school.operator, question_id=question_id)
    school.sign_up(school.broker)
    school.attend(school.broker)
    with pytest.raises(RuleBroken) as refusal:
        school.begin(school.broker)
    assert refusal.value.code == "training.small_bank"


def test_a_cancelled_course_tells_who_signed_up(school: School) -> None:
    school.sign_up(school.broker)
    gone = school.another()
    school.sign_up(gone)
    school.do(service.give_up, gone, course_id=school.course)
    cancel: dict[str, Any] = {"course_id": school.course, "reason": "授课人因病不能到课"}
    school.do(service.cancel, school.operator, **cancel)
    told = events(school, "training.CourseCancelled")
    assert [each["user_id"] for each in told] == [school.broker.user_id]
    with pytest.raises(Conflict):
        school.do(service.cancel, school.operator, **cancel)
    with pytest.raises(Conflict):
        school.sign_up(gone)


def test_only_the_operator_teaches(school: School) -> None:
    with pytest.raises(NotAllowed):
        school.do(service.announce, school.broker, content=COURSE)
    with pytest.raises(RuleBroken):
        school.do(service.announce, school.operator, content=replace(COURSE, starts_at=school.now))


def test_a_certificate_taken_back_is_said_so_and_leaves_the_register(school: School) -> None:
    broker = school.broker
    school.sign_up(broker)
    school.attend(broker)
    school.hand_in(broker, school.begin(broker), right=4)
    today = school.now.date()
    with school.database.reading() as session:
        (made,) = queries.own_certificates(session, broker, today=today)
    ground = "考勤核查发现两天均由他人代签"
    for actor, reason, error in (
        (broker, ground, NotAllowed),
        (school.operator, "代签", RuleBroken),
    ):
        with pytest.raises(error):
            school.do(certificate_service.revoke, actor, number=made.number, reason=reason)
    with pytest.raises(NotFound):
        school.do(
            certificate_service.revoke, school.operator, number="JNPX-C-2024-9999", reason=ground
        )
    school.do(certificate_service.revoke, school.operator, number=made.number, reason=ground)
    with pytest.raises(Conflict):
        school.do(certificate_service.revoke, school.operator, number=made.number, reason=ground)
    (told,) = events(school, "training.TrainingCertificateRevoked")
    assert (told["user_id"], told["reason"]) == (broker.user_id, ground)
    with school.database.reading() as session:
        checked = queries.check_certificate(session, made.number, "", today=today)
        assert checked is not None
        assert checked.revoked_at == school.now
        entry = register.find_broker(session, broker.user_id)
        assert entry is not None
        assert (entry.level, entry.certificate_no, entry.confirmed_at) == (None, "", None)
        (mine,) = queries.own_certificates(session, broker, today=today)
        assert mine.revoked_reason == ground
        assert queries.count_trained(session) == 0
    # Who holds no valid certificate any more introduces nobody.
    deal_id = school.deal()
    with pytest.raises(RuleBroken) as refusal:
        school.do(brokerage.introduce, broker, deal_id=deal_id)
    assert refusal.value.code == "broker.certificate_expired"


def test_another_certificate_in_the_register_stays(school: School) -> None:
    broker = school.broker
    school.sign_up(broker)
    school.attend(broker)
    school.hand_in(broker, school.begin(broker), right=4)
    higher = Certificate(BrokerLevel.SENIOR, "JS-77", "中国技术市场协会", None)
    school.do(brokerage.take_certificate, broker, certificate=higher)
    with school.database.reading() as session:
        (made,) = queries.own_certificates(session, broker, today=school.now.date())
    school.do(
        certificate_service.revoke,
        school.operator,
        number=made.number,
        reason="考勤核查发现两天均由他人代签",
    )
    with school.database.reading() as session:
        entry = register.find_broker(session, broker.user_id)
        assert entry is not None
        assert entry.certificate_no == "JS-77"


def test_who_is_not_in_the_room_is_struck_out_on_the_day(school: School) -> None:
    broker = school.broker
    school.sign_up(broker)
    school.now = FIRST + timedelta(minutes=5)
    school.do(service.check_in, broker, code=school.code(), key=KEY)

    def hours() -> int:
        with school.database.reading() as session:
            place = queries.own_place(session, broker, school.course)
            assert place is not None
            (there,) = queries.checked_in_today(
                session, school.operator, school.course, today=school.now.date()
            )
            assert (there.struck_at is None) == (place.hours > 0)
            assert queries.hours_of(session, school.agency.id, 2024) == (
                [(broker.user_id, broker.name, place.hours)] if place.hours else []
            )
            return place.hours

    attendance_id = 1
    with pytest.raises(NotAllowed):
        school.do(service.strike, broker, attendance_id=attendance_id)
    for _again in range(2):
        school.do(service.strike, school.operator, attendance_id=attendance_id)
    assert hours() == 0
    (told,) = events(school, "training.AttendanceStruck")
    assert told["user_id"] == broker.user_id
    # A forwarded code does not undo it; the organiser does.
    with pytest.raises(Conflict) as refusal:
        school.do(service.check_in, broker, code=school.code(), key=KEY)
    assert refusal.value.code == "training.struck"
    for _again in range(2):
        school.do(service.restore, school.operator, attendance_id=attendance_id)
    assert hours() == 8
    school.now += timedelta(days=1)
    for use_case in (service.strike, service.restore):
        with pytest.raises(Conflict):
            school.do(use_case, school.operator, attendance_id=attendance_id)
