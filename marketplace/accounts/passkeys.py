"""Passkeys as the browser and the library speak of them (WebAuthn level 2).

The site's name and address come from the settings alone: what a browser calls the host has no say
in which key may answer. A challenge is made and known again by a key of our own, so that nothing
is written when a page is shown; that it counts once is kept where it is answered.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

CHALLENGE_LIFE = timedelta(minutes=5)
_LONGEST = 20_000  # characters of an answer that are read at all
_NONCE, _MOMENT = 16, 8


class KeyPurpose(Enum):
    """What a challenge was made for; an answer to one opens nothing else."""

    REGISTER = "register"
    SIGN_IN = "sign_in"
    PROVE = "prove"


@dataclass(frozen=True)
class NewKey:
    """What is kept of a key that was just made."""

    credential_id: str
    public_key: bytes
    sign_count: int
    challenge: str


@dataclass(frozen=True)
class Answer:
    """An answer that a key gave, not yet checked: which key, and to which challenge."""

    credential_id: str
    challenge: str
    json: str


class RelyingParty:
    """The site as keys know it: a host name and an origin, both from the settings."""

    def __init__(self, address: str, signing_key: str) -> None:
        parts = urlsplit(address)
        host = parts.hostname or "localhost"
        # An address of numbers names no site (HTML, relying party identifier).
        self.id = "localhost" if host.replace(".", "").isdigit() or ":" in host else host
        port = f":{parts.port}" if parts.port else ""
        self.origin = f"{parts.scheme}://{self.id}{port}"
        self._key = hashlib.sha256(f"marketplace passkey\n{signing_key}".encode()).digest()

    def registration(
        self, *, user_id: int, email: str, name: str, known: tuple[str, ...], now: datetime
    ) -> str:
        """Return, as JSON, what a browser needs to make a new key."""
        options = generate_registration_options(
            rp_id=self.id,
            rp_name="济南科技成果转化平台",
            user_id=self._handle(user_id),
            user_name=email,
            user_display_name=name,
            challenge=self._challenge(user_id, KeyPurpose.REGISTER, now=now),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.DISCOURAGED,
                user_verification=UserVerificationRequirement.PREFERRED,
            ),
            exclude_credentials=_described(known),
        )
        return options_to_json(options)

    def authentication(
        self, *, user_id: int, known: tuple[str, ...], purpose: KeyPurpose, now: datetime
    ) -> str:
        """Return, as JSON, what a browser needs to let one of the keys answer."""
        options = generate_authentication_options(
            rp_id=self.id,
            challenge=self._challenge(user_id, purpose, now=now),
            allow_credentials=_described(known),
            user_verification=UserVerificationRequirement.PREFERRED,
        )
        return options_to_json(options)

    def read_new_key(self, sent: str, *, user_id: int, now: datetime) -> NewKey | None:
        """Return the key that a browser made for this challenge and this site, or None."""
        try:
            credential = parse_registration_credential_json(sent[:_LONGEST])
            challenge = parse_client_data_json(credential.response.client_data_json).challenge
            if not self._is_ours(challenge, user_id, KeyPurpose.REGISTER, now=now):
                return None
            made = verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.id,
                expected_origin=self.origin,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError):
            return None
        return NewKey(
            bytes_to_base64url(made.credential_id),
            made.credential_public_key,
            made.sign_count,
            bytes_to_base64url(challenge),
        )

    def read_answer(
        self, sent: str, *, user_id: int, purpose: KeyPurpose, now: datetime
    ) -> Answer | None:
        """Return which key answers which of our challenges; ``check`` says whether rightly."""
        try:
            credential = parse_authentication_credential_json(sent[:_LONGEST])
            challenge = parse_client_data_json(credential.response.client_data_json).challenge
        except (WebAuthnException, ValueError, KeyError, TypeError):
            return None
        if not self._is_ours(challenge, user_id, purpose, now=now):
            return None
        return Answer(
            bytes_to_base64url(credential.raw_id), bytes_to_base64url(challenge), sent[:_LONGEST]
        )

    def check(self, answer: Answer, *, public_key: bytes, sign_count: int) -> int | None:
        """Return the key's new count when its signature holds for this site, else None."""
        try:
            verified = verify_authentication_response(
                credential=answer.json,
                expected_challenge=base64url_to_bytes(answer.challenge),
                expected_rp_id=self.id,
                expected_origin=self.origin,
                credential_public_key=public_key,
                credential_current_sign_count=sign_count,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError):
            return None
        return verified.new_sign_count

    def _handle(self, user_id: int) -> bytes:
        """Name a person to a key without telling who it is (WebAuthn level 2, 14.6.1)."""
        return hmac.new(self._key, f"user:{user_id}".encode(), hashlib.sha256).digest()

    def _challenge(self, user_id: int, purpose: KeyPurpose, *, now: datetime) -> bytes:
        moment = int(now.timestamp()).to_bytes(_MOMENT, "big")
        head = secrets.token_bytes(_NONCE) + moment
        return head + self._proof(head, user_id, purpose)

    def _is_ours(
        self, challenge: bytes, user_id: int, purpose: KeyPurpose, *, now: datetime
    ) -> bool:
        head, proof = challenge[: _NONCE + _MOMENT], challenge[_NONCE + _MOMENT :]
        age = now.timestamp() - int.from_bytes(head[_NONCE:], "big")
        fits = hmac.compare_digest(proof, self._proof(head, user_id, purpose))
        return fits and age + 1 >= 0 and age <= CHALLENGE_LIFE.total_seconds()

    def _proof(self, head: bytes, user_id: int, purpose: KeyPurpose) -> bytes:
        said = head + f"{purpose.value}:{user_id}".encode()
        return hmac.new(self._key, said, hashlib.sha256).digest()


def _described(known: tuple[str, ...]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(key)) for key in known]
