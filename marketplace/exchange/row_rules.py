"""One row of a file into an achievement or a need: its content, its key, what is wrong with it.

Pure. What is known goes in; what cannot be right is noted or refuses the row, never guessed.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from marketplace.achievements import completeness_rules, ip_rules
from marketplace.achievements.rules import (
    WHOLE_SHARE,
    AchievementContent,
    Inventor,
    IPRight,
    LegalStatus,
    Owner,
)
from marketplace.exchange.cell_rules import (
    SEPARATORS,
    read_day,
    read_deadline,
    read_field,
    read_industry,
    read_ipc,
    read_kind,
    read_modes,
    read_money,
    read_region,
    read_status,
    read_trl,
    read_year,
    split,
)
from marketplace.exchange.parameters import field_of
from marketplace.foundation.classifications import industry_name
from marketplace.foundation.errors import Problem, RuleBroken
from marketplace.needs import rules as need_rules
from marketplace.needs.rules import NeedContent

_PARTIES = re.compile(
    # A comma before LTD or INC belongs to the name of a foreign company.
    r"[;；、\n]|[,，](?!\s*(?:LTD|INC|LLC|CORP|S\.A)\b)",
    re.IGNORECASE,
)
_TITLE_LENGTH = 40


@dataclass
class ReadRow:
    """What a row became: content where it can be taken, else the reason in ``refused``."""

    title: str
    key: str = ""
    number_key: str = ""
    content: Any = None
    notes: list[str] = field(default_factory=list)
    refused: str = ""
    lacking: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Say why it was refused, or what it still lacks and what to check."""
        if self.refused:
            return self.refused
        parts = list(self.notes)
        if self.lacking:
            parts.append(f"还缺 {len(self.lacking)} 项：{'、'.join(self.lacking)}")
        return "；".join(parts)


def read_achievement(
    values: Mapping[str, str],
    *,
    organisation_id: int,
    organisation_name: str,
    today: date,
    unit: str,
) -> ReadRow:
    """Read one row as an achievement of the importing organisation."""
    title = " ".join(values.get("title", "").split())
    row = ReadRow(title)
    if not title:
        row.refused = "名称是空的"
        return row
    if len(title) > completeness_rules.TITLE_MAX:
        row.refused = (
            f"名称有 {len(title)} 个字，最多 {completeness_rules.TITLE_MAX} 个；可能列错位了"
        )
        return row
    try:
        right = _right(values, title, today, row.notes)
    except RuleBroken as refusal:
        row.refused = refusal.problems[0].message
        return row
    row.number_key = ip_rules.number_key(right.number) if right else ""
    row.key = f"right:{row.number_key}" if row.number_key else f"title:{_digest(title)}"
    ipc = read_ipc(values, row.notes)
    discipline = values.get("discipline", "").strip()
    owners = _owners(values, organisation_id, organisation_name, row.notes)
    content = AchievementContent(
        title=title,
        problem=values.get("problem", ""),
        solution=values.get("solution", ""),
        benefit=values.get("benefit", ""),
        field=read_field(values, row.notes) or field_of(discipline, ipc),
        industry_code=read_industry(values, row.notes),
        industry_name=industry_name(read_industry(values, [])),
        ipc=ipc,
        discipline=discipline[:60],
        trl=read_trl(values, row.notes),
        ip_rights=(right,) if right else (),
        owners=owners,
        inventors=tuple(
            Inventor(name[:50]) for name in split(values.get("inventors", ""), _PARTIES)[:40]
        ),
        modes=read_modes(values, row.notes),
        price_fen=read_money(values.get("price", ""), unit, "期望价格", row.notes),
        negotiable="面议" in values.get("price", ""),
        keywords=split(values.get("keywords", ""), SEPARATORS)[: completeness_rules.KEYWORDS_MAX],
    )
    wrong = completeness_rules.contradictions(content)
    if wrong:
        row.refused = "；".join(problem.message for problem in wrong)
        return row
    lacking = completeness_rules.missing(content, own_organisation_id=organisation_id)
    row.content, row.lacking = content, _labels(lacking)
    return row


def read_need(values: Mapping[str, str], *, today: date, unit: str) -> ReadRow:
    """Read one row as a need."""
    problem = values.get("problem", "").strip()
    title = " ".join(values.get("title", "").split()) or title_of(problem)
    row = ReadRow(title)
    if not problem:
        row.refused = "需求描述是空的"
        return row
    if len(problem) < need_rules.TEXT_MIN:
        row.refused = f"需求描述只有 {len(problem)} 个字，看不出要解决什么"
        return row
    if len(title) > need_rules.TITLE_MAX:
        row.refused = f"标题有 {len(title)} 个字，最多 {need_rules.TITLE_MAX} 个；可能列错位了"
        return row
    row.key = f"text:{_digest(problem)}"
    discipline = values.get("discipline", "").strip()
    budget = values.get("budget", "")
    content = NeedContent(
        title=title,
        problem=problem,
        present_solution=values.get("present_solution", ""),
        budget_max_fen=read_money(budget, unit, "预算", row.notes),
        budget_negotiable="面议" in budget or (not budget and "预算面议" in problem),
        deadline=read_deadline(values, today, row.notes),
        modes=read_modes(values, row.notes),
        field=read_field(values, row.notes) or field_of(discipline, ()),
        industry_code=read_industry(values, row.notes),
        industry_name=industry_name(read_industry(values, [])),
        region_code=read_region(values, row.notes),
        discipline=discipline[:60],
        expert_terms=split(values.get("expert_terms", ""), SEPARATORS)[: need_rules.TERMS_MAX],
    )
    wrong = need_rules.contradictions(content, today=today)
    if wrong:
        row.refused = "；".join(problem.message for problem in wrong)
        return row
    row.content, row.lacking = content, _labels(need_rules.missing(content))
    return row


_LABELS = {
    "title": "名称",
    "problem": "要解决的问题",
    "solution": "做法",
    "benefit": "好处",
    "comparison": "对比数据",
    "field": "技术领域",
    "industry_code": "应用行业",
    "trl": "成熟度",
    "trl_evidence": "成熟度证据",
    "ip_rights": "知识产权",
    "owners": "权利人与份额",
    "inventors": "发明人",
    "fiscal_funded": "是否财政资助",
    "modes": "合作方式",
    "price": "期望价格",
    "keywords": "关键词",
    "indicators": "目标指标",
    "budget_max": "预算",
    "deadline": "截止日期",
}


def _labels(problems: Iterable[Problem]) -> tuple[str, ...]:
    """Name the parts of the form that problems are about, each once."""
    return tuple(
        dict.fromkeys(_LABELS.get(problem.field or "", problem.message) for problem in problems)
    )


_LEAD = re.compile(
    r"^[^：:。]{0,60}(?:技术难题|需求描述|需求背景|技术需求|需求内容|难题描述|如下问题)\s*[：:]\s*"
)


def title_of(text: str) -> str:
    """Make a title from a description: its first clause, without the talk that leads to it."""
    core = _LEAD.sub("", text).lstrip("\"“”'‘’「『《 \n")
    first = re.split(r"[。；;！!？?\n]", core, maxsplit=1)[0].strip(' ,，、:："”')
    if len(first) <= _TITLE_LENGTH:
        return first or core[:_TITLE_LENGTH]
    cut = first[:_TITLE_LENGTH]
    pause = max(cut.rfind(mark) for mark in "，,、")
    return (cut[:pause] if pause >= _TITLE_LENGTH // 2 else cut) + "…"


def _digest(text: str) -> str:
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()
    return hashlib.sha256(plain.encode()).hexdigest()[:40]


def _right(values: Mapping[str, str], title: str, today: date, notes: list[str]) -> IPRight | None:
    number = values.get("number", "").strip()
    kind_text = values.get("kind", "").strip()
    if not number and not kind_text:
        return None
    kind = read_kind(kind_text, notes)
    if len(number) > 60:
        raise RuleBroken("exchange.number", f"号码有 {len(number)} 个字，不像申请号；可能列错位了")
    right = IPRight(
        kind,
        number,
        title,
        read_status(values.get("legal_status", ""), notes),
        read_day(values.get("filed_on", ""), "申请日", notes),
        read_day(values.get("expires_on", ""), "到期日", notes),
        read_year(values.get("filed_year", ""), today, notes),
    )
    if number.upper().startswith("JP") or re.match(r"[A-BD-Z]{2}\d", number.upper()):
        notes.append("外国申请号，请核对在中国的权利")
    wrong = ip_rules.number_problem(right)
    if wrong:
        # A number with a slip would pass for another patent, so nothing of the row is taken.
        raise RuleBroken("exchange.check_digit", wrong)
    if ip_rules.is_over(right, today):
        notes.append("按申请时间推算，保护期已届满，请核实法律状态")
        return replace(right, legal_status=LegalStatus.LAPSED)
    return right


def _owners(
    values: Mapping[str, str], organisation_id: int, organisation_name: str, notes: list[str]
) -> tuple[Owner, ...]:
    names = [name[:100] for name in split(values.get("owners", ""), _PARTIES)][:40]
    if not names:
        if "owners" in values:
            notes.append("权利人空缺")
        return ()
    if organisation_name not in names:
        notes.append("权利人里没有本单位，请核对")
    return tuple(
        Owner(
            name,
            # A sole owner owns the whole; of several nobody knows the shares.
            WHOLE_SHARE if len(names) == 1 else None,
            organisation_id if name == organisation_name else None,
        )
        for name in names
    )
