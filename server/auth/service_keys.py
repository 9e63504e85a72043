"""Machines: the key that one presents, and the word to its owner that it has to be replaced."""

from datetime import UTC, datetime

import structlog
from fastapi import Response

from server.auth.principal import Principal
from tools.errors import Unauthorized, Unavailable
from tools.ledger.ledger import Ledger
from tools.ledger.service_keys import KeyText, ServiceKey

log = structlog.get_logger()

EXPIRES = "Counterfoil-Key-Expires"
"""The header of every answer to a key in the last days of its life: the day from which it is refused (UTC)."""


async def service_of(text: KeyText, ledger: Ledger, response: Response) -> Principal:
    """Raises `Unauthorized`; `Unavailable` while the ledger does not answer, whatever was known before."""
    key = await ledger.service_key(text.id)
    if key is None or key.revoked or not text.opens(key):
        raise Unauthorized("This service key was revoked or never made. `counterfoil keys create` makes one.")
    now = datetime.now(UTC)
    if key.expired(now):
        log.warning("service_key.expired", key=key.id, name=key.name)
        raise Unauthorized(
            f"This service key expired on {key.expires:%Y-%m-%d}. `counterfoil keys create` makes another."
        )
    if key.ageing(now):
        log.warning("service_key.ageing", key=key.id, name=key.name, days_left=key.days_left(now))
        response.headers[EXPIRES] = f"{key.expires:%Y-%m-%d}"
    await _note(key, ledger)
    return Principal(id=f"key_{key.id}", role="service", name=key.name, scopes=key.scopes)


async def _note(key: ServiceKey, ledger: Ledger) -> None:
    """When it was last used is worth knowing, and not worth a refusal."""
    try:
        await ledger.note_key_use(key)
    except Unavailable:
        log.warning("service_key.use_not_noted", key=key.id)
