"""Tries of a password or a code: how many failed, from where, and when the next may be made.

A password's try is counted before the password is looked at, in a transaction of its own, and
taken back when it was right: however many come at one moment, no more are made than the rule lets.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from marketplace.accounts import sign_in_rules as rules
from marketplace.accounts.models import User
from marketplace.accounts.sign_in_models import KnownDevice, SignInFailure
from marketplace.accounts.sign_in_rules import SignInStep
from marketplace.accounts.tokens import digest
from marketplace.foundation import audit
from marketplace.foundation.access import Actor
from marketplace.foundation.db import hold


@dataclass(frozen=True)
class Client:
    """From where somebody knocks: address, the browser's name for itself, a device's secret."""

    address: str
    device: str
    device_token: str = ""


@dataclass(frozen=True)
class SignInRefused:
    """A sign-in that did not, and what to tell the person; kept, therefore no exception."""

    message: str
    wait_seconds: int = 0
    # The second step has run out: the sign-in begins anew.
    over: bool = False


@dataclass(frozen=True)
class Knock:
    """A try of a password that stands as failed until it is known to be right."""

    id: int
    email: str
    device_hash: str


def knock(session: Session, *, now: datetime, email: str, client: Client) -> Knock | SignInRefused:
    """Count a try before it is made, by account and address or by known device; commit it then.

    Return what to tell instead while earlier failures are to be waited for.
    """
    known_as = email.strip().lower()[:200]
    user = session.scalar(select(User).where(User.email == known_as))
    device_hash = known_device(session, user, client, now=now)
    hold(session, f"sign-in {device_hash or client.address}")
    waiting = _waiting(session, known_as, client.address, device_hash, now=now)
    if waiting:
        return waiting
    row = SignInFailure(
        email=known_as,
        address=client.address,
        device_hash=device_hash,
        step=SignInStep.PASSWORD,
        failed_at=now,
    )
    session.add(row)
    session.flush()
    return Knock(row.id, known_as, device_hash)


def knock_again(
    session: Session, *, actor: Actor, now: datetime, client: Client
) -> Knock | SignInRefused:
    """Count a try of the actor's own password within a session, as one made at its door."""
    user = session.get_one(User, actor.user_id)
    return knock(session, now=now, email=user.email, client=client)


def take_back(session: Session, made: Knock) -> None:
    """Forget a try that was right, or that was not made."""
    session.execute(delete(SignInFailure).where(SignInFailure.id == made.id))


def known_device(session: Session, user: User | None, client: Client, *, now: datetime) -> str:
    """Return the stored hash of a device in which this person signed in before, else nothing."""
    if user is None or not client.device_token:
        return ""
    hashed = digest(client.device_token)
    known = session.scalar(
        select(KnownDevice.id).where(
            KnownDevice.user_id == user.id,
            KnownDevice.token_hash == hashed,
            KnownDevice.seen_at >= now - rules.DEVICE_LIFE,
        )
    )
    return hashed if known is not None else ""


def count_code(
    session: Session, user: User, address: str, device_hash: str, *, now: datetime
) -> None:
    """Count a wrong code; the person's row is locked."""
    session.add(
        SignInFailure(
            email=user.email,
            address=address,
            device_hash=device_hash,
            step=SignInStep.CODE,
            failed_at=now,
        )
    )
    note_failure(session, user.id, address, SignInStep.CODE, now=now)


def note_failure(
    session: Session, user_id: int, address: str, step: SignInStep, *, now: datetime
) -> None:
    """Leave the audit row of a failure that is counted."""
    audit.record(
        session,
        actor=Actor(user_id or None, None, name=""),
        action="accounts.sign_in_failed",
        subject=f"user:{user_id}",
        now=now,
        after={"address": address, "step": step},
    )


def forgive(
    session: Session,
    email: str,
    address: str,
    device_hash: str,
    step: SignInStep,
    *,
    now: datetime,
) -> None:
    """Forget the failures of a step that was done, and all that are old."""
    own = delete(SignInFailure).where(SignInFailure.email == email, SignInFailure.step == step)
    if device_hash:
        own = own.where(SignInFailure.device_hash == device_hash)
    else:
        own = own.where(SignInFailure.device_hash == "", SignInFailure.address == address)
    session.execute(own)
    session.execute(
        delete(SignInFailure).where(SignInFailure.failed_at < now - rules.FAILURE_WINDOW)
    )


def _waiting(
    session: Session, email: str, address: str, device_hash: str, *, now: datetime
) -> SignInRefused | None:
    count = select(func.count(), func.max(SignInFailure.failed_at)).where(
        SignInFailure.failed_at > now - rules.FAILURE_WINDOW,
        SignInFailure.device_hash == device_hash,
    )
    passwords = count.where(SignInFailure.step == SignInStep.PASSWORD, SignInFailure.email == email)
    if device_hash:
        pair, pair_at = session.execute(passwords).one()
        return _refusal(rules.Failures(pair, pair_at), now=now)
    pair, pair_at = session.execute(passwords.where(SignInFailure.address == address)).one()
    total, total_at = session.execute(count.where(SignInFailure.address == address)).one()
    return _refusal(rules.Failures(pair, pair_at, total, total_at), now=now)


def waiting_for_code(
    session: Session, email: str, device_hash: str, *, now: datetime
) -> SignInRefused | None:
    """Return what to tell while wrong codes are to be waited for, None when one may be tried."""
    count, last_at = session.execute(
        select(func.count(), func.max(SignInFailure.failed_at)).where(
            SignInFailure.failed_at > now - rules.FAILURE_WINDOW,
            SignInFailure.device_hash == device_hash,
            SignInFailure.step == SignInStep.CODE,
            SignInFailure.email == email,
        )
    ).one()
    return _refusal(rules.Failures(count, last_at), now=now)


def _refusal(failures: rules.Failures, *, now: datetime) -> SignInRefused | None:
    wait: timedelta = rules.wait_before_sign_in(failures, now=now)
    if not wait:
        return None
    minutes = int(wait.total_seconds() // 60) + 1
    return SignInRefused(
        f"尝试次数过多，请 {minutes} 分钟后再试；忘记密码可以用登录页上的“忘记密码”",
        int(wait.total_seconds()) + 1,
    )
