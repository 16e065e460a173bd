"""Use cases of signing in: the password, the second step, the session that opens.

Sessions and lock-outs go by the machine's clock (``now`` here), also where a demo clock runs.
What was refused is returned and not raised: the failure that is counted must be kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from marketplace.accounts import passkey_service
from marketplace.accounts import second_factor_service as second_factors
from marketplace.accounts import sign_in_rules as rules
from marketplace.accounts.models import Membership, User
from marketplace.accounts.passkeys import KeyPurpose, RelyingParty
from marketplace.accounts.sign_in_models import (
    ExternalIdentity,
    KnownDevice,
    PendingSignIn,
    SignInFailure,
    UserSession,
)
from marketplace.accounts.sign_in_rules import Identity, SignInStep
from marketplace.accounts.tokens import Vault, digest, new_token, password_matches
from marketplace.foundation import audit
from marketplace.foundation.access import Actor
from marketplace.foundation.db import lock
from marketplace.foundation.errors import RuleBroken


@dataclass(frozen=True)
class Client:
    """From where somebody knocks: address, the browser's name for itself, a device's secret."""

    address: str
    device: str
    device_token: str = ""


@dataclass(frozen=True)
class KeyAnswer:
    """What a passkey said, and the site that it must have said it to."""

    sent: str
    party: RelyingParty


@dataclass(frozen=True)
class SignedIn:
    """A sign-in that worked: what the session's and the device's cookie are to hold."""

    token: str
    user_id: int
    device_token: str = ""


@dataclass(frozen=True)
class SecondStep:
    """A password that was right, where a second factor is to be shown next."""

    token: str


@dataclass(frozen=True)
class SignInRefused:
    """A sign-in that did not, and what to tell the person; kept, therefore no exception."""

    message: str
    wait_seconds: int = 0
    # The second step has run out: the sign-in begins anew.
    over: bool = False


def attempt(
    session: Session, *, now: datetime, email: str, password: str, client: Client
) -> SignedIn | SecondStep | SignInRefused:
    """Try to sign in; a failure is counted by account and address, or by known device."""
    known_as = email.strip().lower()[:200]
    user = session.scalar(select(User).where(User.email == known_as))
    device_hash = _known_device(session, user, client, now=now)
    waiting = _waiting(session, known_as, client.address, device_hash, now=now)
    if waiting:
        return waiting
    fits = password_matches(user.password_hash if user else None, password)
    if user is None or not fits or user.disabled:
        _count_failure(
            session, user, known_as, client.address, device_hash, SignInStep.PASSWORD, now=now
        )
        return SignInRefused("邮箱或密码不对，请检查大小写和输入法后再试")
    _forgive(session, known_as, client.address, device_hash, SignInStep.PASSWORD, now=now)
    return _first_step_done(session, user, client, device_hash, now=now)


def attempt_by_identity(
    session: Session, *, now: datetime, identity: Identity, client: Client
) -> SignedIn | SecondStep | SignInRefused:
    """Sign in whom a provider vouches for; the provider's word stands for the password only."""
    user = session.scalar(
        select(User)
        .join(ExternalIdentity, ExternalIdentity.user_id == User.id)
        .where(
            ExternalIdentity.issuer == identity.issuer,
            ExternalIdentity.subject == identity.subject,
        )
    )
    if user is None or user.disabled:
        return SignInRefused(
            "这个统一身份还没有绑定平台账号：请先用密码登录，再在“单位与个人资料”里绑定"
        )
    device_hash = _known_device(session, user, client, now=now)
    return _first_step_done(session, user, client, device_hash, now=now)


def _first_step_done(
    session: Session, user: User, client: Client, device_hash: str, *, now: datetime
) -> SignedIn | SecondStep:
    if second_factors.is_enrolled(session, user.id):
        token = new_token()
        session.execute(
            delete(PendingSignIn).where(PendingSignIn.begun_at < now - rules.SECOND_STEP_LIMIT)
        )
        session.add(PendingSignIn(token_hash=digest(token), user_id=user.id, begun_at=now))
        return SecondStep(token)
    return _complete(session, user, client, device_hash, now=now, second_factor=False)


def second_step(
    session: Session,
    *,
    now: datetime,
    token: str,
    code: str,
    client: Client,
    vault: Vault,
    key: KeyAnswer | None = None,
) -> SignedIn | SignInRefused:
    """Finish a sign-in by a one-time code or a recovery code, or by a passkey's answer.

    Wrong codes count for the account from all unknown devices together: who comes here knows the
    password, and must not go on guessing from other addresses.
    """
    pending = session.scalar(
        select(PendingSignIn).where(PendingSignIn.token_hash == digest(token)).with_for_update()
    )
    if pending is None or now - pending.begun_at > rules.SECOND_STEP_LIMIT:
        return SignInRefused("这次登录已超过 5 分钟，请重新输入密码", over=True)
    user = lock(session, User, pending.user_id)
    device_hash = _known_device(session, user, client, now=now)
    waiting = _waiting_for_code(session, user.email, device_hash, now=now)
    if waiting:
        return waiting
    if user.disabled or not _second_factor_fits(
        session, user.id, code, key, KeyPurpose.SIGN_IN, vault=vault, now=now
    ):
        _count_failure(
            session, user, user.email, client.address, device_hash, SignInStep.CODE, now=now
        )
        if key is not None:
            return SignInRefused("通行密钥没有通过，请再试一次，或者改用动态口令")
        return SignInRefused(
            "口令不对或已经用过；请等 App 显示下一个 6 位口令再输入，也可以用一个恢复码"
        )
    session.delete(pending)
    _forgive(session, user.email, client.address, device_hash, SignInStep.CODE, now=now)
    return _complete(session, user, client, device_hash, now=now, second_factor=True)


def prove_again(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    session_id: int,
    password: str,
    code: str,
    client: Client,
    vault: Vault,
    key: KeyAnswer | None = None,
) -> SignInRefused | None:
    """Let a signed-in person show the password, and code or passkey where there is one.

    Return None when the session counts as fresh again, else what to tell the person.
    """
    row = session.get(UserSession, session_id)
    user = session.get(User, actor.user_id or 0)
    if row is None or user is None or row.user_id != user.id:
        return SignInRefused("登录已结束，请重新登录", over=True)
    device_hash = _known_device(session, user, client, now=now)
    waiting = _waiting(session, user.email, client.address, device_hash, now=now)
    waiting = waiting or _waiting_for_code(session, user.email, device_hash, now=now)
    if waiting:
        return waiting
    if not password_matches(user.password_hash, password):
        _count_failure(
            session, user, user.email, client.address, device_hash, SignInStep.PASSWORD, now=now
        )
        return SignInRefused("密码不对，请重新输入")
    if second_factors.is_enrolled(session, user.id) and not _second_factor_fits(
        session, user.id, code, key, KeyPurpose.PROVE, vault=vault, now=now
    ):
        _count_failure(
            session, user, user.email, client.address, device_hash, SignInStep.CODE, now=now
        )
        if key is not None:
            return SignInRefused("通行密钥没有通过，请再试一次，或者改用动态口令")
        return SignInRefused("口令不对或已经用过；请等 App 显示下一个 6 位口令再输入")
    row.proved_at = now
    audit.record(
        session, actor=actor, action="accounts.prove_again", subject=f"user:{user.id}", now=now
    )
    return None


def _second_factor_fits(
    session: Session,
    user_id: int,
    code: str,
    key: KeyAnswer | None,
    purpose: KeyPurpose,
    *,
    vault: Vault,
    now: datetime,
) -> bool:
    if key is None:
        return second_factors.use_code(session, user_id=user_id, code=code, vault=vault, now=now)
    return passkey_service.use(
        session, user_id=user_id, sent=key.sent, purpose=purpose, party=key.party, now=now
    )


def check_waiting(session: Session, *, actor: Actor, now: datetime, client: Client) -> None:
    """Refuse a further guess at the actor's own password while failures are to be waited for."""
    user = session.get_one(User, actor.user_id)
    device_hash = _known_device(session, user, client, now=now)
    waiting = _waiting(session, user.email, client.address, device_hash, now=now)
    if waiting:
        raise RuleBroken("accounts.waiting", waiting.message, "present")


def count_wrong_password(session: Session, *, actor: Actor, now: datetime, client: Client) -> None:
    """Count a wrong password that was typed within a session, as one typed at its door."""
    user = session.get_one(User, actor.user_id)
    device_hash = _known_device(session, user, client, now=now)
    _count_failure(
        session, user, user.email, client.address, device_hash, SignInStep.PASSWORD, now=now
    )


def open_session(
    session: Session,
    *,
    now: datetime,
    user_id: int,
    address: str,
    device: str,
    second_factor: bool = False,
) -> str:
    """Open a session for a person, acting for the first of their organisations."""
    organisation_id = session.scalar(
        select(Membership.organisation_id)
        .where(Membership.user_id == user_id)
        .order_by(Membership.id)
        .limit(1)
    )
    token = new_token()
    session.add(
        UserSession(
            token_hash=digest(token),
            user_id=user_id,
            organisation_id=organisation_id,
            opened_at=now,
            seen_at=now,
            proved_at=now,
            second_factor=second_factor,
            address=address[:100],
            device=device[:200],
        )
    )
    audit.record(
        session,
        actor=Actor(user_id, organisation_id, name=""),
        action="accounts.sign_in",
        subject=f"user:{user_id}",
        now=now,
        after={"address": address, "second_factor": second_factor},
    )
    return token


def enter(session: Session, *, now: datetime, user_id: int, client: Client) -> SignedIn:
    """Open the first session of somebody who has just registered or joined."""
    user = lock(session, User, user_id)
    device_hash = _known_device(session, user, client, now=now)
    return _complete(session, user, client, device_hash, now=now, second_factor=False)


def _complete(
    session: Session,
    user: User,
    client: Client,
    device_hash: str,
    *,
    now: datetime,
    second_factor: bool,
) -> SignedIn:
    token = open_session(
        session,
        now=now,
        user_id=user.id,
        address=client.address,
        device=client.device,
        second_factor=second_factor,
    )
    session.execute(
        delete(KnownDevice).where(
            KnownDevice.user_id == user.id, KnownDevice.seen_at < now - rules.DEVICE_LIFE
        )
    )
    device_token = client.device_token
    if device_hash:
        known = select(KnownDevice).where(
            KnownDevice.user_id == user.id, KnownDevice.token_hash == device_hash
        )
        for row in session.scalars(known):
            row.seen_at = now
    else:
        # A secret that this browser brought along for another person serves this one as well.
        device_token = device_token or new_token()
        session.add(KnownDevice(user_id=user.id, token_hash=digest(device_token), seen_at=now))
    return SignedIn(token, user.id, device_token)


def _known_device(session: Session, user: User | None, client: Client, *, now: datetime) -> str:
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


def _count_failure(
    session: Session,
    user: User | None,
    email: str,
    address: str,
    device_hash: str,
    step: SignInStep,
    *,
    now: datetime,
) -> None:
    session.add(
        SignInFailure(
            email=email, address=address, device_hash=device_hash, step=step, failed_at=now
        )
    )
    audit.record(
        session,
        actor=Actor(user.id if user else None, None, name=""),
        action="accounts.sign_in_failed",
        subject=f"user:{user.id if user else 0}",
        now=now,
        after={"address": address, "step": step},
    )


def _forgive(
    session: Session,
    email: str,
    address: str,
    device_hash: str,
    step: SignInStep,
    *,
    now: datetime,
) -> None:
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


def _waiting_for_code(
    session: Session, email: str, device_hash: str, *, now: datetime
) -> SignInRefused | None:
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
