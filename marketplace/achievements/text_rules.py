"""The text check: claims without numbers, no comparison, unexplained abbreviations, wrong units.

It remarks and never refuses: what it finds is for the officer to judge while he writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from marketplace.achievements.completeness_rules import empty_claims
from marketplace.achievements.rules import AchievementContent
from marketplace.achievements.text_parameters import TextKnowledge, WrongUnit
from marketplace.foundation.words import Word


class RemarkKind(Word):
    """What the text check remarks on."""

    EMPTY_CLAIM = "empty_claim", "没有数字的说法"
    NO_COMPARISON = "no_comparison", "缺少对比"
    ABBREVIATION = "abbreviation", "没有解释的缩写"
    UNIT = "unit", "计量单位"


@dataclass(frozen=True)
class Remark:
    """One remark: on which field, on which words, and what to do."""

    kind: RemarkKind
    field: str
    quote: str
    advice: str


_FIELDS = {"title": "名称", "problem": "问题", "solution": "做法", "benefit": "好处"}
_COMPARES = re.compile(r"(提高|提升|降低|下降|减少|节省|缩短|延长|优于|高于|低于|增加)")
# What stands in brackets, read once; a search for each abbreviation anew would take its square.
_BRACKETS = re.compile(r"[（(]([^（）()]*)[）)]")
_TWO_HAN = re.compile(r"[\u4e00-\u9fff]{2}")
_LONGEST_GAP = 20  # characters before a bracket that are looked at
_ABBREVIATION = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2,6}(?![A-Za-z0-9])")


def field_label(field: str) -> str:
    """Return the name of a field on the form."""
    return {**_FIELDS, "comparison": "对比表", "trl_evidence": "成熟度证据"}[field]


def check_text(content: AchievementContent, known: TextKnowledge) -> list[Remark]:
    """List what a reader of the record could not judge or would misread, in the form's order."""
    texts = {
        "title": content.title,
        "problem": content.problem,
        "solution": content.solution,
        "benefit": content.benefit,
    }
    found: list[Remark] = []
    for field, text in texts.items():
        found += [
            Remark(RemarkKind.EMPTY_CLAIM, field, claim, "换成测得的数和单位，或删去")
            for claim in empty_claims(text)
        ]
    found += _comparison(content, texts)
    found += _abbreviations(texts, known)
    found += _units(content, texts, known)
    return found


def _comparison(content: AchievementContent, texts: dict[str, str]) -> Iterable[Remark]:
    measured = [
        line
        for line in content.comparison
        if _has_figure(line.value) and _has_figure(line.alternative_value)
    ]
    for field, text in texts.items():
        said = _COMPARES.search(text)
        if said is not None and not measured:
            yield Remark(
                RemarkKind.NO_COMPARISON,
                field,
                said.group(),
                "与什么比？在对比表里写指标、本成果的数和最优替代方案的数",
            )
            return
    for line in content.comparison:
        if line.indicator and line.value and not line.alternative_value:
            yield Remark(
                RemarkKind.NO_COMPARISON,
                "comparison",
                line.indicator,
                "只有本成果的数，请补上最优替代方案的数",
            )


def _has_figure(text: str) -> bool:
    return any(character.isdigit() for character in text)


def _abbreviations(texts: dict[str, str], known: TextKnowledge) -> Iterable[Remark]:
    explained = _explained("\n".join(texts.values()))
    wrong = {unit.wrong for unit in known.units}
    seen = set()
    for field, text in texts.items():
        for match in _ABBREVIATION.finditer(text):
            short = match.group()
            if short in seen or short in known.known or short in wrong:
                continue
            seen.add(short)
            if short not in explained:
                yield Remark(
                    RemarkKind.ABBREVIATION,
                    field,
                    short,
                    f"第一次出现时写全称，如“中文全称（{short}）”",
                )


def _explained(text: str) -> frozenset[str]:
    """Return the abbreviations that stand in brackets behind their name, or it behind them."""
    found: set[str] = set()
    for bracket in _BRACKETS.finditer(text):
        inside = bracket.group(1)
        ahead = text[max(0, bracket.start() - _LONGEST_GAP) : bracket.start()].rstrip()
        if _TWO_HAN.fullmatch(ahead[-2:]):
            found.update(_ABBREVIATION.findall(inside))
        if _TWO_HAN.search(inside):
            found.update(
                short.group()
                for short in _ABBREVIATION.finditer(ahead)
                if short.end() == len(ahead)
            )
    return frozenset(found)


def _units(
    content: AchievementContent, texts: dict[str, str], known: TextKnowledge
) -> Iterable[Remark]:
    for unit in known.units:
        advice = f"写作 {unit.right}" + (f"；{unit.note}" if unit.note else "")
        for field, text in {**texts, "trl_evidence": content.trl_evidence}.items():
            if _unit_in(unit, text):
                yield Remark(RemarkKind.UNIT, field, unit.wrong, advice)
                break
        for line in content.comparison:
            if line.unit.strip() == unit.wrong:
                yield Remark(
                    RemarkKind.UNIT, "comparison", f"{line.indicator} {unit.wrong}", advice
                )


def _unit_in(unit: WrongUnit, text: str) -> bool:
    """Tell whether a unit stands behind a number: 马力 elsewhere may mean other things."""
    return re.search(rf"\d\s*(?:万|亿|个)?{re.escape(unit.wrong)}(?![A-Za-z0-9])", text) is not None
