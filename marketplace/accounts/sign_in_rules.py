"""When a sign-in waits, how long a session counts, and who needs a second factor; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.accounts.password_rules import PasswordProfile
from marketplace.foundation.access import Role
from marketplace.foundation.words import Word


class SignInStep(Word):
    """At which step of signing in something was wrong."""

    PASSWORD = "password", "密码"
    CODE = "code", "动态口令"


class Duty(Word):
    """What a person must do before anything else."""

    ENROL = "enrol", "启用动态口令"
    RENEW_PASSWORD = "renew_password", "更换密码"


@dataclass(frozen=True)
class SignInPolicy:
    """What the operator of the site has decided about signing in."""

    second_factor_required: bool = True
    passwords: PasswordProfile = PasswordProfile.ASVS


@dataclass(frozen=True)
class Identity:
    """Who somebody is at an identity provider (OpenID Connect Core 5.7)."""

    issuer: str
    subject: str


# Who decides on others' rights and money, or sees what is confidential (ASVS 6.3.3).
SECOND_FACTOR_ROLES = frozenset(
    {
        Role.OPERATOR,
        Role.DISTRICT_REVIEWER,
        Role.CENTRE_REVIEWER,
        Role.BUREAU_REVIEWER,
        Role.EXPERT,
        Role.TREASURER,
        Role.REGISTRAR,
    }
)


def needs_second_factor(roles: frozenset[Role], policy: SignInPolicy) -> bool:
    """Tell whether these roles may only be held in a session with a second factor."""
    return policy.second_factor_required and bool(roles & SECOND_FACTOR_ROLES)


FAILURES_BEFORE_WAIT = 5
FAILURES_PER_ADDRESS = 40
FAILURE_WINDOW = timedelta(hours=1)
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(minutes=15)


@dataclass(frozen=True)
class Failures:
    """Failed attempts within the window, and when the last one was.

    ``pair`` counts those of this account from this address; where the person comes with a device
    that signed in to this account before, those of this account from this device, and ``address``
    is not looked at. ``address`` counts what came from the address for any account.
    """

    pair: int = 0
    pair_at: datetime | None = None
    address: int = 0
    address_at: datetime | None = None


def wait_before_sign_in(failures: Failures, *, now: datetime) -> timedelta:
    """Return how long to wait before the next attempt; zero when it may be made at once.

    The wait doubles with each further failure, from 1 to 15 minutes. Nothing is ever counted for
    an account alone, so that nobody locks another person out from afar (ASVS 6.3.1).
    """
    wait = timedelta()
    if failures.pair_at is not None and failures.pair >= FAILURES_BEFORE_WAIT:
        further = min(failures.pair - FAILURES_BEFORE_WAIT, 10)
        wait = failures.pair_at + min(FIRST_WAIT * 2**further, LONGEST_WAIT) - now
    if failures.address_at is not None and failures.address >= FAILURES_PER_ADDRESS:
        wait = max(wait, failures.address_at + LONGEST_WAIT - now)
    return max(timedelta(), wait)


IDLE_LIMIT = timedelta(minutes=30)
ABSOLUTE_LIMIT = timedelta(hours=12)
STAFF_LIMIT = timedelta(hours=8)
DEVICE_LIFE = timedelta(days=180)
SECOND_STEP_LIMIT = timedelta(minutes=5)
FRESH_LIMIT = timedelta(minutes=10)
_STAFF = SECOND_FACTOR_ROLES - {Role.EXPERT}


def session_alive(
    *, opened_at: datetime, seen_at: datetime, roles: frozenset[Role], now: datetime
) -> bool:
    """Tell whether a session still counts: idle 30 minutes, in all 12 hours, staff 8 (ASVS 7.3)."""
    limit = STAFF_LIMIT if roles & _STAFF else ABSOLUTE_LIMIT
    return now - seen_at <= IDLE_LIMIT and now - opened_at <= limit


def is_fresh(proved_at: datetime, *, now: datetime) -> bool:
    """Tell whether the person has proved within 10 minutes who they are (ASVS 7.5.1)."""
    return now - proved_at <= FRESH_LIMIT


CODE_SECONDS = 30
# One step to either side: telephones go wrong by some seconds, and typing takes time.
CODE_DRIFT = 1


def code_steps(now: datetime, *, last_step: int) -> list[int]:
    """List the time steps whose code counts now, none that was used or passed over (RFC 6238)."""
    present = int(now.timestamp()) // CODE_SECONDS
    return [
        step for step in range(present - CODE_DRIFT, present + CODE_DRIFT + 1) if step > last_step
    ]


# Each browser also names those it descends from, so the most particular comes first.
_BROWSERS = (
    ("MicroMessenger/", "微信"),
    ("DingTalk/", "钉钉"),
    ("QQBrowser/", "QQ 浏览器"),
    ("Edg/", "Edge"),
    ("Firefox/", "火狐"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("HarmonyOS", "鸿蒙"),
    ("Android", "安卓"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def device_name(user_agent: str) -> str:
    """Name a browser and its system in words that its owner recognises."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "其他浏览器")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "其他设备")
    return f"{browser}，{system}"
