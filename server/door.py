"""The door: what a person typed, made fit to be kept, before anything else sees it."""

import re

from graphs.plugs import Plugs
from server.tails import Tails
from tools.errors import InvalidRequest, TooLarge
from tools.safety.mask import mask
from tools.safety.pieces import closes, mask_pieces, pieces_in
from tools.safety.types import Masked

MOST_CHARACTERS = 8_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


async def admit(plugs: Plugs, thread_id: str, text: str, *, message_id: str) -> Masked:
    """A customer's words without codes and secrets. Raises `InvalidRequest` or `TooLarge`, in a sentence."""
    said = fitting(text)
    taken = await plugs.verifier.take_code(thread_id, said, message_id=message_id)
    return await _whole(plugs, thread_id, said, taken)


async def remark(plugs: Plugs, thread_id: str, text: str) -> str:
    """A customer's side remark, which may hold the rest of a card that was begun in a message."""
    said = _CONTROL.sub("", text).strip()
    return (await _whole(plugs, thread_id, said, said)).text


def fitting(text: str) -> str:
    said = _CONTROL.sub("", text).strip()
    if not said:
        raise InvalidRequest("Please type a message.")
    if len(said) > MOST_CHARACTERS:
        raise TooLarge(f"That message has {len(said):,} characters. Please keep it under {MOST_CHARACTERS:,}.")
    return said


def masked(text: str) -> str:
    """Words of staff, and names that clients give: nothing is asked of them but that they hold no secrets."""
    return mask(_CONTROL.sub("", text).strip()).text


async def _whole(plugs: Plugs, thread_id: str, said: str, taken: str) -> Masked:
    """`taken` is `said` without codes; digits taken for a code may have been a card's, so they count as a piece too."""
    pieces = pieces_in(mask(said).text)
    if not pieces:
        return mask(taken)
    tails = Tails(plugs.redis)
    earlier = await tails.before(thread_id, pieces)
    if closes(earlier, pieces):
        await tails.forget(thread_id)
    return mask_pieces(mask(taken), earlier)
