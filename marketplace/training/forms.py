"""Forms of training: a course, its cancellation, a question of the bank."""

from __future__ import annotations

from datetime import datetime

from wtforms import ValidationError

from marketplace.brokerage.register_rules import BrokerLevel
from marketplace.foundation import web
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.money import Fen
from marketplace.training.exam_rules import QuestionKind
from marketplace.training.service import CourseContent


class CourseForm(web.Form):
    """A course to announce."""

    title = web.TextField("课程名称", required=True, longest=100)
    level = web.ChoiceField("级别", BrokerLevel, required=True)
    teacher = web.TextField("授课人", longest=80)
    place = web.TextField("地点", required=True, longest=200)
    first_on = web.DateField("第一天", required=True)
    last_on = web.DateField("最后一天", required=True)
    starts_at = web.ClockField("每天开始", required=True, placeholder="09:00")
    ends_at = web.ClockField("每天结束", required=True, placeholder="17:00")
    hours = web.IntField("学时", required=True, least=1, most=300, unit="学时")
    capacity = web.IntField("名额", required=True, least=1, most=2000, unit="人")
    fee_fen = web.YuanField("费用", hint="免费的留空")
    question_count = web.IntField("抽题", required=True, least=1, most=200, unit="道")
    minutes = web.IntField("考试时间", required=True, least=5, most=300, unit="分钟")
    pass_percent = web.IntField("合格线", required=True, least=1, most=100, unit="分")
    attempts = web.IntField("考试机会", required=True, least=1, most=5, unit="次")
    body = web.LongTextField("介绍", longest=3_000, rows=5)

    def validate_last_on(self, field: web.DateField) -> None:
        """Refuse days in reverse beside the field, whatever else is wrong."""
        if field.data and self.first_on.data and field.data < self.first_on.data:
            raise ValidationError("最后一天不能早于第一天，请核对两个日期")

    def content(self) -> CourseContent:
        """Return the course as typed."""
        return CourseContent(
            title=str(self.title.data),
            level=self.level.data,
            place=str(self.place.data),
            starts_at=datetime.combine(self.first_on.data, self.starts_at.data, tzinfo=LOCAL),
            ends_at=datetime.combine(self.last_on.data, self.ends_at.data, tzinfo=LOCAL),
            hours=self.hours.data,
            capacity=self.capacity.data,
            question_count=self.question_count.data,
            minutes=self.minutes.data,
            pass_percent=self.pass_percent.data,
            attempts=self.attempts.data,
            fee_fen=self.fee_fen.data or Fen(0),
            teacher=str(self.teacher.data or ""),
            body=str(self.body.data or ""),
        )


class CourseCancelForm(web.Form):
    """Why a course will not take place."""

    reason = web.LongTextField("取消的原因", required=True, longest=500, rows=2)


class RevocationForm(web.Form):
    """Why a certificate is taken back."""

    reason = web.LongTextField(
        "撤销的依据",
        required=True,
        longest=500,
        rows=3,
        hint="写明事实和依据，如代考、学时不实；持证人会看到，公开核验页只写已撤销",
    )


class QuestionForm(web.Form):
    """A question of the bank."""

    level = web.ChoiceField("级别", BrokerLevel, required=True)
    kind = web.ChoiceField("题型", QuestionKind, required=True, radio=True)
    text = web.LongTextField("题目", required=True, longest=1_000, rows=3)
    options = web.LongTextField(
        "选项", required=True, longest=2_000, rows=5, hint="一行一个，依次为 A、B、C……"
    )
    right = web.TextField("正确答案", required=True, longest=8, hint="选项的字母，如 A 或 ACD")

    def lines(self) -> list[str]:
        """Read the options, one to a line."""
        return [line.strip() for line in str(self.options.data or "").splitlines() if line.strip()]

    def places(self) -> list[int]:
        """Read the letters as places, from zero; anything else lies outside of every option."""
        typed = str(self.right.data or "").upper().replace(" ", "").replace("、", "")
        return [ord(letter) - ord("A") for letter in typed]
