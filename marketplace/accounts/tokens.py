"""Secrets: passwords and recovery codes by argon2id, tokens stored hashed, secrets sealed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HASHER = PasswordHasher()
"""Argon2id with the second profile of RFC 9106 (64 MiB, three passes)."""


@cache
def _nobody() -> str:
    """Return a hash that no password fits, compared when the account is unknown."""
    return HASHER.hash(secrets.token_urlsafe(24))


def new_token() -> str:
    """Make a secret of 256 bits for a link or a session."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Return the form in which a token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def hash_password(password: str) -> str:
    """Hash a password with argon2id."""
    return HASHER.hash(password)


def password_matches(password_hash: str | None, password: str) -> bool:
    """Tell whether a password fits; as slow for an unknown account as for a known one."""
    try:
        return HASHER.verify(password_hash or _nobody(), password) and password_hash is not None
    except (Argon2Error, InvalidHashError):
        return False


_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that is mistaken on paper
RECOVERY_CODES = 10


@dataclass(frozen=True)
class NewRecoveryCodes:
    """Fresh recovery codes: to be shown once, and hashed to be kept, in the same order."""

    shown: tuple[str, ...]
    hashes: tuple[str, ...]


def new_recovery_codes() -> NewRecoveryCodes:
    """Make ten codes of 50 random bits; the leading digit says which one it is."""
    shown = []
    for position in range(RECOVERY_CODES):
        text = "".join(secrets.choice(_ALPHABET) for _ in range(10))
        shown.append(f"{position}-{text[:5]}-{text[5:]}")
    return NewRecoveryCodes(tuple(shown), tuple(hash_password(plain_code(c)) for c in shown))


def plain_code(text: str) -> str:
    """Return a code as it is compared: without spaces and hyphens, in capitals."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c.isalnum()).upper()


class Vault:
    """Seals what must be read again, with keys drawn from the site's signing key.

    A copy of the database alone opens nothing. With another signing key nothing opens any more.
    """

    def __init__(self, signing_key: str) -> None:
        self._cipher = AESGCM(_drawn(signing_key, "marketplace second factor"))
        self._link_key = _drawn(signing_key, "marketplace mailed link")
        self._access_key = _drawn(signing_key, "marketplace access token")

    def seal(self, secret: str, owner: str) -> str:
        """Encrypt a secret for its owner (AES-256-GCM)."""
        nonce = secrets.token_bytes(12)
        sealed = nonce + self._cipher.encrypt(nonce, secret.encode(), owner.encode())
        return base64.b64encode(sealed).decode()

    def open(self, sealed: str, owner: str) -> str | None:
        """Decrypt what was sealed for this owner; None where it was not, or by another key."""
        raw = base64.b64decode(sealed)
        try:
            return self._cipher.decrypt(raw[:12], raw[12:], owner.encode()).decode()
        except InvalidTag:
            return None

    def access_token(self, user_id: int | None, form_key: str) -> str:
        """Return the secret that one sent form makes, so that a second click shows the same."""
        message = f"{user_id}:{form_key}".encode()
        proof = hmac.new(self._access_key, message, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(proof).decode().rstrip("=")

    def link_token(self, link_id: int, nonce: str) -> str:
        """Return the token of a mailed link, the same each time, known to no table."""
        proof = hmac.new(self._link_key, f"{link_id}:{nonce}".encode(), hashlib.sha256)
        return f"{link_id}-{proof.hexdigest()}"

    def link_fits(self, token: str, link_id: int, nonce: str) -> bool:
        """Tell whether a token is the one of this link."""
        return hmac.compare_digest(token.encode(), self.link_token(link_id, nonce).encode())


def link_id_of(token: str) -> int | None:
    """Return which mailed link a token says it is, or None."""
    number = token.partition("-")[0]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None


def _drawn(signing_key: str, purpose: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(signing_key.encode())
