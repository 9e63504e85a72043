"""What the last messages of a thread leave behind, so that a card that comes in pieces is known by its last one."""

from collections.abc import Sequence
from dataclasses import dataclass

from redis.asyncio import Redis

from tools.safety.pieces import MOST, Piece

SECONDS_KEPT = 600


@dataclass(frozen=True)
class Tails:
    """Fails closed: without Redis no message with digits is taken in, `redis.exceptions.RedisError` goes up.

    No digit is kept, only what `Piece` says. Messages that come at the same time see each other's pieces in the order
    in which they were written here.
    """

    redis: Redis

    async def before(self, thread: str, pieces: Sequence[Piece]) -> list[Piece]:
        """Writes down this message's pieces, one at least, and returns those of the messages before it."""
        key = _key(thread)
        async with self.redis.pipeline(transaction=True) as pipe:
            pipe.lrange(key, 0, -1)
            pipe.rpush(key, *(piece.written for piece in pieces))
            pipe.ltrim(key, -MOST, -1)
            pipe.expire(key, SECONDS_KEPT)
            kept = (await pipe.execute())[0]
        return [Piece.read(one.decode() if isinstance(one, bytes) else one) for one in kept]

    async def forget(self, thread: str) -> None:
        await self.redis.delete(_key(thread))


def _key(thread: str) -> str:
    return f"tail:{{{thread}}}"
