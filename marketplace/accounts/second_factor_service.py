"""Use cases of the second factor: one-time codes, recovery codes, and the reset by two persons.

All by the machine's clock (``now`` here): a telephone knows nothing of a demo's.
"""

from __future__ import annotations

import hmac
from datetime import datetime

import pyotp
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.accounts import rules, sign_in_rules
from marketplace.accounts.events import SecondFactorChanged
from marketplace.accounts.models import User
from marketplace.accounts.passkey_models import Passkey
from marketplace.accounts.sign_in_models import (
    FactorReset,
    RecoveryCode,
    SecondFactor,
    UserSession,
)
from marketplace.accounts.tokens import NewRecoveryCodes, Vault, password_matches, plain_code
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken


def is_enrolled(session: Session, user_id: int) -> bool:
    """Tell whether a person has a second factor that was confirmed by a first code."""
    row = session.get(SecondFactor, user_id)
    return row is not None and row.confirmed_at is not None


def begin_enrolment(session: Session, *, actor: Actor, now: datetime, vault: Vault) -> None:
    """Make a new secret for the actor, to be confirmed; a factor in use counts until then."""
    user_id = actor.user_id or 0
    sealed = vault.seal(pyotp.random_base32(32), _owner(user_id))
    row = session.get(SecondFactor, user_id, with_for_update=True)
    if row is None:
        session.add(SecondFactor(user_id=user_id, waiting_secret=sealed, confirmed_at=None))
    else:
        row.waiting_secret = sealed
    _note(session, actor, "accounts.begin_second_factor", user_id, now=now)


def confirm_enrolment(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    code: str,
    recovery: NewRecoveryCodes,
    vault: Vault,
) -> None:
    """Let the waiting secret count by its first code and keep the new recovery codes' hashes."""
    user_id = actor.user_id or 0
    row = session.get(SecondFactor, user_id, with_for_update=True)
    if row is None or not row.waiting_secret:
        raise Conflict("accounts.not_begun", "没有等待确认的动态口令，请重新开始启用")
    step = _matching_step(row.waiting_secret, user_id, plain_code(code), vault, last=0, now=now)
    if step is None:
        raise RuleBroken(
            "accounts.code",
            "口令不对：请核对手机的时间是否自动校准，再输入 App 上最新的 6 位口令",
            "code",
        )
    row.sealed_secret, row.waiting_secret = row.waiting_secret, ""
    row.confirmed_at, row.last_step = now, step
    _keep_recovery_codes(session, user_id, recovery)
    _note(session, actor, "accounts.confirm_second_factor", user_id, now=now)
    outbox.publish(
        session, SecondFactorChanged(user_id=user_id, enrolled=True, changed_at=now), now=now
    )


def renew_recovery_codes(
    session: Session, *, actor: Actor, now: datetime, recovery: NewRecoveryCodes
) -> None:
    """Replace the actor's recovery codes; the earlier ones end."""
    user_id = actor.user_id or 0
    if not is_enrolled(session, user_id):
        raise NotFound()
    _keep_recovery_codes(session, user_id, recovery)
    _note(session, actor, "accounts.renew_recovery_codes", user_id, now=now)


def remove(session: Session, *, actor: Actor, now: datetime, required: bool) -> None:
    """Turn the actor's second factor off, with its recovery codes; not where a role asks for it."""
    user_id = actor.user_id or 0
    if required:
        raise NotAllowed(
            "accounts.factor_required", "您担任的角色必须启用动态口令；换手机请用“换一部手机”"
        )
    if not is_enrolled(session, user_id):
        raise NotFound()
    _forget(session, user_id)
    # What the sessions showed no longer exists; a role that needs it must enrol again.
    for row in session.scalars(select(UserSession).where(UserSession.user_id == user_id)):
        row.second_factor = False
    _note(session, actor, "accounts.remove_second_factor", user_id, now=now)
    outbox.publish(
        session, SecondFactorChanged(user_id=user_id, enrolled=False, changed_at=now), now=now
    )


def use_code(session: Session, *, user_id: int, code: str, vault: Vault, now: datetime) -> bool:
    """Take a one-time code or a recovery code, once; tell whether it was right (ASVS 6.5.1)."""
    row = session.get(SecondFactor, user_id, with_for_update=True, populate_existing=True)
    if row is None or row.confirmed_at is None:
        return False
    typed = plain_code(code)
    if len(typed) == 6:
        step = _matching_step(row.sealed_secret, user_id, typed, vault, last=row.last_step, now=now)
        row.last_step = row.last_step if step is None else step
        return step is not None
    return _use_recovery_code(session, user_id, typed, now=now)


def ask_reset(session: Session, *, actor: Actor, now: datetime, user_id: int, reason: str) -> int:
    """Ask, as the operator, to remove a person's lost second factor; return the request's id."""
    require(actor, rules.LOOK_AFTER_PEOPLE)
    lock(session, User, user_id)
    if not is_enrolled(session, user_id):
        raise Conflict("accounts.not_enrolled", "这个账号没有启用动态口令，不需要重置")
    if user_id == actor.user_id:
        raise NotAllowed("accounts.own_reset", "不能为自己申请重置，请同事办理")
    if not reason.strip():
        raise RuleBroken("accounts.reason", "请写明怎样核实了本人身份", "reason")
    waiting = session.scalar(
        select(FactorReset.id).where(
            FactorReset.user_id == user_id, FactorReset.decided_at.is_(None)
        )
    )
    if waiting is not None:
        raise Conflict("accounts.reset_waits", "这个账号的重置已在等第二人确认")
    row = FactorReset(
        user_id=user_id,
        reason=reason.strip(),
        asked_at=now,
        asked_by_id=actor.user_id,
        decided_at=None,
        decided_by_id=None,
    )
    session.add(row)
    session.flush()
    _note(session, actor, "accounts.ask_factor_reset", user_id, now=now, after={"reason": reason})
    return row.id


def decide_reset(
    session: Session, *, actor: Actor, now: datetime, reset_id: int, grant: bool
) -> None:
    """Carry out or refuse a reset as the second person; the person's sessions end with it."""
    require(actor, rules.LOOK_AFTER_PEOPLE)
    row = lock(session, FactorReset, reset_id)
    if row.decided_at is not None:
        raise Conflict("accounts.decided", "这项重置已经办结")
    if actor.user_id == row.asked_by_id and grant:
        raise NotAllowed("accounts.two_persons", "重置要由两个人办理，请另一位同事确认")
    if actor.user_id == row.user_id:
        raise NotAllowed("accounts.own_reset", "不能确认自己的重置，请同事办理")
    row.decided_at, row.decided_by_id, row.granted = now, actor.user_id, grant
    if grant:
        _forget(session, row.user_id)
        session.execute(delete(UserSession).where(UserSession.user_id == row.user_id))
        outbox.publish(
            session,
            SecondFactorChanged(user_id=row.user_id, enrolled=False, changed_at=now),
            now=now,
        )
    action = "accounts.grant_factor_reset" if grant else "accounts.refuse_factor_reset"
    _note(session, actor, action, row.user_id, now=now)


def _matching_step(
    sealed: str, user_id: int, typed: str, vault: Vault, *, last: int, now: datetime
) -> int | None:
    """Return the time step whose code was typed, later than the last one used, or None."""
    secret = vault.open(sealed, _owner(user_id))
    if secret is None or not typed.isascii():
        return None
    codes = pyotp.TOTP(secret, interval=sign_in_rules.CODE_SECONDS)
    return next(
        (
            step
            for step in sign_in_rules.code_steps(now, last_step=last)
            if hmac.compare_digest(codes.generate_otp(step), typed)
        ),
        None,
    )


def _use_recovery_code(session: Session, user_id: int, typed: str, *, now: datetime) -> bool:
    if not typed[:1].isascii() or not typed[:1].isdigit():
        return False
    row = session.scalar(
        select(RecoveryCode).where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.position == int(typed[0]),
            RecoveryCode.used_at.is_(None),
        )
    )
    if row is None or not password_matches(row.code_hash, typed):
        return False
    row.used_at = now
    audit.record(
        session,
        actor=Actor(user_id, None, name=""),
        action="accounts.use_recovery_code",
        subject=f"user:{user_id}",
        now=now,
        after={"position": row.position},
    )
    return True


def _keep_recovery_codes(session: Session, user_id: int, recovery: NewRecoveryCodes) -> None:
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    for position, code_hash in enumerate(recovery.hashes):
        session.add(
            RecoveryCode(user_id=user_id, position=position, code_hash=code_hash, used_at=None)
        )


def _forget(session: Session, user_id: int) -> None:
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id))
    session.execute(delete(Passkey).where(Passkey.user_id == user_id))


def _tell(session: Session, user_id: int, *, enrolled: bool, now: datetime) -> None:
    event = SecondFactorChanged(user_id=user_id, enrolled=enrolled, changed_at=now)
    outbox.publish(session, event, now=now)


def _owner(user_id: int) -> str:
    return f"user:{user_id}"


def _note(
    session: Session,
    actor: Actor,
    action: str,
    user_id: int,
    *,
    now: datetime,
    after: dict[str, str] | None = None,
) -> None:
    audit.record(
        session, actor=actor, action=action, subject=f"user:{user_id}", now=now, after=after
    )
