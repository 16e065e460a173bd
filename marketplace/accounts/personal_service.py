"""Use cases of personal data: shown in full with a trace, copied, let go with the account."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from marketplace.accounts.access_token_models import AccessToken
from marketplace.accounts.consent_rules import ConsentPurpose
from marketplace.accounts.events import ConsentWithdrawn
from marketplace.accounts.models import Membership, Organisation, User
from marketplace.accounts.passkey_models import Passkey
from marketplace.accounts.personal_models import Consent
from marketplace.accounts.queries import organisations_of
from marketplace.accounts.sign_in_models import (
    ExternalIdentity,
    KnownDevice,
    MailedLink,
    PendingSignIn,
    RecoveryCode,
    SecondFactor,
    SignInFailure,
    UserSession,
)
from marketplace.accounts.tokens import hash_password
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.audit_actions import action_label
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.db import lock
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.handover import Handovers
from marketplace.foundation.personal import PersonalParts
from marketplace.foundation.processing import term_of

_OF_A_PERSON = (
    UserSession,
    KnownDevice,
    PendingSignIn,
    Passkey,
    RecoveryCode,
    SecondFactor,
    ExternalIdentity,
    MailedLink,
)


def own_data(session: Session, *, user_id: int) -> dict[str, Any]:
    """Return what accounts holds on a person."""
    user = session.get_one(User, user_id)
    consents = session.scalars(
        select(Consent).where(Consent.user_id == user_id).order_by(Consent.id)
    )
    sessions = session.scalars(select(UserSession).where(UserSession.user_id == user_id))
    tokens = session.scalars(
        select(AccessToken).where(AccessToken.user_id == user_id).order_by(AccessToken.id)
    )
    return {
        "账号": {
            "姓名": user.name,
            "职务": user.title,
            "登录邮箱": user.email,
            "手机": user.phone,
            "建立": _moment(user.created_at),
        },
        "单位": [view.name for view in organisations_of(session, user_id)],
        "同意": [
            {
                "用途": row.purpose.label,
                "版本": row.version,
                "给予": _moment(row.given_at),
                "撤回": _moment(row.withdrawn_at),
            }
            for row in consents
        ],
        "登录": [
            {"地址": row.address, "设备": row.device, "时间": _moment(row.opened_at)}
            for row in sessions
        ],
        "接口令牌": [
            {
                "名称": row.name,
                "建立": _moment(row.created_at),
                "最近使用": _moment(row.used_at),
                "撤销": _moment(row.revoked_at),
            }
            for row in tokens
        ],
        "操作留痕": [
            {
                "时间": _moment(row.happened_at),
                "事项": action_label(row.action),
                "对象": row.subject,
            }
            for row in session.scalars(
                select(audit.AuditRow)
                .where(audit.AuditRow.user_id == user_id)
                .order_by(audit.AuditRow.happened_at.desc(), audit.AuditRow.sequence.desc())
                .limit(1000)
            )
        ],
    }


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(LOCAL).isoformat(timespec="seconds")


def close_account(
    session: Session, *, actor: Actor, now: datetime, works: Handovers, parts: PersonalParts
) -> None:
    """Close the actor's own account: name, address and telephone are gone, nobody signs in again.

    Refuse while somebody counts on the person: open work, or an organisation without another
    administrator. What the law keeps (audit, deals, contracts, claims) stays under a number.
    """
    user = lock(session, User, actor.user_id or 0)
    for organisation in organisations_of(session, user.id):
        lock(session, Organisation, organisation.id)
        _check_leaving(session, user, organisation.id, organisation.name, works)
    parts.let_go(session, actor=actor, now=now)


def let_go(session: Session, *, actor: Actor, now: datetime) -> None:
    """End consents, sessions, tokens and memberships of the actor; put a number for the name."""
    user = lock(session, User, actor.user_id or 0)
    for consent in session.scalars(
        select(Consent).where(Consent.user_id == user.id, Consent.withdrawn_at.is_(None))
    ):
        consent.withdrawn_at = now
        if consent.purpose is not ConsentPurpose.PLATFORM:
            outbox.publish(
                session,
                ConsentWithdrawn(
                    user_id=user.id,
                    purpose=consent.purpose.value,
                    recipient=consent.recipient,
                    withdrawn_at=now,
                ),
                now=now,
            )
    session.execute(delete(SignInFailure).where(SignInFailure.email == user.email))
    for model in _OF_A_PERSON:
        session.execute(delete(model).where(model.user_id == user.id))
    session.execute(
        update(AccessToken)
        .where(AccessToken.user_id == user.id, AccessToken.revoked_at.is_(None))
        .values(revoked_at=now, revoked_by_id=user.id)
    )
    session.execute(delete(Membership).where(Membership.user_id == user.id))
    user.name, user.title, user.phone = f"已注销用户 {user.id}", "", ""
    user.email = f"closed-{user.id}@invalid"
    user.password_hash = hash_password(secrets.token_urlsafe(32))
    user.disabled, user.disabled_reason, user.erased_at = True, "本人注销", now
    audit.record(
        session,
        actor=Actor(user.id, actor.organisation_id, name=user.name),
        action="accounts.erase",
        subject=f"user:{user.id}",
        now=now,
    )


def _check_leaving(
    session: Session, user: User, organisation_id: int, name: str, works: Handovers
) -> None:
    open_work = works.open_work(session, organisation_id=organisation_id, user_id=user.id)
    if open_work:
        listed = "、".join(f"{words} {count} 项" for words, count in open_work.items())
        raise RuleBroken(
            "accounts.open_work", f"您在{name}还有没办完的：{listed}；请机构管理员先移交给同事"
        )
    admins = select(Membership.user_id).where(
        Membership.organisation_id == organisation_id, Membership.role == Role.ORG_ADMIN
    )
    held = set(
        session.scalars(
            admins.join(User, User.id == Membership.user_id).where(User.disabled.is_(False))
        )
    )
    if held == {user.id}:
        raise RuleBroken(
            "accounts.last_admin",
            f"您是{name}唯一的机构管理员；请先指定另一位，或者请交易中心停办这家机构",
        )


def remove_expired(session: Session, now: datetime) -> int:
    """Remove the traces of signing in whose term has ended; return how many rows went."""
    before = now - term_of("sign_in")
    gone = 0
    for model, moment in (
        (UserSession, UserSession.seen_at),
        (KnownDevice, KnownDevice.seen_at),
        (MailedLink, MailedLink.created_at),
        (SignInFailure, SignInFailure.failed_at),
    ):
        expired = list(session.scalars(select(model.id).where(moment < before).limit(1000)))
        if expired:
            session.execute(delete(model).where(model.id.in_(expired)))
            gone += len(expired)
    return gone
