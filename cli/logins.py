"""What `counterfoil doctor` says of those who may call: customers of the host site, staff, and machines."""

from datetime import UTC, datetime

import httpx

from graphs.keys import open_ledger
from graphs.settings import Settings
from server.auth.issuer import Issuer
from server.auth.tokens import host_site, staff_login
from tools.ledger.service_keys import ServiceKey


async def customers(settings: Settings) -> tuple[str, str]:
    async with httpx.AsyncClient() as http:
        issuer = host_site(settings, http)
        if issuer is None:
            return "off", "by one-time code alone: IDENTITY_JWKS_URL and IDENTITY_SECRET are not set"
        return "ok", await _said(issuer, "IDENTITY_SECRET")


async def staff(settings: Settings) -> tuple[str, str]:
    async with httpx.AsyncClient() as http:
        issuer = staff_login(settings, http)
        if issuer is not None:
            return "ok", f"{await _said(issuer, 'STAFF_SECRET')}, roles at {settings.staff_roles_claim}"
    if settings.demo:
        return "embedded", "POST /demo/staff gives anybody a token"
    return "off", "nobody comes in: STAFF_JWKS_URL and STAFF_SECRET are not set"


async def machines(settings: Settings) -> tuple[str, str]:
    """A key that has expired or soon will is worth a look, whoever forgot it."""
    async with open_ledger(settings) as ledger:
        keys = [key for key in await ledger.service_keys() if not key.revoked]
    now = datetime.now(UTC)
    old = [key for key in keys if key.ageing(now)]
    if not old:
        return ("ok", f"{len(keys)} in use") if keys else ("off", "`counterfoil keys create` makes one, for metrics")
    return "due", "; ".join(_age(key, now) for key in old) + ": make another with `counterfoil keys create`"


async def _said(issuer: Issuer, secret: str) -> str:
    """Raises `Unavailable` when the keys cannot be read."""
    ways = [f"{await issuer.keys.read()} keys at {issuer.keys.url}"] if issuer.keys else []
    ways += [secret] if issuer.secret else []
    return f"{' and '.join(ways)}, aud {issuer.audience}"


def _age(key: ServiceKey, now: datetime) -> str:
    when = "expired" if key.expired(now) else f"expires in {key.days_left(now)} days,"
    return f"{key.name} ({key.id}) {when} {key.expires:%Y-%m-%d}"
