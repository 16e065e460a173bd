"""Courses for brokers: one that is over with its exam, one that takes sign-ups."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict

from marketplace.brokerage.register_rules import BrokerLevel
from marketplace.foundation.clock import LOCAL
from marketplace.training import exam_queries, exam_service, paper_queries, rules, service
from marketplace.training.exam_rules import QuestionKind
from marketplace.training.service import CheckInKey, CourseContent
from seed.demo.stage import Stage, Story, yuan

_OPERATOR = "youxueqin"
_FIRST = ("meiruoxi", "qisiyuan", "loujiaxin", "muchenguang", "xueyongchang", "jipengfei")
_SECOND = ("mengqingyao", "sangyuwei", "xueyongchang", "jipengfei", "muchenguang")


class _Question(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str
    options: list[str]
    right: str


class _Bank(BaseModel):
    model_config = ConfigDict(extra="forbid")

    questions: tuple[_Question, ...]


def _course(title: str, first: date, days: int, capacity: int) -> CourseContent:
    last = first + timedelta(days=days - 1)
    return CourseContent(
        title=title,
        level=BrokerLevel.INTERMEDIATE,
        place="山东省技术成果交易中心(济南)三楼培训室",
        starts_at=datetime.combine(first, time(9), tzinfo=LOCAL),
        ends_at=datetime.combine(last, time(17), tzinfo=LOCAL),
        hours=8 * days,
        capacity=capacity,
        question_count=8,
        minutes=30,
        pass_percent=60,
        attempts=2,
        fee_fen=yuan(1_200),
        teacher="交易中心与驻济高校转化办公室",
        body="需求访谈、成果摘要、保密与介绍存证、合同类型与认定登记、佣金约定。"
        "\n每天上午下午各四学时，当天扫码签到；结业考试在平台上进行。",
    )


def bank(stage: Stage) -> Story:
    """Write the questions of the bank."""
    text = (files("seed.demo") / "training.yaml").read_text(encoding="utf-8")
    yield stage.at(date(2024, 1, 8), "training")
    for record in _Bank.model_validate(yaml.safe_load(text)).questions:
        several = len(record.right) > 1
        exam_service.add_question(
            stage.session,
            actor=stage.actor(_OPERATOR),
            now=stage.now,
            level=BrokerLevel.INTERMEDIATE,
            kind=QuestionKind.MULTIPLE if several else QuestionKind.SINGLE,
            text=record.text,
            options=record.options,
            right=[ord(letter) - ord("A") for letter in record.right],
        )


def finished(stage: Stage) -> Story:
    """Hold a course of two days; most pass its exam, one fails."""
    first = date(2024, 2, 26)
    yield stage.at(date(2024, 1, 29), "training")
    made = service.announce(
        stage.session,
        actor=stage.actor(_OPERATOR),
        now=stage.now,
        content=_course("2024 年第一期中级技术经理人班", first, 2, 30),
    )
    people = _FIRST
    for person in people:
        yield stage.after(1, person)
        service.sign_up(stage.session, actor=stage.actor(person), now=stage.now, course_id=made)
    for day in range(2):
        yield datetime.combine(first + timedelta(days=day), time(9, 10), tzinfo=LOCAL)
        key = stage.services.resources[CheckInKey]
        assert isinstance(key, CheckInKey)
        code = rules.make_code(key.key, course_id=made, now=stage.now, seconds=120)
        # The last one misses the second day and may not be examined.
        for person in people[: 6 - day]:
            service.check_in(
                stage.session, actor=stage.actor(person), now=stage.now, code=code, key=key
            )
    for place, person in enumerate(people[:5]):
        yield stage.after(1, person)
        attempt = exam_service.begin(
            stage.session,
            actor=stage.actor(person),
            now=stage.now,
            course_id=made,
            seed=f"demo-{person}",
        )
        yield stage.now + timedelta(minutes=20)
        right = _right(stage, person, attempt)
        known = list(right)[: 3 if place == 4 else 6 + place % 3]
        exam_service.hand_in(
            stage.session,
            actor=stage.actor(person),
            now=stage.now,
            attempt_id=attempt,
            answers={question: right[question] for question in known},
        )


def upcoming(stage: Stage) -> Story:
    """Announce a small course that is full before it begins."""
    yield stage.at(date(2024, 3, 5), "training")
    made = service.announce(
        stage.session,
        actor=stage.actor(_OPERATOR),
        now=stage.now,
        content=_course("2024 年第二期中级技术经理人班", date(2024, 3, 27), 3, 4),
    )
    for person in _SECOND:
        yield stage.after(1, person)
        service.sign_up(stage.session, actor=stage.actor(person), now=stage.now, course_id=made)


def _right(stage: Stage, person: str, attempt_id: int) -> dict[int, list[int]]:
    """Answer a paper rightly by the words of the bank's options, which the paper shuffles."""
    view = exam_queries.get_attempt(stage.session, stage.actor(person), attempt_id)
    words = {
        question.id: {question.options[place] for place in question.right}
        for question in paper_queries.bank_of(stage.session, BrokerLevel.INTERMEDIATE)
    }
    return {
        question.id: [
            n for n, option in enumerate(question.options) if option in words[question.id]
        ]
        for question in view.paper
    }
