"""The keys that an issuer publishes (JWKS), and their rotation.

Kept for ten minutes and read again then. A key id that is not among them makes us look once more, but never sooner
than `PAUSE` after the last look, so that nobody makes us hammer the issuer with made-up ids. While the issuer is away,
the keys that we have go on counting for `LONGEST`; without one that counts we cannot say who is calling: `Unavailable`.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tools.errors import Unauthorized, Unavailable

log = structlog.get_logger()

TIMEOUT = 5.0
PAUSE = 10.0
FRESH = 600.0
LONGEST = 86_400.0
"""Seconds, all of them."""
LARGEST = 256 * 1024
SHORTEST_RSA = 2048


@dataclass(frozen=True, kw_only=True)
class PublishedKey:
    """A public key and the one algorithm that it may verify."""

    algorithm: str
    key: Any


@dataclass(kw_only=True)
class PublishedKeys:
    """Of one issuer, in one process. Fails closed."""

    url: str
    http: httpx.AsyncClient
    clock: Callable[[], float] = time.monotonic
    _keys: dict[str, PublishedKey] = field(default_factory=dict)
    _read_at: float = float("-inf")
    _tried_at: float = float("-inf")
    _answered: bool = False
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def find(self, key_id: str) -> PublishedKey:
        """Raises `Unauthorized` when the issuer has no such key, `Unavailable` when it cannot be asked."""
        key = self._keys.get(key_id)
        if key and (self._age < FRESH or (self._reading.locked() and self._age < LONGEST)):
            return key
        async with self._reading:
            if self._may_look(key_id):
                await self._look()
        key = self._keys.get(key_id)
        if key and self._age < LONGEST:
            return key
        if not self._answered:
            raise Unavailable("Sign-ins cannot be checked right now: their issuer does not answer. Try again soon.")
        raise Unauthorized("This token is signed with a key that its issuer does not publish. Sign in again.")

    async def read(self) -> int:
        """How many keys can be used, asked now. Raises `Unavailable`."""
        await self._look()
        if not self._answered:
            raise Unavailable(f"{self.url} gives no keys that can be used.")
        return len(self._keys)

    @property
    def _age(self) -> float:
        return self.clock() - self._read_at

    def _may_look(self, key_id: str) -> bool:
        """Who waited for another's look need not look again."""
        wanted = key_id not in self._keys or self._age >= FRESH
        return wanted and self.clock() - self._tried_at >= PAUSE

    async def _look(self) -> None:
        self._tried_at = self.clock()
        try:
            answer = await self.http.get(self.url, timeout=TIMEOUT, headers={"Accept": "application/json"})
            answer.raise_for_status()
            keys = usable(answer.content)
        except Exception:  # a stranger's document: whatever the library makes of it
            self._answered = False
            log.warning("issuer.unavailable", url=self.url, keys=len(self._keys), exc_info=True)
            return
        if self._keys and keys.keys() != self._keys.keys():
            log.info("issuer.rotated", url=self.url, keys=sorted(keys))
        self._keys, self._read_at, self._answered = keys, self.clock(), True


def usable(document: bytes) -> dict[str, PublishedKey]:
    """The signing keys by their ids. Raises `ValueError` when there are none, or what the library does."""
    if len(document) > LARGEST:
        raise ValueError("the key set is too large")
    given = jwt.PyJWKSet.from_json(document.decode()).keys
    found = {key.key_id: made for key in given if isinstance(key.key_id, str) and (made := _pinned(key))}
    if not found:
        raise ValueError("the key set holds no signing key for RS256 or ES256 with an id")
    return found


def _pinned(key: jwt.PyJWK) -> PublishedKey | None:
    """By the kind of key, never by what a token says; what could sign as well as verify is no public key."""
    match key.key:
        case RSAPublicKey(key_size=size) if size >= SHORTEST_RSA:
            algorithm = "RS256"
        case EllipticCurvePublicKey(curve=SECP256R1()):
            algorithm = "ES256"
        case _:
            return None
    if key.algorithm_name != algorithm or key.public_key_use not in {None, "sig"}:
        return None
    return PublishedKey(algorithm=algorithm, key=key.key)
