"""The library of assessors is entered; experts sit on panels and score."""

from __future__ import annotations

import zlib
from datetime import date, datetime

from marketplace.assessments import choice_queries, panel_queries, service
from marketplace.assessments.library_rules import TieKind
from marketplace.assessments.models import Assessment
from marketplace.assessments.panel_rules import AchievementType, SeatState, SheetAnswers
from marketplace.assessments.parameters import Sheet
from marketplace.assessments.rules import Indicator
from marketplace.foundation.access import Role
from marketplace.foundation.clock import LOCAL
from seed.demo.content import Achievement
from seed.demo.stage import Stage, Story

_DESK = "youxueqin"


def library(stage: Stage) -> Story:
    """Enter houses, experts and known ownership before the first order."""
    yield datetime(2022, 6, 8, 10, 20, tzinfo=LOCAL)
    whole = stage.content.library
    desk = stage.actor(_DESK)
    for house in whole.houses:
        service.enter_house(
            stage.session,
            actor=desk,
            now=stage.now,
            organisation_id=stage.organisations[house.org],
            grade=house.grade,
            fields=house.fields,
            basis=house.basis,
        )
    for expert in whole.experts:
        service.enter_expert(
            stage.session,
            actor=desk,
            now=stage.now,
            user_id=stage.users[expert.person],
            grade=expert.grade,
            fields=expert.fields,
            basis=expert.basis,
        )
    for tie in whole.ownership:
        service.record_tie(
            stage.session,
            actor=desk,
            now=stage.now,
            first_id=stage.organisations[tie.first],
            second_id=stage.organisations[tie.second],
            kind=TieKind.OWNERSHIP,
            since=date.fromisoformat(tie.since),
            until=None,
            source=tie.source,
        )


def panel(
    stage: Stage, assessor: str, achievement: Achievement, assessment_id: int, *, sheets: int
) -> Story:
    """Call the advised experts; so many of the five hand in a sheet two days later."""
    house = stage.member(assessor, Role.ASSESSOR)
    row = stage.session.get_one(Assessment, assessment_id)
    choices = choice_queries.experts_for(stage.session, row, on=stage.today)
    service.call_panel(
        stage.session,
        actor=house,
        now=stage.now,
        assessment_id=assessment_id,
        achievement_type=_type_of(achievement),
        expert_ids=[choice.expert.user_id for choice in choices if choice.advised],
    )
    yield stage.after(2, achievement.key)
    people = {user_id: key for key, user_id in stage.users.items()}
    seated = choice_queries.seated(stage.session, assessment_id)
    for user_id in sorted(seated, key=lambda one: people[one])[:sheets]:
        actor = stage.actor(people[user_id])
        (seat,) = [
            one
            for one in panel_queries.my_seats(stage.session, actor)
            if one.assessment_id == assessment_id and one.state is SeatState.INVITED
        ]
        service.declare(
            stage.session,
            actor=actor,
            now=stage.now,
            seat_id=seat.id,
            declared=True,
            statement="与权利人、发明人没有任职、合作、亲属和股权关系",
        )
        service.hand_in(
            stage.session,
            actor=actor,
            now=stage.now,
            seat_id=seat.id,
            answers=_answers(achievement, seat.sheet, people[user_id]),
        )


def explain(stage: Stage, assessor: str, assessment_id: int) -> None:
    """Write why the experts differ, where they do."""
    called = panel_queries.panel_of(stage.session, assessment_id)
    assert called is not None
    assert called.result is not None
    assert called.level is not None
    if called.level.value != "weak" and not called.result.outlying:
        return
    service.explain(
        stage.session,
        actor=stage.member(assessor, Role.ASSESSOR),
        now=stage.now,
        assessment_id=assessment_id,
        text="分歧集中在市场容量与实施条件：一方看重已有用户证明，一方认为产能和供货尚未验证；"
        "结论按去掉最高分和最低分后的平均取用，市场部分在估值中取低值。",
    )


def _type_of(achievement: Achievement) -> AchievementType:
    trl = achievement.maturity.trl or 1
    return AchievementType.DEVELOPMENT if trl >= 8 else AchievementType.APPLIED


def _answers(achievement: Achievement, sheet: Sheet, expert: str) -> SheetAnswers:
    """Score as an expert who has read the record: by what stands there and a temper of his own."""
    trl = achievement.maturity.trl or 1
    rights = [right for right in achievement.ip_rights if right.kind == "发明专利"]
    tested = [line for line in achievement.comparison if line.evidence == "third_party"]
    used = [line for line in achievement.comparison if line.evidence == "user"]
    known = {
        "originality": 64 + 4 * len(rights),
        "rigour": 66 + 4 * len(tested),
        "basis": 70 + 3 * len(tested),
        "saving": 58 + 9 * len(used),
        "income": 48 + 4 * trl + 6 * len(used),
        "market": 52 + 2 * trl,
        "cost": 60 + trl,
        "wellbeing": 72 + 2 * len(used),
        "standards": 55 + trl,
        "rights": 62 + 6 * len(rights),
        "conditions": 46 + 4 * trl,
        "scale_up": 40 + 5 * trl,
        "demand": 45 + 8 * len(used) + 2 * trl,
    }
    marks = {}
    for line in sheet.lines():
        own = zlib.crc32(f"{expert}{achievement.key}{line.code}".encode())
        if line.scale == "trl":
            marks[line.code] = max(1, min(9, trl - (own % 4 == 0)))
        elif line.scale == "innovation":
            marks[line.code] = 2 + (len(rights) > 1) - (own % 5 == 0)
        elif line.scale == "advancement":
            marks[line.code] = 4 + (len(tested) > 1) + (own % 5 == 0)
        else:
            temper = zlib.crc32(f"{expert}{achievement.key}".encode()) % 9 - 4
            marks[line.code] = max(0, min(100, known[line.code] + temper + own % 7 - 3))
    first = achievement.comparison[0]
    reasons = {
        Indicator.SCIENTIFIC: f"涉及{'、'.join(achievement.keywords[:2])}，"
        f"有发明专利 {len(rights)} 件，原理阐述清楚",
        Indicator.TECHNICAL: f"{first.indicator}为 {first.value} {first.unit or ''}，"
        f"{first.alternative}为 {first.alternative_value}；第三方检测 {len(tested)} 项",
        Indicator.ECONOMIC: f"{achievement.benefit}用户证据 {len(used)} 项",
        Indicator.SOCIAL: f"对{achievement.industry.name}的节能、质量或安全有作用",
        Indicator.TRANSFER: f"可选转化方式 {len(achievement.modes)} 种，"
        f"登记权利 {len(achievement.ip_rights)} 项",
    }
    return SheetAnswers(marks, reasons, f"材料载明：{achievement.maturity.evidence}")
