"""Whose token it is: sessions of customers that we sign, and the words of two issuers outside that we verify.

Our own are HS256 JWTs: a customer's session has `aud` = `counterfoil:customer`; in demo mode alone we sign one for
staff. The host site's identity token is exchanged for a session. A staff token comes from the company's own login,
either by the keys that it publishes or by a secret that we share.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import httpx
import jwt
from pydantic import SecretStr

from graphs.plugs import server_secret
from graphs.settings import STAFF_AUDIENCE, Settings
from server.auth.issuer import Issuer, Word
from server.auth.principal import Principal, StaffRole
from server.auth.published_keys import PublishedKeys
from server.auth.roles import role_in
from tools.errors import Unauthorized

CUSTOMER = "counterfoil:customer"
STAFF = STAFF_AUDIENCE
SESSION_LIFE = timedelta(hours=12)
EMAIL_LENGTH = 320
IDENTITY_LIFE = timedelta(hours=1)
STAFF_LIFE = timedelta(hours=12)
"""A shift: who has left the company is out by the next day, whatever else happens."""


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Issues and verifies tokens."""

    secret: str
    host: Issuer | None = None
    staff: Issuer | None = None
    roles_claim: str = "roles"
    demo: bool = False

    @classmethod
    def from_settings(cls, settings: Settings, http: httpx.AsyncClient) -> Self:
        return cls(
            secret=server_secret(settings).decode(),
            host=host_site(settings, http),
            staff=staff_login(settings, http),
            roles_claim=settings.staff_roles_claim,
            demo=settings.demo,
        )

    def anonymous(self) -> str:
        return self._sign(CUSTOMER, sub=f"anon_{secrets.token_urlsafe(18)}")

    async def vouched(self, identity_token: str) -> str:
        """A session for the customer that the host site names. The same customer gets the same id again."""
        if self.host is None:
            raise Unauthorized("Identity tokens are not accepted here: set IDENTITY_JWKS_URL or IDENTITY_SECRET.")
        word = await self.host.word(identity_token)
        known_as = f"{word.claims['iss']}|{word.subject}"
        own_id = f"user_{hashlib.sha256(known_as.encode()).hexdigest()[:32]}"
        return self._sign(CUSTOMER, sub=own_id, email=_verified_email(word))

    def demo_staff(self, name: str, role: StaffRole = "supervisor") -> str:
        return self._sign(STAFF, sub=name, name=name, role=role)

    async def principal(self, token: str) -> Principal:
        """Whose token this is. Raises `Unauthorized`; `Unavailable` when the issuer's keys cannot be read."""
        if claims := self._ours(token, CUSTOMER):
            return Principal(id=claims["sub"], role="customer", name="customer", email=claims.get("email"))
        if self.demo and (claims := self._ours(token, STAFF)):
            return self._colleague(Word(claims=claims, published=False))
        if self.staff is None:
            raise Unauthorized
        return self._colleague(await self.staff.word(token))

    def _ours(self, token: str, audience: str) -> dict[str, Any] | None:
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self.secret, algorithms=["HS256"], audience=audience, options={"require": ["exp", "sub", "aud"]}
            )
        except jwt.ExpiredSignatureError as error:
            raise Unauthorized("This token has expired. POST /sessions returns a new one.") from error
        except (jwt.PyJWTError, RecursionError):
            return None
        return claims

    def _colleague(self, word: Word) -> Principal:
        """By `sub`, which the login never gives to another person; by a shared secret the role may stand in `role`."""
        role = role_in(word.claims, self.roles_claim)
        if role is None and not word.published:
            role = role_in(word.claims, "role")
        if role is None:
            raise Unauthorized(
                f"The staff token has no role of agent, supervisor or admin at {self.roles_claim!r} "
                "(STAFF_ROLES_CLAIM)."
            )
        name = word.line("name", "preferred_username") or word.subject
        return Principal(id=word.subject, role=role, name=name)

    def _sign(self, audience: str, **claims: str) -> str:
        now = datetime.now(UTC)
        return jwt.encode(
            {**claims, "aud": audience, "iat": now, "exp": now + SESSION_LIFE}, self.secret, algorithm="HS256"
        )


def host_site(settings: Settings, http: httpx.AsyncClient) -> Issuer | None:
    """Who says which customer is signed in. None: nobody is believed."""
    if not settings.identity_jwks_url and not settings.identity_secret:
        return None
    return Issuer(
        called="identity token",
        audience=settings.identity_audience,
        longest=IDENTITY_LIFE,
        issuer=settings.identity_issuer,
        secret=_text(settings.identity_secret),
        keys=_published(settings.identity_jwks_url, http),
        required=("iss", "iat", "email"),
    )


def staff_login(settings: Settings, http: httpx.AsyncClient) -> Issuer | None:
    """Who says which colleague is calling, and in which role. None: nobody is believed."""
    if not settings.staff_jwks_url and not settings.staff_secret:
        return None
    return Issuer(
        called="token",
        audience=settings.staff_audience,
        longest=STAFF_LIFE,
        issuer=settings.staff_issuer,
        secret=_text(settings.staff_secret),
        keys=_published(settings.staff_jwks_url, http),
    )


def _verified_email(word: Word) -> str:
    """Who publishes keys has many kinds of users and has to say so; who shares a secret with us vouches by signing."""
    email = (word.line("email", longest=EMAIL_LENGTH) or "").lower()
    stated = word.claims.get("email_verified")
    if "@" not in email or (stated is not True and (word.published or stated is not None)):
        raise Unauthorized(
            "The identity token names no verified e-mail address: it needs `email` and `email_verified`."
        )
    return email


def _published(url: str | None, http: httpx.AsyncClient) -> PublishedKeys | None:
    return PublishedKeys(url=url, http=http) if url else None


def _text(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
