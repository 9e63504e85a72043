"""Stripe ids and idempotency keys are checked before they travel."""

import re

_ID = re.compile(r"[A-Za-z0-9_]{3,255}")


def is_stripe_id(text: str) -> bool:
    """An empty or odd id would change the path that is asked for: an update would become a create."""
    return _ID.fullmatch(text) is not None


def checked_key(idempotency_key: str) -> str:
    """Without one the SDK makes up a key for each call, and a repeat would act twice."""
    if not 1 <= len(idempotency_key) <= 255:
        raise ValueError("an idempotency key has 1 to 255 characters")
    return idempotency_key
