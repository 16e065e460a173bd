"""One cell of a file into a value; what cannot be read is noted and left out, never guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date

from marketplace.achievements import completeness_rules
from marketplace.achievements.rules import IPKind, LegalStatus
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import Fen, parse_yuan
from marketplace.foundation.trade import TechnologyField, TradingMode

SEPARATORS = re.compile(r"[、，,；;\s]+")
_FIRST_YEAR = 1985  # 专利法 came into force in 1985: an earlier year is a slip or foreign


def split(text: str, separators: re.Pattern[str]) -> tuple[str, ...]:
    """Split a cell that names several things; each once, in order."""
    return tuple(dict.fromkeys(part.strip() for part in separators.split(text) if part.strip()))


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


def read_kind(text: str, notes: list[str]) -> IPKind | None:
    """Read a kind of IP right."""
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


def read_status(text: str, notes: list[str]) -> LegalStatus:
    """Read a legal status; unknown where it says nothing."""
    plain = text.strip()
    if not plain:
        return LegalStatus.UNKNOWN
    found = _STATUSES.get(plain)
    if found is None:
        notes.append(f"不认识的法律状态“{plain[:20]}”，请核实")
    return found or LegalStatus.UNKNOWN


def read_day(text: str, label: str, notes: list[str]) -> date | None:
    """Read a calendar day in the ways people write it."""
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


def read_year(text: str, today: date, notes: list[str]) -> int | None:
    """Read a year of filing."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if not plain:
        return None
    if plain.isdigit() and _FIRST_YEAR <= int(plain) <= today.year:
        return int(plain)
    notes.append(f"申请年“{plain[:20]}”不合理，没有采用")
    return None


def read_ipc(values: Mapping[str, str], notes: list[str]) -> tuple[str, ...]:
    """Read the IPC symbols, the main one first."""
    text = f"{values.get('ipc_main', '')};{values.get('ipc', '')}"
    joined = re.sub(r"(?<=[A-Ha-h]\d\d[A-Za-z])\s+(?=\d)", "", text)
    codes = [completeness_rules.normal_ipc(code) for code in split(joined, SEPARATORS)]
    right = tuple(dict.fromkeys(code for code in codes if completeness_rules.is_ipc(code)))
    wrong = [code for code in codes if not completeness_rules.is_ipc(code)]
    if wrong:
        notes.append(f"不是 IPC 分类号，没有采用：{'、'.join(wrong[:3])}")
    return right


def read_field(values: Mapping[str, str], notes: list[str]) -> TechnologyField | None:
    """Read a technology field by its name."""
    text = values.get("field", "").strip()
    if not text:
        return None
    found = TechnologyField.labelled(text)
    if found is None:
        notes.append(f"不认识的技术领域“{text[:20]}”")
    return found


def read_industry(values: Mapping[str, str], notes: list[str]) -> str:
    """Read an industry code of GB/T 4754."""
    text = unicodedata.normalize("NFKC", values.get("industry_code", "")).strip().upper()
    if not text:
        return ""
    if re.fullmatch(r"[A-T]\d{2,4}", text):
        return text
    notes.append(f"行业代码“{text[:20]}”不合 GB/T 4754，没有采用")
    return ""


def read_region(values: Mapping[str, str], notes: list[str]) -> str:
    """Read a region code of GB/T 2260."""
    text = unicodedata.normalize("NFKC", values.get("region_code", "")).strip()
    if not text:
        return ""
    if re.fullmatch(r"\d{6}", text):
        return text
    notes.append(f"地区代码“{text[:20]}”不是 6 位数字，没有采用")
    return ""


def read_trl(values: Mapping[str, str], notes: list[str]) -> int | None:
    """Read a maturity level."""
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


def read_modes(values: Mapping[str, str], notes: list[str]) -> tuple[TradingMode, ...]:
    """Read the ways of trading."""
    names = split(values.get("modes", ""), re.compile(r"[、，,；;\s/]+"))
    unknown = [name for name in names if name not in _MODES]
    if unknown:
        notes.append(f"不认识的方式，没有采用：{'、'.join(unknown[:3])}")
    return tuple(dict.fromkeys(_MODES[name] for name in names if name in _MODES))


_FACTORS = {"元": 1, "万元": 10_000, "亿元": 100_000_000}
_AMOUNT = re.compile(r"([\d,]+(?:\.\d+)?)\s*(亿元|万元|元|万)?")


def read_money(text: str, unit: str, label: str, notes: list[str]) -> Fen | None:
    """Read an amount, in the unit of its cell or else of its column."""
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


def read_deadline(values: Mapping[str, str], today: date, notes: list[str]) -> date | None:
    """Read a deadline that has not passed."""
    found = read_day(values.get("deadline", ""), "截止日期", notes)
    if found is not None and found < today:
        notes.append(f"截止日期 {found} 已经过去，没有采用")
        return None
    return found
