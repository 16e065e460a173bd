"""People and their memberships as rows: made, and joined to organisations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Membership, User
from marketplace.foundation.access import Role
from marketplace.foundation.errors import Conflict


@dataclass(frozen=True)
class PersonContent:
    """Who a person is; the password arrives hashed."""

    email: str
    name: str
    password_hash: str
    title: str = ""
    phone: str = ""


def mail_address(email: str) -> str:
    """Return the form in which an address is stored and compared."""
    return email.strip().lower()


def find_user_id(session: Session, email: str) -> int | None:
    """Return who signs in with an address, or None."""
    return session.scalar(select(User.id).where(User.email == mail_address(email)))


def create_user(session: Session, person: PersonContent, *, now: datetime) -> User:
    """Make a person; refuse an address already known."""
    email = mail_address(person.email)
    if session.scalar(select(User.id).where(User.email == email)):
        raise Conflict(
            "accounts.email_known", "这个邮箱已有账号，请直接登录，或换一个邮箱", "email"
        )
    user = User(
        email=email,
        name=person.name,
        title=person.title,
        phone=person.phone,
        password_hash=person.password_hash,
        password_changed_at=now,
        created_at=now,
    )
    session.add(user)
    session.flush()
    return user


def join(session: Session, organisation_id: int, user_id: int, roles: Iterable[Role]) -> None:
    """Give a person roles for an organisation, those not held yet."""
    held = set(
        session.scalars(
            select(Membership.role).where(
                Membership.organisation_id == organisation_id, Membership.user_id == user_id
            )
        )
    )
    for role in sorted(set(roles) - held):
        session.add(Membership(organisation_id=organisation_id, user_id=user_id, role=role))
    session.flush()
