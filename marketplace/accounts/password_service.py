"""Use cases of passwords and sign-in addresses: changed, and reset by a mailed link.

All by the machine's clock (``now`` here), also where a demo clock runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from marketplace.accounts import letter_rules
from marketplace.accounts.letter_rules import LetterKind
from marketplace.accounts.models import User
from marketplace.accounts.people_service import mail_address
from marketplace.accounts.session_service import end_other_sessions
from marketplace.accounts.sign_in_models import (
    MailedLink,
    PendingSignIn,
    SignInFailure,
    UserSession,
)
from marketplace.accounts.sign_in_rules import SignInStep
from marketplace.accounts.tokens import Vault, link_id_of, new_token, password_matches
from marketplace.foundation import audit
from marketplace.foundation.access import Actor
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken


def change_password(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    session_id: int,
    present: str,
    password: str,
    new_hash: str,
) -> None:
    """Change the actor's password after the present one was shown; other sessions end."""
    user = lock(session, User, actor.user_id or 0)
    if not password_matches(user.password_hash, present):
        raise RuleBroken("accounts.password", "现在的密码不对，请重新输入", "present")
    if password_matches(user.password_hash, password):
        raise RuleBroken("password.same", "新密码和现在的一样，请换一个", "password")
    user.password_hash, user.password_changed_at = new_hash, now
    _end_what_the_old_one_opened(session, user.id, now=now)
    end_other_sessions(session, actor=actor, now=now, this_id=session_id)
    _note(session, actor, "accounts.change_password", user.id, now=now)


def ask_password_reset(session: Session, *, now: datetime, email: str, address: str) -> int | None:
    """Queue a reset letter if the account exists; the caller says the same in every case.

    Return None, or after how many seconds to ask again where one address asks too often. More
    than three letters an hour to one mailbox are left out without a word.
    """
    known_as = mail_address(email)[:200]
    since = MailedLink.created_at > now - letter_rules.ASKING_WINDOW
    asked = select(func.count()).select_from(MailedLink).where(since)
    from_here = session.scalar(asked.where(MailedLink.address == address)) or 0
    if from_here >= letter_rules.LETTERS_PER_ADDRESS:
        return int(letter_rules.ASKING_WINDOW.total_seconds())
    to_there = session.scalar(asked.where(MailedLink.email == known_as)) or 0
    user = session.scalar(select(User).where(User.email == known_as, User.disabled.is_(False)))
    wanted = user is not None and to_there < letter_rules.LETTERS_PER_MAILBOX
    _queue(
        session,
        LetterKind.PASSWORD_RESET,
        user_id=user.id if user is not None and wanted else None,
        email=known_as,
        address=address,
        now=now,
    )
    session.execute(delete(MailedLink).where(MailedLink.expires_at < now - letter_rules.KEPT))
    audit.record(
        session,
        actor=Actor(None, None, name=""),
        action="accounts.ask_password_reset",
        subject=f"user:{user.id if user is not None else 0}",
        now=now,
        after={"address": address, "sent": bool(wanted)},
    )
    return None


def make_reset_link(session: Session, *, now: datetime, email: str, vault: Vault) -> str:
    """Make a reset link by hand, for a site without mail; return its token."""
    user = session.scalar(
        select(User).where(User.email == mail_address(email), User.disabled.is_(False))
    )
    if user is None:
        raise NotFound()
    row = _queue(
        session,
        LetterKind.PASSWORD_RESET,
        user_id=user.id,
        email=user.email,
        address="",
        now=now,
    )
    row.sent_at = now
    session.flush()
    _note(session, Actor(None, None, name=""), "accounts.make_reset_link", user.id, now=now)
    return vault.link_token(row.id, row.nonce)


def reset_password(
    session: Session,
    *,
    now: datetime,
    token: str,
    judge: Callable[[Iterable[str]], None],
    new_hash: str,
    vault: Vault,
) -> None:
    """Set a new password by a mailed link, once; all sessions end and nobody is signed in.

    ``judge`` is called with the person's names, to refuse a password made of them. The sign-in that
    follows asks for the second factor as always (ASVS 6.4.3).
    """
    row = _open_link(session, token, LetterKind.PASSWORD_RESET, vault=vault, now=now)
    user = lock(session, User, row.user_id or 0)
    judge((user.name, user.email.partition("@")[0]))
    user.password_hash, user.password_changed_at = new_hash, now
    row.used_at = now
    _end_what_the_old_one_opened(session, user.id, now=now)
    session.execute(delete(UserSession).where(UserSession.user_id == user.id))
    # Who reads the mailbox is no guesser; wrong codes stay counted.
    session.execute(
        delete(SignInFailure).where(
            SignInFailure.email == user.email, SignInFailure.step == SignInStep.PASSWORD
        )
    )
    _note(
        session, Actor(user.id, None, name=user.name), "accounts.reset_password", user.id, now=now
    )


def change_contact(
    session: Session, *, actor: Actor, now: datetime, name: str, title: str, phone: str
) -> None:
    """Change what the actor's colleagues and partners read of the actor."""
    user = lock(session, User, actor.user_id or 0)
    changed = {
        field: value
        for field, value in (("name", name), ("title", title), ("phone", phone))
        if getattr(user, field) != value
    }
    for field, value in changed.items():
        setattr(user, field, value)
    audit.record(
        session,
        actor=actor,
        action="accounts.change_contact",
        subject=f"user:{user.id}",
        now=now,
        after={"fields": sorted(changed)},
    )


def ask_new_address(
    session: Session, *, actor: Actor, now: datetime, email: str, address: str
) -> None:
    """Send a link to the new sign-in address; it counts once the link was opened.

    Whether the address has an account already is said only by the link.
    """
    user = lock(session, User, actor.user_id or 0)
    wanted = mail_address(email)
    if wanted == user.email:
        raise RuleBroken("accounts.same_email", "这就是现在的登录邮箱", "email")
    asked = session.scalar(
        select(func.count())
        .select_from(MailedLink)
        .where(
            MailedLink.user_id == user.id,
            MailedLink.kind == LetterKind.NEW_ADDRESS,
            MailedLink.created_at > now - letter_rules.ASKING_WINDOW,
        )
    )
    if (asked or 0) >= letter_rules.LETTERS_PER_MAILBOX:
        raise Conflict("accounts.too_often", "一小时内最多发送 3 封确认邮件，请稍后再试", "email")
    _queue(session, LetterKind.NEW_ADDRESS, user_id=user.id, email=wanted, address=address, now=now)
    _note(session, actor, "accounts.ask_new_address", user.id, now=now)


def confirm_new_address(session: Session, *, now: datetime, token: str, vault: Vault) -> None:
    """Make the address that a link went to the sign-in address; the old mailbox is told."""
    row = _open_link(session, token, LetterKind.NEW_ADDRESS, vault=vault, now=now)
    user = lock(session, User, row.user_id or 0)
    if session.scalar(select(User.id).where(User.email == row.email)) is not None:
        raise Conflict("accounts.email_known", "这个邮箱已是另一个账号的登录邮箱，不能再用")
    before = user.email
    user.email, row.used_at = row.email, now
    _void_links(session, user.id, now=now)
    _queue(session, LetterKind.ADDRESS_CHANGED, user_id=user.id, email=before, address="", now=now)
    audit.record(
        session,
        actor=Actor(user.id, None, name=user.name),
        action="accounts.change_email",
        subject=f"user:{user.id}",
        now=now,
        before={"email": before},
        after={"email": user.email},
    )


@dataclass(frozen=True)
class OpenLink:
    """What an open mailed link is for."""

    email: str
    expires_at: datetime


def find_open_link(
    session: Session, *, token: str, kind: LetterKind, vault: Vault, now: datetime
) -> OpenLink | None:
    """Return what a link is for while it counts, or None."""
    row = _link(session, token, kind, vault=vault, now=now)
    return None if row is None else OpenLink(row.email, row.expires_at)


def _link(
    session: Session,
    token: str,
    kind: LetterKind,
    *,
    vault: Vault,
    now: datetime,
    locked: bool = False,
) -> MailedLink | None:
    link_id = link_id_of(token)
    if link_id is None:
        return None
    row = session.get(MailedLink, link_id, with_for_update=locked, populate_existing=locked)
    if row is None or not vault.link_fits(token, row.id, row.nonce):
        return None
    open_still = row.used_at is None and row.expires_at > now
    return row if open_still and row.kind is kind and row.user_id is not None else None


def _open_link(
    session: Session, token: str, kind: LetterKind, *, vault: Vault, now: datetime
) -> MailedLink:
    row = _link(session, token, kind, vault=vault, now=now, locked=True)
    if row is None:
        raise Conflict("accounts.link", "这个链接已经用过或已过期，请重新申请")
    return row


def _end_what_the_old_one_opened(session: Session, user_id: int, *, now: datetime) -> None:
    session.execute(delete(PendingSignIn).where(PendingSignIn.user_id == user_id))
    _void_links(session, user_id, now=now)


def _void_links(session: Session, user_id: int, *, now: datetime) -> None:
    """End what links a person still has: the password or the mailbox is another one now."""
    for row in session.scalars(
        select(MailedLink).where(
            MailedLink.user_id == user_id,
            MailedLink.used_at.is_(None),
            MailedLink.kind != LetterKind.ADDRESS_CHANGED,
        )
    ):
        row.used_at = now


def _queue(
    session: Session,
    kind: LetterKind,
    *,
    user_id: int | None,
    email: str,
    address: str,
    now: datetime,
) -> MailedLink:
    row = MailedLink(
        kind=kind,
        user_id=user_id,
        email=email,
        address=address[:100],
        nonce=new_token(),
        created_at=now,
        expires_at=letter_rules.expires_at(kind, now=now),
        sent_at=None,
        used_at=None,
    )
    session.add(row)
    return row


def _note(session: Session, actor: Actor, action: str, user_id: int, *, now: datetime) -> None:
    audit.record(session, actor=actor, action=action, subject=f"user:{user_id}", now=now)
