"""IP rights: numbers with their check digit, terms of protection, what is certainly lapsed."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from marketplace.achievements.rules import PATENTS, IPKind, IPRight, LegalStatus

# 专利法 article 42: 20 years for inventions, 10 for utility models, 15 for designs filed since
# 2021-06-01 (10 before), counted from the day of filing.
_TERM_YEARS = {IPKind.INVENTION: 20, IPKind.UTILITY_MODEL: 10, IPKind.DESIGN: 15}
_DESIGN_FIFTEEN_SINCE = date(2021, 6, 1)

_CHINESE_NUMBER = re.compile(r"(?:CN|ZL)?(\d{8}|\d{12})\.?([\dX])")
_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9)


def number_key(number: str) -> str:
    """Reduce a right's number to what makes it the same right: no prefix, dots, spaces, width."""
    plain = re.sub(r"[\s.．。·\-]", "", unicodedata.normalize("NFKC", number)).upper()
    return re.sub(r"^(CN|ZL)(?=\d)", "", plain)


def expected_check_digit(digits: str) -> str:
    """Compute the check digit of an application number (ZC 0006-2003): weights 2–9, modulo 11."""
    total = sum(int(digit) * _WEIGHTS[i % 8] for i, digit in enumerate(digits))
    rest = total % 11
    return "X" if rest == 10 else str(rest)


def number_problem(right: IPRight) -> str | None:
    """Say what is wrong with a patent's number, or return None.

    Numbers that do not look Chinese are left alone: a foreign or an old one has no check digit.
    """
    if right.kind not in PATENTS or not right.number:
        return None
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", right.number)).upper()
    match = _CHINESE_NUMBER.fullmatch(plain)
    if match is None:
        return None
    digits, given = match.groups()
    expected = expected_check_digit(digits)
    if given != expected:
        return f"号码“{right.number}”的校验位应为 {expected}，请对照受理通知书或证书再输一次"
    return None


def protection_ends(kind: IPKind | None, filed_on: date) -> date | None:
    """Return the last day of protection of a patent filed on a day; None for other rights."""
    if kind not in _TERM_YEARS:
        return None
    years = _TERM_YEARS[kind]
    if kind is IPKind.DESIGN and filed_on < _DESIGN_FIFTEEN_SINCE:
        years = 10
    try:
        return filed_on.replace(year=filed_on.year + years)
    except ValueError:  # filed on a 29 February
        return filed_on.replace(year=filed_on.year + years, day=28)


def last_day(right: IPRight) -> date | None:
    """Return until when a right can last at most: as stated, else by its term, else None.

    Where only the year of filing is known its last day counts, in favour of the owner.
    """
    if right.expires_on is not None:
        return right.expires_on
    if right.filed_on is not None:
        return protection_ends(right.kind, right.filed_on)
    if right.filed_year is not None:
        return protection_ends(right.kind, date(right.filed_year, 12, 31))
    return None


def remaining_tenths(right: IPRight, today: date) -> int | None:
    """Return the remaining term in tenths of a year, rounded down; None when unknown, 0 if over."""
    ends = last_day(right)
    if ends is None:
        return None
    return max(0, (ends - today).days * 10 // 365)


def is_over(right: IPRight, today: date) -> bool:
    """Tell whether a right is certainly no longer in force."""
    if right.legal_status is LegalStatus.LAPSED:
        return True
    ends = last_day(right)
    return ends is not None and ends < today
