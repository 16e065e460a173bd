"""Use cases of passkeys: made, used once for each challenge, renamed, removed.

A passkey stands beside one-time codes and does not replace them: with the codes and their recovery
codes a person still gets in when a key is lost. All by the machine's clock (``now`` here).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import User
from marketplace.accounts.passkey_models import Passkey, UsedChallenge
from marketplace.accounts.passkeys import CHALLENGE_LIFE, KeyPurpose, RelyingParty
from marketplace.accounts.second_factor_service import is_enrolled
from marketplace.accounts.tokens import digest
from marketplace.foundation import audit
from marketplace.foundation.access import Actor
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken

MOST = 10


def add(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    name: str,
    sent: str,
    party: RelyingParty,
) -> int:
    """Keep a key that the actor's browser has just made; return its id."""
    user = lock(session, User, actor.user_id or 0)
    if not is_enrolled(session, user.id):
        raise Conflict(
            "accounts.codes_first",
            "请先启用动态口令并保存恢复码：通行密钥丢失时要靠它们登录",
        )
    count = session.scalar(
        select(func.count()).select_from(Passkey).where(Passkey.user_id == user.id)
    )
    if (count or 0) >= MOST:
        raise Conflict("accounts.many_keys", f"最多保存 {MOST} 个通行密钥，请先删除不用的")
    made = party.read_new_key(sent, user_id=user.id, now=now)
    if made is None or not _answered_first(session, made.challenge, now=now):
        raise RuleBroken(
            "accounts.passkey", "没有收到有效的通行密钥，页面可能停留过久；请刷新后再试一次"
        )
    if session.scalar(select(Passkey.id).where(Passkey.credential_id == made.credential_id)):
        raise Conflict("accounts.key_known", "这个通行密钥已经登记过，不需要再登记")
    row = Passkey(
        user_id=user.id,
        credential_id=made.credential_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        name=name.strip(),
        created_at=now,
        last_used_at=None,
    )
    session.add(row)
    session.flush()
    _note(session, actor, "accounts.add_passkey", row, now=now)
    return row.id


def rename(session: Session, *, actor: Actor, now: datetime, passkey_id: int, name: str) -> None:
    """Call one of the actor's own keys by another name."""
    row = lock(session, Passkey, passkey_id)
    if row.user_id != actor.user_id:
        raise NotFound()
    before, row.name = row.name, name.strip()
    audit.record(
        session,
        actor=actor,
        action="accounts.rename_passkey",
        subject=f"user:{row.user_id}",
        now=now,
        before={"passkey": row.id, "name": before},
        after={"passkey": row.id, "name": row.name},
    )


def remove(session: Session, *, actor: Actor, now: datetime, passkey_id: int) -> None:
    """Remove one of the actor's own keys."""
    row = lock(session, Passkey, passkey_id)
    if row.user_id != actor.user_id:
        raise NotFound()
    _note(session, actor, "accounts.remove_passkey", row, now=now)
    session.delete(row)


def use(
    session: Session,
    *,
    user_id: int,
    sent: str,
    purpose: KeyPurpose,
    party: RelyingParty,
    now: datetime,
) -> bool:
    """Take a key's answer to a challenge, once; tell whether it was right (ASVS 6.5.1)."""
    lock(session, User, user_id)
    answer = party.read_answer(sent, user_id=user_id, purpose=purpose, now=now)
    if answer is None or not _answered_first(session, answer.challenge, now=now):
        return False
    row = session.scalar(
        select(Passkey)
        .where(Passkey.user_id == user_id, Passkey.credential_id == answer.credential_id)
        .with_for_update()
    )
    if row is None:
        return False
    count = party.check(answer, public_key=row.public_key, sign_count=row.sign_count)
    if count is None:
        return False
    row.sign_count, row.last_used_at = count, now
    _note(session, Actor(user_id, None, name=""), "accounts.use_passkey", row, now=now)
    return True


def _answered_first(session: Session, challenge: str, *, now: datetime) -> bool:
    """Note that a challenge was answered; False when it was before. The person's row is locked."""
    session.execute(delete(UsedChallenge).where(UsedChallenge.used_at < now - 2 * CHALLENGE_LIFE))
    known = digest(challenge)
    if session.scalar(select(UsedChallenge.id).where(UsedChallenge.challenge_hash == known)):
        return False
    session.add(UsedChallenge(challenge_hash=known, used_at=now))
    return True


def _note(session: Session, actor: Actor, action: str, row: Passkey, *, now: datetime) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        subject=f"user:{row.user_id}",
        now=now,
        after={"passkey": row.id, "name": row.name},
    )
