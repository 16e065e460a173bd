"""Forms of a deal's meetings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from wtforms.validators import ValidationError

from marketplace.brokerage.talk_queries import Person
from marketplace.brokerage.talk_rules import MOST_SLOTS, Slot, TalkKind
from marketplace.foundation import web
from marketplace.foundation.clock import LOCAL


class SlotRow(web.RowForm):
    """One proposed time, within one day."""

    day = web.DateField("日期")
    begins = web.ClockField("从", placeholder="09:30")
    ends = web.ClockField("到", placeholder="11:00")

    def validate_ends(self, field: web.ClockField) -> None:
        """Ask for the whole row when a part of it was typed."""
        if self.day.data is None or self.begins.data is None or field.data is None:
            raise ValidationError("日期、开始和结束时间都要填")


class TalkForm(web.Form):
    """A meeting or a site visit to propose."""

    kind = web.ChoiceField("方式", TalkKind, required=True, radio=True)
    topic = web.TextField(
        "谈什么、看什么", required=True, longest=120, placeholder="看 2 号线脱硝段的安装位置"
    )
    place = web.TextField("地点或入会方式", longest=200)
    slots = web.RowsField(
        "可选的时间", SlotRow, spare=3, most=MOST_SLOTS, required=True, hint="给对方两三个选择"
    )

    def times(self) -> list[Slot]:
        """Read the proposed times in Jinan's clock."""
        return [
            Slot(
                datetime.combine(row["day"], row["begins"], tzinfo=LOCAL),
                datetime.combine(row["day"], row["ends"], tzinfo=LOCAL),
            )
            for row in self.slots.filled()
        ]


class SlotsForm(web.Form):
    """Which of the proposed times suit."""

    slots = web.ChoicesField("哪些时间可以", [])


class TalkCancelForm(web.Form):
    """Why a meeting is cancelled."""

    reason = web.TextField("取消的原因", required=True, longest=200)


class MinutesTaskRow(web.RowForm):
    """A task that a meeting gave out."""

    what = web.TextField("要办的事", longest=120)
    due_on = web.DateField("哪天办好")
    person = web.ChoiceField("谁来办", [], empty="选择")

    def validate_what(self, field: web.TextField) -> None:
        """Ask for the whole row when a part of it was typed."""
        if not field.data or self.due_on.data is None or self.person.data is None:
            raise ValidationError("事项、日期和经办人都要填")


class MinutesForm(web.Form):
    """The minutes of a meeting with its tasks."""

    minutes = web.LongTextField(
        "谈了什么，定了什么", required=True, longest=6_000, rows=6, hint="各方都能看到"
    )
    tasks = web.RowsField("接下来谁做什么", MinutesTaskRow, spare=3, most=12)

    def offer_people(self, people: Sequence[Person]) -> None:
        """Offer the people around the meeting in every row."""
        choices = [("", "选择"), *((str(each.user_id), each.name) for each in people)]
        for entry in self.tasks.entries:
            entry.form.person.offer(choices)

    def given(self) -> list[tuple[str, date, int]]:
        """Read (what, day, user id) of every task."""
        return [(row["what"], row["due_on"], int(row["person"])) for row in self.tasks.filled()]
