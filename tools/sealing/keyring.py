"""Seals what is kept: AES-256-GCM (NIST SP 800-38D) under one of several named keys.

A sealed text is `sealed:1:<key id>:<base64url of nonce and ciphertext>`, or `sealed:2:` when it was compressed before
that. Where it stands is authenticated with it, so that nothing opens anywhere but in its own place. The first key
seals; all open, which is how keys are rotated. What was kept before there was sealing is no sealed text, and is read
as it stands.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tools.errors import ConfigurationError, Unavailable

MARK, COMPRESSED = "sealed:1:", "sealed:2:"
WORTH_COMPRESSING = 1024
"""Characters."""
ERASED = "erased:1"
"""Stands where something was erased; what it was is gone."""
KEY_BYTES = 32
NONCE_BYTES = 12
_KEY = re.compile(r"(?P<id>[A-Za-z0-9_.-]{1,32}):(?P<key>[A-Za-z0-9+/=_-]+)")
_SEALED = re.compile(r"sealed:(?P<form>[12]):(?P<id>[A-Za-z0-9_.-]{1,32}):(?P<box>[A-Za-z0-9_=-]+)")


class CannotOpen(Unavailable):
    """Fails closed: what cannot be opened is never taken for empty."""

    code = "cannot_open"


@dataclass(frozen=True)
class Keyring:
    """Keys by their id; the first seals."""

    keys: Mapping[str, AESGCM]

    @classmethod
    def parse(cls, text: str) -> Self:
        """`id:base64 of 32 bytes`, several with commas, the newest first. Raises `ConfigurationError`."""
        keys: dict[str, AESGCM] = {}
        for part in filter(None, (one.strip() for one in text.split(","))):
            name, key = _read(part)
            if name in keys:
                raise ConfigurationError(f"COUNTERFOIL_ENCRYPTION_KEYS names {name!r} twice.")
            keys[name] = AESGCM(key)
        if not keys:
            raise ConfigurationError("COUNTERFOIL_ENCRYPTION_KEYS names no key. `openssl rand -base64 32` makes one.")
        return cls(keys)

    @property
    def newest(self) -> str:
        """Id of the key that seals."""
        return next(iter(self.keys))

    def seal(self, text: str, *, place: str, compress: bool = False) -> str:
        """`place` says where it will stand, such as `messages.text`.

        How long a compressed text is says something about what is in it: `compress` is for what is handed on, of which
        nobody who writes a part of it sees the length.
        """
        data, mark = text.encode(), MARK
        if compress and len(text) >= WORTH_COMPRESSING:
            data, mark = zstandard.compress(data), COMPRESSED
        box = self.seal_bytes(data, place=place)
        return f"{mark}{self.newest}:{base64.urlsafe_b64encode(box).decode()}"

    def open(self, sealed: str, *, place: str) -> str:
        """The text; one that is not sealed as it is. Raises `CannotOpen`."""
        if not sealed.startswith((MARK, COMPRESSED)):
            return sealed
        found = _SEALED.fullmatch(sealed)
        if found is None:
            raise CannotOpen(f"What stands in {place} is no whole sealed text.")
        try:
            box = base64.b64decode(found["box"], altchars=b"-_", validate=True)
        except binascii.Error as error:
            raise CannotOpen(f"What stands in {place} is no whole sealed text.") from error
        data = self.open_bytes(found["id"], box, place=place)
        return (zstandard.decompress(data) if found["form"] == "2" else data).decode()

    def seal_bytes(self, data: bytes, *, place: str) -> bytes:
        """Nonce and ciphertext, under the newest key."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self.keys[self.newest].encrypt(nonce, data, place.encode())

    def open_bytes(self, key_id: str, box: bytes, *, place: str) -> bytes:
        """Raises `CannotOpen`."""
        key = self.keys.get(key_id)
        if key is None:
            raise CannotOpen(
                f"{place} is sealed with key {key_id!r}, and COUNTERFOIL_ENCRYPTION_KEYS does not name that one."
            )
        try:
            return key.decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError) as error:
            raise CannotOpen(f"What stands in {place} was changed, or moved there from elsewhere.") from error


def sealed_with(text: str) -> str | None:
    """Id of the key that a text is sealed with; None for a plain one."""
    found = _SEALED.fullmatch(text)
    return found["id"] if found else None


def new_key(name: str) -> str:
    """A fresh key as `Keyring.parse` reads it."""
    return f"{name}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


def _read(part: str) -> tuple[str, bytes]:
    found = _KEY.fullmatch(part)
    if found is None:
        raise ConfigurationError("COUNTERFOIL_ENCRYPTION_KEYS is id:key, several with commas: 2026:BASE64,2025:BASE64")
    try:
        key = base64.b64decode(found["key"].replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigurationError(
            f"Key {found['id']!r} in COUNTERFOIL_ENCRYPTION_KEYS is not 32 bytes in base64: `openssl rand -base64 32`."
        )
    return found["id"], key
