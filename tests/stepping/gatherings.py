"""Courses with their places and certificates, and meetings, in each of their states."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from marketplace.foundation.access import Actor, Role
from marketplace.foundation.clock import LOCAL
from marketplace.techservices import service as services
from marketplace.techservices.rules import MeetingKind, MeetingState
from marketplace.techservices.service import MeetingContent
from marketplace.training import queries, rules
from marketplace.training.rules import CourseState, PlaceState
from marketplace.training.service import CheckInKey
from tests.architecture.states import Mark
from tests.stepping import Act, Site, Walk
from tests.usecases.test_training import FIRST, School

_REASON = {"reason": "教师临时不能到场，另行安排"}
_GROUND = {"reason": "考勤核查发现两天均由他人代签"}
_ROOMY, _SMALL = 9, 1


def _school(site: Site) -> School:
    return School(site.client.database, site.world, site.now, site.folder)


def _mark(
    connection: Connection, table: str, column: str, row: int, *, at: datetime | None
) -> None:
    """Set the moment at which something ended, or that it has not."""
    connection.execute(
        text(f"UPDATE {table} SET {column} = :at WHERE id = :id"),
        {"at": at and f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}.000000", "id": row},
    )


def _seats(connection: Connection, table: str, row: int, *, full: bool) -> None:
    connection.execute(
        text(f"UPDATE {table} SET capacity = :seats WHERE id = :id"),
        {"seats": _SMALL if full else _ROOMY, "id": row},
    )


def courses(site: Site) -> Walk:
    """Lead a course through the clock, with somebody who attended it all."""
    school = _school(site)
    guest, newcomer = school.another(), school.another()
    school.sign_up(guest)
    school.attend(guest)
    moments = {CourseState.RUNNING: FIRST + timedelta(minutes=5), CourseState.OVER: school.now}
    moments[CourseState.OVER] += timedelta(days=1)

    def put(connection: Connection, state: CourseState) -> None:
        site.clock.moment = moments.get(state, site.now)
        _seats(connection, "training_courses", school.course, full=state is CourseState.FULL)
        cancelled = site.now if state is CourseState.CANCELLED else None
        _mark(connection, "training_courses", "cancelled_at", school.course, at=cancelled)

    home = f"/training/courses/{school.course}"
    return Walk(
        "training_courses",
        "",
        CourseState,
        {
            "training.sign_up": Act(f"{home}/sign-up", newcomer),
            "training.give_up": Act(f"{home}/give-up", guest),
            "training.cancel": Act(f"{home}/cancel", school.operator, _REASON),
            "training.begin": Act(f"{home}/exam", guest),
        },
        school.course,
        put=put,
    )


def places(site: Site) -> Walk:
    """Let somebody stand in the room with the code on its screen."""
    school = _school(site)
    guest = school.another()
    school.sign_up(guest)
    site.clock.moment = FIRST + timedelta(minutes=5)
    key = site.client.application.extensions["resources"][CheckInKey].key
    code = rules.make_code(key, course_id=school.course, now=site.clock.moment, seconds=120)
    return Walk(
        "training_places",
        "state",
        PlaceState,
        {"training.check_in": Act(f"/training/check-in/{code}", guest)},
    )


def attendances(site: Site) -> Walk:
    """Let somebody come whom the organiser looks for in the room."""
    school = _school(site)
    guest = school.another()
    school.sign_up(guest)
    school.attend(guest, days=1)
    site.clock.moment = school.now
    return _marked(
        "training_attendances",
        "struck_at",
        1,
        school.now,
        {
            "training.strike": Act("/training/attendances/1/strike", school.operator),
            "training.restore": Act("/training/attendances/1/restore", school.operator),
        },
    )


def training_certificates(site: Site) -> Walk:
    """Let somebody pass the exam."""
    school = _school(site)
    guest = school.another()
    school.sign_up(guest)
    school.attend(guest)
    school.hand_in(guest, school.begin(guest))
    site.clock.moment = school.now
    with school.database.reading() as session:
        (made,) = queries.own_certificates(session, guest, today=school.now.date())
    revoke = Act(f"/training/certificates/{made.number}/revoke", school.operator, _GROUND)
    return _marked(
        "training_certificates", "revoked_at", 1, school.now, {"training.revoke": revoke}
    )


def questions(site: Site) -> Walk:
    """Take a question of the bank."""
    school = _school(site)
    withdraw = Act("/training/questions/1/withdraw", school.operator)
    return _marked(
        "training_questions", "withdrawn_at", 1, site.now, {"training.withdraw_question": withdraw}
    )


def _marked(table: str, column: str, row: int, at: datetime, acts: dict[str, Any]) -> Walk:
    """Walk what stands until the moment that ended it is written down."""

    def put(connection: Connection, mark: Mark) -> None:
        _mark(connection, table, column, row, at=at if mark is Mark.ENDED else None)

    return Walk(table, column, Mark, acts, row, put=put)


def meetings(site: Site) -> Walk:
    """Announce a meeting for which somebody has signed up."""
    database, world = site.client.database, site.world
    operator = world.actor(Role.OPERATOR)
    guest, newcomer = world.actor(Role.ENTERPRISE), world.actor(Role.ENTERPRISE)
    # Somebody is let in on the day itself, also before it begins.
    begins = (site.now + timedelta(days=10)).astimezone(LOCAL).replace(hour=14, minute=0)
    content = MeetingContent(
        kind=MeetingKind.MATCHMAKING,
        title="装备制造专场对接会",
        body="五家高校带来十二项成果，企业带着问题来。",
        place="历城区科创中心二楼",
        starts_at=begins,
        ends_at=begins + timedelta(hours=3),
        capacity=_ROOMY,
        vouchers=True,
    )

    def do(use_case: Any, actor: Actor, **arguments: Any) -> int:
        with database.transaction() as session:
            made: int = use_case(session, actor=actor, now=site.now, **arguments)
        return made

    made = do(services.announce, operator, content=content)
    place_id = do(services.sign_up, guest, meeting_id=made)

    def put(connection: Connection, state: MeetingState) -> None:
        over = state is MeetingState.OVER
        site.clock.moment = begins + timedelta(hours=3 if over else -1)
        _seats(connection, "techservices_meetings", made, full=state is MeetingState.FULL)
        cancelled = site.now if state is MeetingState.CANCELLED else None
        _mark(connection, "techservices_meetings", "cancelled_at", made, at=cancelled)

    home = f"/events/{made}"
    return Walk(
        "techservices_meetings",
        "",
        MeetingState,
        {
            "techservices.sign_up": Act(f"{home}/sign-up", newcomer),
            "techservices.give_up": Act(f"{home}/give-up", guest),
            "techservices.cancel": Act(f"{home}/cancel", operator, _REASON),
            "techservices.check_in": Act(f"{home}/check-in/{place_id}", operator),
        },
        made,
        put=put,
    )
