"""Sealing: texts encrypted to a public key, keys split among officers, keys behind a passphrase.

X25519, HKDF-SHA256 and AES-256-GCM of `cryptography`; Shamir's sharing of `pycryptodome`. Nothing
here is stored or logged; what is stored is ciphertext.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from Crypto.Protocol.SecretSharing import Shamir
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

_SEED_BYTES = 16  # what Shamir's scheme over GF(2^128) shares
_KEY_BYTES = 32
_NONCE_BYTES = 12
_SALT_BYTES = 16
# 64 MiB for each try at a passphrase.
_SCRYPT_COST = 2**16


class CannotOpen(Exception):
    """The key, the passphrase or the ciphertext is not the right one."""


@dataclass(frozen=True)
class Share:
    """One of n parts of an opening key; k of them make it, fewer tell nothing."""

    number: int
    secret: bytes


def seal(public_key: bytes, text: bytes) -> bytes:
    """Encrypt a text so that only the holder of the private key can read it."""
    once = X25519PrivateKey.generate()
    shared = once.exchange(X25519PublicKey.from_public_bytes(public_key))
    theirs = once.public_key().public_bytes_raw()
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return theirs + nonce + AESGCM(_derive(shared, theirs + public_key)).encrypt(nonce, text, None)


def unseal(private_key: bytes, sealed: bytes) -> bytes:
    """Decrypt what was sealed to a private key; ``CannotOpen`` when it was another one."""
    own = X25519PrivateKey.from_private_bytes(private_key)
    begins = _KEY_BYTES + _NONCE_BYTES
    theirs, nonce = sealed[:_KEY_BYTES], sealed[_KEY_BYTES:begins]
    public_key = own.public_key().public_bytes_raw()
    shared = own.exchange(X25519PublicKey.from_public_bytes(theirs))
    return _decrypt(_derive(shared, theirs + public_key), nonce, sealed[begins:])


def split_key(threshold: int, count: int) -> tuple[bytes, list[Share]]:
    """Make an opening key; return its public part and its shares. The whole is forgotten."""
    seed = secrets.token_bytes(_SEED_BYTES)
    shares = Shamir.split(threshold, count, seed)
    return _public(_private(seed)), [Share(int(number), bytes(part)) for number, part in shares]


def join_key(public_key: bytes, shares: Sequence[Share]) -> bytes:
    """Put the private key together; ``CannotOpen`` when the shares are too few or wrong."""
    if not shares:
        raise CannotOpen
    seed = Shamir.combine([(share.number, share.secret) for share in shares])
    private = _private(bytes(seed))
    if _public(private) != public_key:
        raise CannotOpen
    return private


def make_personal_key(passphrase: str) -> tuple[bytes, bytes]:
    """Make an officer's key pair; return the public key and the private one under a passphrase."""
    private = X25519PrivateKey.generate()
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    locked = AESGCM(_stretch(passphrase, salt)).encrypt(nonce, private.private_bytes_raw(), None)
    return private.public_key().public_bytes_raw(), salt + nonce + locked


def unlock_personal_key(locked: bytes, passphrase: str) -> bytes:
    """Return an officer's private key; ``CannotOpen`` when the passphrase is wrong."""
    salt, nonce = locked[:_SALT_BYTES], locked[_SALT_BYTES : _SALT_BYTES + _NONCE_BYTES]
    return _decrypt(_stretch(passphrase, salt), nonce, locked[_SALT_BYTES + _NONCE_BYTES :])


def _private(seed: bytes) -> bytes:
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=b"bidding opening key").derive(seed)


def _public(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def _derive(shared: bytes, both_keys: bytes) -> bytes:
    return HKDF(SHA256(), _KEY_BYTES, salt=both_keys, info=b"sealed text").derive(shared)


def _stretch(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt, _KEY_BYTES, n=_SCRYPT_COST, r=8, p=1).derive(passphrase.encode())


def _decrypt(key: bytes, nonce: bytes, locked: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(nonce, locked, None)
    except (InvalidTag, ValueError) as wrong:
        raise CannotOpen from wrong
