"""Keys of machines: made once and shown once, kept as a digest alone, refused 90 days after they were made."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Self, get_args

from sqlalchemy import RowMapping, select, update

from tools.errors import InvalidRequest, NotFound
from tools.ledger.audit import append
from tools.ledger.repository import Repository
from tools.ledger.tables import service_keys
from tools.ledger.types import Json

Scope = Literal["metrics", "desk:read"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
LIFE = timedelta(days=90)
WARNED = timedelta(days=80)
"""The age from which a key that is used says that it has to be replaced."""
NOTED = timedelta(minutes=1)
"""How exact `last_used` is: a key that is used all the time is not a write all the time."""
SHAPE = re.compile(r"cf_(?P<id>[0-9a-f]{12})_(?P<secret>[A-Za-z0-9_-]{43})")
NAME_LENGTH = 60


@dataclass(frozen=True, kw_only=True)
class ServiceKey:
    id: str
    name: str
    digest: str
    """SHA-256 of the secret: 256 random bits need no salt and no slow hash."""
    scopes: frozenset[Scope]
    created: datetime
    last_used: datetime | None
    revoked: datetime | None

    @property
    def expires(self) -> datetime:
        return self.created + LIFE

    def expired(self, now: datetime) -> bool:
        return now >= self.expires

    def ageing(self, now: datetime) -> bool:
        """Within the last ten days of its life, or past it."""
        return now >= self.created + WARNED

    def days_left(self, now: datetime) -> int:
        """Whole days, rounded up; 0 once it is expired."""
        return max(0, -((now - self.expires) // timedelta(days=1)))


@dataclass(frozen=True, kw_only=True)
class KeyText:
    """A key as a machine presents it: `cf_<id>_<secret>`."""

    id: str
    secret: str

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None: no key at all."""
        found = SHAPE.fullmatch(text)
        return cls(id=found["id"], secret=found["secret"]) if found else None

    def __str__(self) -> str:
        return f"cf_{self.id}_{self.secret}"

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def opens(self, key: ServiceKey) -> bool:
        return self.id == key.id and hmac.compare_digest(self.digest, key.digest)


class ServiceKeys(Repository):
    async def create_service_key(self, name: str, scopes: Iterable[str], *, actor: str) -> tuple[ServiceKey, KeyText]:
        """The key's text is nowhere kept. Raises `InvalidRequest`: no name, no scope, or one that there is not."""
        now, text = self._now(), KeyText(id=secrets.token_hex(6), secret=secrets.token_urlsafe(32))
        row = {
            "id": text.id,
            "name": _name(name),
            "digest": text.digest,
            "scopes": sorted(_scopes(scopes)),
            "created": now,
        }
        async with self._database.write() as connection:
            await connection.execute(service_keys.insert().values(row))
            await append(connection, now, "service_key.created", {**_witness(row), "actor": actor})
        return _key({**row, "last_used": None, "revoked": None}), text

    async def service_key(self, key_id: str) -> ServiceKey | None:
        async with self._database.read() as connection:
            found = await connection.execute(select(service_keys).where(service_keys.c.id == key_id))
            row = found.mappings().one_or_none()
        return _key(row) if row else None

    async def service_keys(self) -> list[ServiceKey]:
        """Oldest first, with the expired and the revoked."""
        wanted = select(service_keys).order_by(service_keys.c.created, service_keys.c.id)
        async with self._database.read() as connection:
            return [_key(row) for row in (await connection.execute(wanted)).mappings()]

    async def note_key_use(self, key: ServiceKey) -> None:
        """Nothing is written when it was noted within the last minute."""
        now = self._now()
        if key.last_used and now - key.last_used < NOTED:
            return
        async with self._database.write() as connection:
            used = update(service_keys).where(service_keys.c.id == key.id).values(last_used=now)
            await connection.execute(used)

    async def revoke_service_key(self, key_id: str, *, actor: str) -> ServiceKey:
        """At once, on every server. Said again it changes nothing. Raises `NotFound`."""
        now = self._now()
        async with self._database.write() as connection:
            alive = (service_keys.c.id == key_id) & service_keys.c.revoked.is_(None)
            revoked = await connection.execute(update(service_keys).where(alive).values(revoked=now))
            found = await connection.execute(select(service_keys).where(service_keys.c.id == key_id))
            row = found.mappings().one_or_none()
            if row is None:
                raise NotFound(f"There is no service key {key_id}. `counterfoil keys list` shows them.")
            if revoked.rowcount == 1:
                await append(connection, now, "service_key.revoked", {**_witness(row), "actor": actor})
        return _key(row)


def _name(given: str) -> str:
    name = given.strip()
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise InvalidRequest(f"Name the machine that will use the key, in up to {NAME_LENGTH} characters.")
    return name


def _scopes(given: Iterable[str]) -> set[Scope]:
    wanted = set(given)
    known: set[Scope] = {scope for scope in SCOPES if scope in wanted}
    if not wanted or wanted != known:
        raise InvalidRequest(f"A key needs one or more scopes out of: {', '.join(SCOPES)}.")
    return known


def _witness(row: RowMapping | Json) -> Json:
    return {"id": row["id"], "name": row["name"], "scopes": row["scopes"]}


def _key(row: RowMapping | Json) -> ServiceKey:
    return ServiceKey(**{**row, "scopes": frozenset(row["scopes"])})
