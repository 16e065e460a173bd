"""Use cases of signing in: the password, the second step, the session that opens.

Sessions and lock-outs go by the machine's clock (``now`` here), also where a demo clock runs.
What was refused is returned and not raised: the failure that is counted must be kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.accounts import passkey_service, tries
from marketplace.accounts import second_factor_service as second_factors
from marketplace.accounts import sign_in_rules as rules
from marketplace.accounts.models import Membership, User
from marketplace.accounts.passkeys import KeyPurpose, RelyingParty
from marketplace.accounts.sign_in_models import (
    ExternalIdentity,
    KnownDevice,
    PendingSignIn,
    UserSession,
)
from marketplace.accounts.sign_in_rules import Identity, SignInStep
from marketplace.accounts.tokens import Vault, digest, new_token, password_matches
from marketplace.accounts.tries import Client, Knock, SignInRefused
from marketplace.foundation import audit
from marketplace.foundation.access import Actor
from marketplace.foundation.db import lock


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


def attempt(
    session: Session, *, now: datetime, knock: Knock, password: str, client: Client
) -> SignedIn | SecondStep | SignInRefused:
    """Try to sign in with a password; the try was counted before (``tries.knock``)."""
    user = session.scalar(select(User).where(User.email == knock.email))
    fits = password_matches(user.password_hash if user else None, password)
    if user is None or not fits or user.disabled:
        tries.note_failure(
            session, user.id if user else 0, client.address, SignInStep.PASSWORD, now=now
        )
        return SignInRefused("邮箱或密码不对，请检查大小写和输入法后再试")
    tries.forgive(
        session, knock.email, client.address, knock.device_hash, SignInStep.PASSWORD, now=now
    )
    return _first_step_done(session, user, client, knock.device_hash, now=now)


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
    device_hash = tries.known_device(session, user, client, now=now)
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
    device_hash = tries.known_device(session, user, client, now=now)
    waiting = tries.waiting_for_code(session, user.email, device_hash, now=now)
    if waiting:
        return waiting
    if user.disabled or not _second_factor_fits(
        session, user.id, code, key, KeyPurpose.SIGN_IN, vault=vault, now=now
    ):
        tries.count_code(session, user, client.address, device_hash, now=now)
        if key is not None:
            return SignInRefused("通行密钥没有通过，请再试一次，或者改用动态口令")
        return SignInRefused(
            "口令不对或已经用过；请等 App 显示下一个 6 位口令再输入，也可以用一个恢复码"
        )
    session.delete(pending)
    tries.forgive(session, user.email, client.address, device_hash, SignInStep.CODE, now=now)
    return _complete(session, user, client, device_hash, now=now, second_factor=True)


def prove_again(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    session_id: int,
    knock: Knock,
    password: str,
    code: str,
    client: Client,
    vault: Vault,
    key: KeyAnswer | None = None,
) -> SignInRefused | None:
    """Let a signed-in person show the password, and code or passkey where there is one.

    The try of the password was counted before (``tries.knock``).

    Return None when the session counts as fresh again, else what to tell the person.
    """
    row = session.get(UserSession, session_id)
    # Codes are tried one after the other, so that each is counted before the next.
    user = lock(session, User, actor.user_id or 0)
    if row is None or row.user_id != user.id:
        return SignInRefused("登录已结束，请重新登录", over=True)
    if not password_matches(user.password_hash, password):
        tries.note_failure(session, user.id, client.address, SignInStep.PASSWORD, now=now)
        return SignInRefused("密码不对，请重新输入")
    tries.take_back(session, knock)
    device_hash = knock.device_hash
    waiting = tries.waiting_for_code(session, user.email, device_hash, now=now)
    if waiting:
        return waiting
    if second_factors.is_enrolled(session, user.id) and not _second_factor_fits(
        session, user.id, code, key, KeyPurpose.PROVE, vault=vault, now=now
    ):
        tries.count_code(session, user, client.address, device_hash, now=now)
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
    device_hash = tries.known_device(session, user, client, now=now)
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
