"""Who is calling: sessions of customers, tokens of staff, and the host site's word for a signed-in customer.

All are HS256 JWTs. A customer's token is ours, `aud` = `counterfoil:customer`. A staff token comes from the company's
own login, signed with `STAFF_SECRET`, `aud` = `counterfoil:staff`; in demo mode we sign one for anybody who asks.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self, get_args

import jwt
import structlog
from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from graphs.plugs import server_secret
from graphs.settings import Settings
from server.services import ServicesDep
from tools.errors import Forbidden, Unauthorized

StaffRole = Literal["agent", "supervisor", "admin"]
Role = Literal["customer"] | StaffRole
STAFF_ROLES = frozenset(get_args(StaffRole))
IN_CHARGE = frozenset({"supervisor", "admin"})
CUSTOMER = "counterfoil:customer"
STAFF = "counterfoil:staff"
HOST = "counterfoil"
SESSION_LIFE = timedelta(hours=12)


@dataclass(frozen=True, kw_only=True)
class Principal:
    """A caller whose token verified. `email` is set when the host site vouched for it."""

    id: str
    role: Role
    name: str
    email: str | None = None

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF_ROLES


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Issues and verifies tokens. Pure but for the clock and randomness."""

    secret: str
    staff_secret: str | None = None
    identity_secret: str | None = None
    demo: bool = False

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        staff, identity = settings.staff_secret, settings.identity_secret
        return cls(
            secret=server_secret(settings).decode(),
            staff_secret=staff.get_secret_value() if staff else None,
            identity_secret=identity.get_secret_value() if identity else None,
            demo=settings.demo,
        )

    def anonymous(self) -> str:
        return self._sign(CUSTOMER, sub=f"anon_{secrets.token_urlsafe(18)}")

    def vouched(self, identity_token: str) -> str:
        """A session for the customer that the host site names. The same customer gets the same id again."""
        claims = self._host_claims(identity_token)
        email = str(claims["email"]).strip().lower()
        known_as = f"{claims['iss']}|{claims.get('sub') or email}"
        return self._sign(CUSTOMER, sub=f"user_{hashlib.sha256(known_as.encode()).hexdigest()[:32]}", email=email)

    def demo_staff(self, name: str, role: StaffRole = "supervisor") -> str:
        return self._sign(STAFF, sub=name, name=name, role=role)

    def principal(self, token: str) -> Principal:
        """Whose token this is. Raises `Unauthorized`."""
        for secret, audience in self._accepted():
            try:
                claims = _decode(token, secret, audience, require=["exp", "sub"])
            except jwt.ExpiredSignatureError as error:
                raise Unauthorized("This token has expired. POST /sessions returns a new one.") from error
            except jwt.InvalidTokenError:
                continue
            return _principal(claims, audience)
        raise Unauthorized

    def _accepted(self) -> list[tuple[str, str]]:
        pairs = [(self.secret, CUSTOMER)]
        if self.staff_secret:
            pairs.append((self.staff_secret, STAFF))
        if self.demo:
            pairs.append((self.secret, STAFF))
        return pairs

    def _host_claims(self, token: str) -> dict[str, Any]:
        if not self.identity_secret:
            raise Unauthorized("Identity tokens are not accepted here: IDENTITY_SECRET is not set.")
        try:
            claims = _decode(token, self.identity_secret, HOST, require=["iss", "exp", "email"])
        except jwt.InvalidTokenError as error:
            raise Unauthorized("The identity token does not verify or has expired.") from error
        if "@" not in str(claims["email"]) or claims.get("email_verified") is False:
            raise Unauthorized("The identity token names no verified e-mail address.")
        return claims

    def _sign(self, audience: str, **claims: str) -> str:
        now = datetime.now(UTC)
        return jwt.encode(
            {**claims, "aud": audience, "iat": now, "exp": now + SESSION_LIFE}, self.secret, algorithm="HS256"
        )


def _decode(token: str, secret: str, audience: str, *, require: list[str]) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        token, secret, algorithms=["HS256"], audience=audience, options={"require": [*require, "aud"]}
    )
    return claims


def _principal(claims: dict[str, Any], audience: str) -> Principal:
    if audience == CUSTOMER:
        return Principal(id=claims["sub"], role="customer", name="customer", email=claims.get("email"))
    if claims.get("role") not in STAFF_ROLES:
        raise Unauthorized("The staff token has no role of agent, supervisor or admin.")
    return Principal(id=claims["sub"], role=claims["role"], name=str(claims.get("name") or claims["sub"]))


_bearer = HTTPBearer(auto_error=False, description="From POST /sessions, or a staff token.")


async def verified(
    services: ServicesDep, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    if credentials is None:
        raise Unauthorized
    principal = services.tokens.principal(credentials.credentials)
    structlog.contextvars.bind_contextvars(caller=principal.id, role=principal.role)
    return principal


Caller = Annotated[Principal, Depends(verified)]


async def customers_only(caller: Caller) -> Principal:
    if caller.is_staff:
        raise Unauthorized("This needs a customer's token. POST /sessions returns one.")
    return caller


async def staff_only(caller: Caller) -> Principal:
    if not caller.is_staff:
        raise Unauthorized("This needs a staff token.")
    return caller


async def in_charge(agent: Annotated[Principal, Depends(staff_only)]) -> Principal:
    if agent.role not in IN_CHARGE:
        raise Forbidden("Only a supervisor or an admin may turn this. Ask one of them.")
    return agent


CurrentCustomer = Annotated[Principal, Depends(customers_only)]
CurrentAgent = Annotated[Principal, Depends(staff_only)]
CurrentSupervisor = Annotated[Principal, Depends(in_charge)]
