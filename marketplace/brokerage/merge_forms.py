"""Forms of merging and splitting deals."""

from __future__ import annotations

from collections.abc import Sequence

from marketplace.brokerage.merge_rules import LONGEST_PART, MergedPrice, SplitSubject
from marketplace.foundation import web


class MergeForm(web.Form):
    """What the price becomes when two deals are one."""

    price = web.ChoiceField("留下的项目的价格", MergedPrice, required=True, radio=True)


class SplitForm(web.Form):
    """What of a deal becomes a deal of its own."""

    what = web.ChoiceField("分出什么", SplitSubject, required=True, radio=True)
    part = web.TextField(
        "哪一部分",
        longest=LONGEST_PART,
        placeholder="第二件专利的许可",
        hint="分出同一标的的一部分时填写，双方都会看到",
    )
    title = web.TextField("新项目名称", required=True, longest=80)
    amount_fen = web.YuanField(
        "分给新项目的价格", hint="两个项目的价格之和等于原价；没有谈定就留空，原价留在原项目"
    )
    task_ids = web.ChoicesField("转给新项目的待办", [])
    note_ids = web.ChoicesField(
        "转给新项目的备注", [], hint="谁能看到不变；别人写的私密备注留在原项目"
    )

    def offer(
        self,
        *,
        subjects: Sequence[SplitSubject],
        tasks: Sequence[tuple[str, str]],
        notes: Sequence[tuple[str, str]],
    ) -> None:
        """Offer what can be split off, and the tasks and notes that may go along."""
        self.what.offer((each.value, each.label) for each in subjects)
        self.task_ids.offer(tasks)
        self.note_ids.offer(notes)

    @property
    def chosen_tasks(self) -> list[int]:
        """Return the ids of the chosen tasks."""
        return [int(value) for value in self.task_ids.data or ()]

    @property
    def chosen_notes(self) -> list[int]:
        """Return the ids of the chosen notes."""
        return [int(value) for value in self.note_ids.data or ()]
