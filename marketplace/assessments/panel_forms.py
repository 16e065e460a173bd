"""The shapes of a panel's work: calling it, declaring, the score sheet by type of achievement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marketplace.achievements.rules import TRL_MEANING
from marketplace.assessments.panel_rules import AchievementType, SheetAnswers
from marketplace.assessments.parameters import PanelTerms, Sheet, SubIndicator
from marketplace.assessments.rules import Indicator
from marketplace.foundation import web


class PanelForm(web.Form):
    """What kind of achievement it is, and who scores it."""

    achievement_type = web.ChoiceField(
        "成果类型",
        AchievementType,
        required=True,
        radio=True,
        hint="决定二级指标和权重：基础研究重科学价值，应用研究重技术和用户效益，开发重市场",
    )
    experts = web.ChoicesField("专家", [], required=True)

    def offer(self, experts: Sequence[tuple[int, str]]) -> None:
        """Offer the experts who may be chosen."""
        self.experts.offer([(str(key), name) for key, name in experts])

    def expert_ids(self) -> list[int]:
        """Return the chosen experts."""
        return [int(value) for value in self.experts.data or ()]


class DeclareForm(web.Form):
    """The expert's own declaration, before the dossier opens."""

    declared = web.FlagField(
        "我与这项成果的权利人、发明人和委托方没有任职、合作、交易、亲属或股权关系，并对材料保密",
        required=True,
        message="打开材料前须作此声明；有关系的请选择回避",
    )
    statement = web.LongTextField(
        "核对了哪些关系", required=True, longest=1000, rows=2, hint="声明留存在评估档案"
    )


class LeaveForm(web.Form):
    """Why an expert gives the seat back."""

    id_prefix = "leave"
    reason = web.LongTextField("回避或退出的原因", required=True, longest=500, rows=2)


class ExplainForm(web.Form):
    """Why the experts differ and what was made of it."""

    note = web.LongTextField(
        "分歧说明",
        required=True,
        longest=2000,
        rows=3,
        hint="分歧在哪几项、各自依据是什么、结论如何取舍；会印在报告上",
    )


class SheetForm(web.Form):
    """A score sheet; the marks of its type of achievement are added by ``sheet_form``."""

    trl_evidence = web.LongTextField(
        "成熟度的证据",
        required=True,
        longest=1000,
        rows=2,
        hint="看到了哪份报告、哪套装置、哪家用户",
    )

    def line(self, code: str) -> Any:
        """Return the field of one line."""
        return self._fields[f"mark_{code}"]

    def reason(self, indicator: Indicator) -> Any:
        """Return the field of an indicator's reason."""
        return self._fields[f"reason_{indicator.value}"]

    def answers(self, sheet: Sheet) -> SheetAnswers:
        """Return what was filled in as a value."""
        return SheetAnswers(
            {
                line.code: int(self.line(line.code).data)
                for line in sheet.lines()
                if self.line(line.code).data is not None
            },
            {indicator: self.reason(indicator).data for indicator in Indicator},
            self.trl_evidence.data,
        )


def sheet_form(sheet: Sheet, terms: PanelTerms) -> type[SheetForm]:
    """Return the form of a type of achievement: a field for each line, a reason per indicator."""
    fields: dict[str, Any] = {
        f"mark_{line.code}": _mark_field(line, terms) for line in sheet.lines()
    }
    for indicator in Indicator:
        fields[f"reason_{indicator.value}"] = web.LongTextField(
            f"“{indicator.label}”的依据", required=True, longest=2000, rows=2
        )
    return type("TypedSheetForm", (SheetForm,), fields)


def _mark_field(line: SubIndicator, terms: PanelTerms) -> Any:
    if not line.scale:
        return web.IntField(line.label, least=0, most=100, unit="分", required=True)
    words: Sequence[str] = {
        "trl": [TRL_MEANING[level] for level in sorted(TRL_MEANING)],
        "innovation": terms.scales.innovation,
        "advancement": terms.scales.advancement,
    }[line.scale]
    choices = [(str(level), f"{level} 级：{word}") for level, word in enumerate(words, start=1)]
    return web.ChoiceField(line.label, choices, required=True)
