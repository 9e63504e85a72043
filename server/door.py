"""The door: what a person typed, made fit to be kept, before anything else sees it."""

import re

from tools.errors import InvalidRequest, TooLarge
from tools.identity.verifier import Verifier
from tools.safety.mask import mask
from tools.safety.types import Masked

MOST_CHARACTERS = 8_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


async def admit(verifier: Verifier, thread_id: str, text: str, *, message_id: str) -> Masked:
    """A customer's words without codes and secrets. Raises `InvalidRequest` or `TooLarge`, in a sentence."""
    return mask(await verifier.take_code(thread_id, fitting(text), message_id=message_id))


def fitting(text: str) -> str:
    said = _CONTROL.sub("", text).strip()
    if not said:
        raise InvalidRequest("Please type a message.")
    if len(said) > MOST_CHARACTERS:
        raise TooLarge(f"That message has {len(said):,} characters. Please keep it under {MOST_CHARACTERS:,}.")
    return said


def masked(text: str) -> str:
    """Words of staff, and side remarks: nothing is asked of them but that they hold no secrets."""
    return mask(_CONTROL.sub("", text).strip()).text
