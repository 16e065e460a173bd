"""One row of a file into an achievement or a need: its content, its key, what is wrong with it.

Pure. What is known goes in; what cannot be right is noted or refuses the row, never guessed.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from marketplace.achievements import completeness_rules, ip_rules
from marketplace.achievements.rules import (
    WHOLE_SHARE,
    AchievementContent,
    Inventor,
    IPKind,
    IPRight,
    LegalStatus,
    Owner,
)
from marketplace.exchange.parameters import field_of
from marketplace.foundation.classifications import industry_name
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import Fen, parse_yuan
from marketplace.foundation.trade import TechnologyField, TradingMode
from marketplace.needs import rules as need_rules
from marketplace.needs.rules import NeedContent

_SEPARATORS = re.compile(r"[、，,；;\s]+")
_PARTIES = re.compile(
    r"\s*[;；、\n]\s*|\s*[,，]\s*(?!(?:LTD|INC|LLC|CO|CORP|S\.A)\b)", re.IGNORECASE
)
_TITLE_LENGTH = 40
_FIRST_YEAR = 1985  # 专利法 came into force in 1985: an earlier year is a slip or foreign


@dataclass
class ReadRow:
    """What a row became: content where it can be taken, else the reason in ``refused``."""

    title: str
    key: str = ""
    number_key: str = ""
    content: Any = None
    notes: list[str] = field(default_factory=list)
    refused: str = ""
    lacking: int = 0


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
    ipc = _ipc(values, row.notes)
    discipline = values.get("discipline", "").strip()
    owners = _owners(values, organisation_id, organisation_name, row.notes)
    content = AchievementContent(
        title=title,
        problem=values.get("problem", ""),
        solution=values.get("solution", ""),
        benefit=values.get("benefit", ""),
        field=_field(values, row.notes) or field_of(discipline, ipc),
        industry_code=_industry(values, row.notes),
        industry_name=industry_name(_industry(values, [])),
        ipc=ipc,
        discipline=discipline[:60],
        trl=_trl(values, row.notes),
        ip_rights=(right,) if right else (),
        owners=owners,
        inventors=tuple(
            Inventor(name[:50]) for name in _split(values.get("inventors", ""), _PARTIES)[:40]
        ),
        modes=_modes(values, row.notes),
        price_fen=_money(values.get("price", ""), unit, "期望价格", row.notes),
        negotiable="面议" in values.get("price", ""),
        keywords=_split(values.get("keywords", ""), _SEPARATORS)[: completeness_rules.KEYWORDS_MAX],
    )
    wrong = completeness_rules.contradictions(content)
    if wrong:
        row.refused = "；".join(problem.message for problem in wrong)
        return row
    lacking = completeness_rules.missing(content, own_organisation_id=organisation_id)
    row.content, row.lacking = content, len(lacking)
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
        budget_max_fen=_money(budget, unit, "预算", row.notes),
        budget_negotiable="面议" in budget or (not budget and "预算面议" in problem),
        deadline=_deadline(values, today, row.notes),
        modes=_modes(values, row.notes),
        field=_field(values, row.notes) or field_of(discipline, ()),
        industry_code=_industry(values, row.notes),
        industry_name=industry_name(_industry(values, [])),
        region_code=_region(values, row.notes),
        discipline=discipline[:60],
        expert_terms=_split(values.get("expert_terms", ""), _SEPARATORS)[: need_rules.TERMS_MAX],
    )
    wrong = need_rules.contradictions(content, today=today)
    if wrong:
        row.refused = "；".join(problem.message for problem in wrong)
        return row
    row.content, row.lacking = content, len(need_rules.missing(content))
    return row


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


def _split(text: str, separators: re.Pattern[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in separators.split(text) if part.strip()))


def _right(values: Mapping[str, str], title: str, today: date, notes: list[str]) -> IPRight | None:
    number = values.get("number", "").strip()
    kind_text = values.get("kind", "").strip()
    if not number and not kind_text:
        return None
    kind = _kind(kind_text, notes)
    if len(number) > 60:
        raise RuleBroken("exchange.number", f"号码有 {len(number)} 个字，不像申请号；可能列错位了")
    right = IPRight(
        kind,
        number,
        title,
        _status(values.get("legal_status", ""), notes),
        _day(values.get("filed_on", ""), "申请日", notes),
        _day(values.get("expires_on", ""), "到期日", notes),
        _year(values.get("filed_year", ""), today, notes),
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


_KINDS = {
    "发明": IPKind.INVENTION,
    "发明专利": IPKind.INVENTION,
    "发明申请": IPKind.INVENTION,
    "发明授权": IPKind.INVENTION,
    "实用新型": IPKind.UTILITY_MODEL,
    "实用新型专利": IPKind.UTILITY_MODEL,
    "新型": IPKind.UTILITY_MODEL,
    "外观": IPKind.DESIGN,
    "外观设计": IPKind.DESIGN,
    "外观设计专利": IPKind.DESIGN,
} | {kind.label: kind for kind in IPKind}


def _kind(text: str, notes: list[str]) -> IPKind | None:
    if not text:
        notes.append("知识产权类型空缺")
        return None
    kind = _KINDS.get(text)
    if kind is None:
        notes.append(f"不认识的知识产权类型“{text[:20]}”")
    return kind


_STATUSES = {
    "授权": LegalStatus.GRANTED,
    "有效": LegalStatus.GRANTED,
    "有权": LegalStatus.GRANTED,
    "实质审查": LegalStatus.EXAMINATION,
    "审中": LegalStatus.EXAMINATION,
    "公开": LegalStatus.EXAMINATION,
    "受理": LegalStatus.FILED,
    "失效": LegalStatus.LAPSED,
    "无效": LegalStatus.LAPSED,
    "无权": LegalStatus.LAPSED,
    "终止": LegalStatus.LAPSED,
    "登记": LegalStatus.REGISTERED,
} | {status.label: status for status in LegalStatus}


def _status(text: str, notes: list[str]) -> LegalStatus:
    plain = text.strip()
    if not plain:
        return LegalStatus.UNKNOWN
    found = _STATUSES.get(plain)
    if found is None:
        notes.append(f"不认识的法律状态“{plain[:20]}”，请核实")
    return found or LegalStatus.UNKNOWN


def _day(text: str, label: str, notes: list[str]) -> date | None:
    plain = unicodedata.normalize("NFKC", text).strip()
    if not plain:
        return None
    match = re.fullmatch(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?:[ T].*)?", plain)
    if match:
        try:
            return date(*(int(part) for part in match.groups()))
        except ValueError:
            pass
    notes.append(f"{label}“{plain[:20]}”不是日期，没有采用")
    return None


def _year(text: str, today: date, notes: list[str]) -> int | None:
    plain = unicodedata.normalize("NFKC", text).strip()
    if not plain:
        return None
    if plain.isdigit() and _FIRST_YEAR <= int(plain) <= today.year:
        return int(plain)
    notes.append(f"申请年“{plain[:20]}”不合理，没有采用")
    return None


def _ipc(values: Mapping[str, str], notes: list[str]) -> tuple[str, ...]:
    text = f"{values.get('ipc_main', '')};{values.get('ipc', '')}"
    joined = re.sub(r"(?<=[A-Ha-h]\d\d[A-Za-z])\s+(?=\d)", "", text)
    codes = [completeness_rules.normal_ipc(code) for code in _split(joined, _SEPARATORS)]
    right = tuple(dict.fromkeys(code for code in codes if completeness_rules.is_ipc(code)))
    wrong = [code for code in codes if not completeness_rules.is_ipc(code)]
    if wrong:
        notes.append(f"不是 IPC 分类号，没有采用：{'、'.join(wrong[:3])}")
    return right


def _owners(
    values: Mapping[str, str], organisation_id: int, organisation_name: str, notes: list[str]
) -> tuple[Owner, ...]:
    names = [name[:100] for name in _split(values.get("owners", ""), _PARTIES)][:40]
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


def _field(values: Mapping[str, str], notes: list[str]) -> TechnologyField | None:
    text = values.get("field", "").strip()
    if not text:
        return None
    found = TechnologyField.labelled(text)
    if found is None:
        notes.append(f"不认识的技术领域“{text[:20]}”")
    return found


def _industry(values: Mapping[str, str], notes: list[str]) -> str:
    text = unicodedata.normalize("NFKC", values.get("industry_code", "")).strip().upper()
    if not text:
        return ""
    if re.fullmatch(r"[A-T]\d{2,4}", text):
        return text
    notes.append(f"行业代码“{text[:20]}”不合 GB/T 4754，没有采用")
    return ""


def _region(values: Mapping[str, str], notes: list[str]) -> str:
    text = unicodedata.normalize("NFKC", values.get("region_code", "")).strip()
    if not text:
        return ""
    if re.fullmatch(r"\d{6}", text):
        return text
    notes.append(f"地区代码“{text[:20]}”不是 6 位数字，没有采用")
    return ""


def _trl(values: Mapping[str, str], notes: list[str]) -> int | None:
    text = unicodedata.normalize("NFKC", values.get("trl", "")).strip()
    if not text:
        return None
    match = re.fullmatch(r"(?:TRL)?\s*([1-9])\s*级?", text, re.IGNORECASE)
    if match:
        return int(match.group(1))
    notes.append(f"成熟度“{text[:20]}”不是 1 到 9 级，没有采用")
    return None


_MODES = {mode.label: mode for mode in TradingMode} | {
    "技术转让": TradingMode.TRANSFER,
    "专利转让": TradingMode.TRANSFER,
    "技术许可": TradingMode.LICENCE_ORDINARY,
    "许可": TradingMode.LICENCE_ORDINARY,
    "专利许可": TradingMode.LICENCE_ORDINARY,
    "委托开发": TradingMode.DEVELOPMENT,
    "合作开发": TradingMode.DEVELOPMENT,
    "联合开发": TradingMode.DEVELOPMENT,
    "技术入股": TradingMode.EQUITY,
}


def _modes(values: Mapping[str, str], notes: list[str]) -> tuple[TradingMode, ...]:
    names = _split(values.get("modes", ""), re.compile(r"[、，,；;\s/]+"))
    unknown = [name for name in names if name not in _MODES]
    if unknown:
        notes.append(f"不认识的方式，没有采用：{'、'.join(unknown[:3])}")
    return tuple(dict.fromkeys(_MODES[name] for name in names if name in _MODES))


_FACTORS = {"元": 1, "万元": 10_000, "亿元": 100_000_000}
_AMOUNT = re.compile(r"([\d,]+(?:\.\d+)?)\s*(亿元|万元|元|万)?")


def _money(text: str, unit: str, label: str, notes: list[str]) -> Fen | None:
    plain = unicodedata.normalize("NFKC", text).strip().lstrip("¥")
    if not plain or "面议" in plain or plain in ("-", "—", "/"):
        return None
    match = _AMOUNT.fullmatch(plain)
    if match is None:
        notes.append(f"{label}“{plain[:20]}”不是金额，没有采用")
        return None
    figure, own_unit = match.groups()
    factor = _FACTORS["万元" if own_unit == "万" else own_unit or unit]
    whole, _, decimals = figure.replace(",", "").partition(".")
    shifted = int(whole + decimals) * factor
    divisor = 10 ** len(decimals)
    if shifted * 100 % divisor:
        notes.append(f"{label}“{plain[:20]}”不到一分，没有采用")
        return None
    fen = shifted * 100 // divisor
    try:
        return parse_yuan(f"{fen // 100}.{fen % 100:02d}")
    except RuleBroken as refusal:
        notes.append(f"{label}“{plain[:20]}”没有采用：{refusal.message}")
        return None


def _deadline(values: Mapping[str, str], today: date, notes: list[str]) -> date | None:
    found = _day(values.get("deadline", ""), "截止日期", notes)
    if found is not None and found < today:
        notes.append(f"截止日期 {found} 已经过去，没有采用")
        return None
    return found
