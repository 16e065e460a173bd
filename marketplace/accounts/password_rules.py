"""What a password must be, in the two profiles an operator can be bound by; pure.

``asvs``: OWASP ASVS 5.0 6.2, length instead of classes, no term. ``mlps``: the same, and what
graded protection asks for on top (GB/T 22239-2019 8.1.4.1 a: complexity, regular change).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from importlib import import_module

from marketplace.foundation.errors import Problem, raise_if_any
from marketplace.foundation.words import Word


class PasswordProfile(Word):
    """By which rules passwords are judged here."""

    ASVS = "asvs", "按长度（OWASP ASVS）"
    MLPS = "mlps", "按等级保护"


MINIMUM_PASSWORD = 12
LONGEST_PASSWORD = 256
MLPS_TERM = timedelta(days=90)
_MLPS_CLASSES = 3
# Below it a guesser with the lists of zxcvbn needs fewer than 10^8 tries.
_LEAST_SCORE = 3
# Longer text takes the estimator too long and is beyond guessing by its length alone.
_ESTIMATED = 72
# Words anybody would try first on this site (ASVS 6.2.11), beside the person's own names.
_CONTEXT_WORDS = (
    "济南", "jinan", "山东", "shandong", "交易中心", "科技成果", "成果转化", "技术成果", "jishu",
    "keji", "chengguo", "zhuanhua", "market",
)  # fmt: skip
_CLASSES = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^a-zA-Z0-9\s]")


def check_password(
    password: str, *, names: Iterable[str], profile: PasswordProfile = PasswordProfile.ASVS
) -> None:
    """Refuse a password that is short, easily guessed, or made of names known here (ASVS 6.2).

    ``names`` are the person's and the organisation's; the profile may ask for three classes of
    characters on top.
    """
    problems: list[Problem] = []

    def refuse(code: str, message: str) -> None:
        problems.append(Problem(f"password.{code}", message, "password"))

    if len(password) < MINIMUM_PASSWORD:
        refuse("short", f"密码至少 {MINIMUM_PASSWORD} 个字符，可以用一句自己记得住的话")
    known = [word.lower() for word in (*_CONTEXT_WORDS, *names) if len(word) > 1]
    stripped = password.lower()
    for word in known:
        stripped = stripped.replace(word, "")
    if len(stripped) < 8 <= len(password):
        refuse("context", "密码主要由平台名、单位名、姓名或邮箱组成，容易被猜到，请换一个")
    elif len(set(password.lower())) < 5 or _guessable(password, known):
        refuse("common", "这个密码太常见，容易被猜到，请换一个；可以把几个不相干的词连起来")
    if profile is PasswordProfile.MLPS and _classes(password) < _MLPS_CLASSES:
        refuse("classes", "密码要含大写字母、小写字母、数字、符号中的至少三类（等级保护要求）")
    raise_if_any(problems)


def password_expired(changed_at: datetime, *, profile: PasswordProfile, now: datetime) -> bool:
    """Tell whether a password must be renewed: after 90 days, in the ``mlps`` profile only."""
    return profile is PasswordProfile.MLPS and now - changed_at > MLPS_TERM


def _guessable(password: str, known: Iterable[str]) -> bool:
    part = password[:_ESTIMATED]
    if not part:
        return False
    # Its lists of words are loaded with the first new password: they slow every start.
    found = import_module("zxcvbn").zxcvbn(part, user_inputs=list(known))
    return int(found["score"]) < _LEAST_SCORE


def _classes(password: str) -> int:
    return sum(bool(re.search(pattern, password)) for pattern in _CLASSES)
