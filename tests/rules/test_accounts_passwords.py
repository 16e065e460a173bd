"""Passwords in both profiles, at the boundaries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.accounts.password_rules import PasswordProfile, check_password, password_expired
from marketplace.foundation.errors import RuleBroken

_NAMES = ["泉畔大学", "quanpan", "王敏"]


def _codes(password: str, profile: PasswordProfile = PasswordProfile.ASVS) -> set[str]:
    try:
        check_password(password, names=_NAMES, profile=profile)
    except RuleBroken as refusal:
        return {problem.code.removeprefix("password.") for problem in refusal.problems}
    return set()


@pytest.mark.parametrize(
    ("password", "codes"),
    [
        ("xk9 vorte 7q", set()),  # twelve characters
        ("xk9 vorte 7", {"short"}),
        ("seven lakes under the snow", set()),
        ("趵突泉边第三棵柳树下面", {"short"}),
        ("趵突泉边第三棵柳树下面见", set()),
        ("q" * 64, {"common"}),
        ("Zs8!" + "wolken über dem see und noch viel mehr text, " * 3, set()),  # far beyond 64
        ("password1234", {"common"}),
        ("qwertyuiop12", {"common"}),
        ("1qaz2wsx3edc", {"common"}),
        ("abcabcabcabc", {"common"}),
        ("202020202020", {"common"}),
        ("P@ssw0rd1234", {"common"}),
        ("jinankeji2024", {"context"}),
        ("泉畔大学王敏泉畔大学王敏", {"context"}),
        ("quanpan-quanpan", {"context"}),
        ("济南科技成果转化2024", {"context"}),
    ],
)
def test_a_password_is_judged_by_length_and_by_how_soon_it_is_guessed(
    password: str, codes: set[str]
) -> None:
    assert _codes(password) == codes


@pytest.mark.parametrize(
    ("password", "codes"),
    [
        ("seven lakes under", {"classes"}),
        ("Seven Lakes Under", {"classes"}),  # a space is no symbol
        ("Seven Lakes 4 All", set()),
        ("seven-lakes-4-all", set()),
    ],
)
def test_graded_protection_asks_for_three_classes(password: str, codes: set[str]) -> None:
    assert _codes(password, PasswordProfile.MLPS) == codes


@pytest.mark.parametrize(
    ("profile", "days", "expired"),
    [
        (PasswordProfile.ASVS, 4000, False),
        (PasswordProfile.MLPS, 90, False),
        (PasswordProfile.MLPS, 91, True),
    ],
)
def test_a_password_expires_in_the_graded_profile_only(
    profile: PasswordProfile, days: int, expired: bool
) -> None:
    now = datetime(2024, 6, 30, tzinfo=UTC)
    assert password_expired(now - timedelta(days=days), profile=profile, now=now) is expired
