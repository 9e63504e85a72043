"""The keys that seal what is kept, and the ledger opened with them."""

from contextlib import AbstractAsyncContextManager

from graphs.kept_secret import kept_secret
from graphs.settings import Settings
from tools.ledger.ledger import Ledger
from tools.ledger.repository import Clock, utc_now
from tools.sealing.keyring import Keyring, new_key

FILE = "encryption.key"


def keyring(settings: Settings) -> Keyring:
    """Those of `COUNTERFOIL_ENCRYPTION_KEYS`; in demo mode one that is made at first start and kept in the home folder.

    Raises `ConfigurationError`.
    """
    if settings.encryption_keys is not None:
        return Keyring.parse(settings.encryption_keys.get_secret_value())
    settings.home.mkdir(parents=True, exist_ok=True)
    return Keyring.parse(kept_secret(settings.home / FILE, new_key("local")).decode())


def open_ledger(settings: Settings, *, clock: Clock = utc_now) -> AbstractAsyncContextManager[Ledger]:
    return Ledger.open(settings.ledger_url, keys=keyring(settings), clock=clock)
