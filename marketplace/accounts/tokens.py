"""Secrets: passwords by argon2id, links and sessions as random tokens stored hashed."""

from __future__ import annotations

import hashlib
import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

_HASHER = PasswordHasher()


@cache
def _nobody() -> str:
    """Return a hash that no password fits, compared when the account is unknown."""
    return _HASHER.hash(secrets.token_urlsafe(24))


def new_token() -> str:
    """Make a secret of 256 bits for a link or a session."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Return the form in which a token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def hash_password(password: str) -> str:
    """Hash a password with argon2id."""
    return _HASHER.hash(password)


def password_matches(password_hash: str | None, password: str) -> bool:
    """Tell whether a password fits; as slow for an unknown account as for a known one."""
    try:
        return _HASHER.verify(password_hash or _nobody(), password) and password_hash is not None
    except (Argon2Error, InvalidHashError):
        return False
