"""Checkpoints are sealed on their way into Redis: state, metadata and pending writes alike."""

import json
from collections.abc import AsyncIterator

from langgraph.checkpoint.serde.base import CipherProtocol, SerializerProtocol
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from redis.asyncio import Redis

from graphs.redis_saver import CompressingSerializer
from tools.sealing.keyring import Keyring

PLACE = "checkpoint"


class KeyringCipher(CipherProtocol):
    """The id of the key takes the place of the cipher's name, so a value says what opens it."""

    def __init__(self, keys: Keyring) -> None:
        self._keys = keys

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        return self._keys.newest, self._keys.seal_bytes(plaintext, place=PLACE)

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        return self._keys.open_bytes(ciphername, ciphertext, place=PLACE)


# KEYS: hash    ARGV: field, what stood there, what shall
_REPLACE = """
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
"""


def sealing_serde(keys: Keyring) -> SerializerProtocol:
    """What was stored plain by an older release is still read. What is large is compressed before it is sealed."""
    return EncryptedSerializer(KeyringCipher(keys), CompressingSerializer())


async def reseal_checkpoints(redis: Redis, keys: Keyring, *, prefix: str = "checkpoint") -> AsyncIterator[int]:
    """Seals every stored value anew with the newest key; yields how many of each hash were.

    Safe beside running servers: a value that changed meanwhile is left as it is. Raises `CannotOpen`.
    """
    replace = redis.register_script(_REPLACE)
    for kind in ("checkpoints", "blobs", "writes"):
        async for name in redis.scan_iter(match=f"{prefix}:{{*}}:{kind}", count=500):
            done = 0
            async for field, stored in redis.hscan_iter(name, count=500):
                if (anew := _resealed(stored, keys)) is not None:
                    done += int(await replace([name], [field, stored, anew]))
            yield done


def _resealed(stored: bytes, keys: Keyring) -> bytes | None:
    """None for what needs no new seal: the newest key's, and the links between checkpoints, which hold no words."""
    head, found, data = stored.partition(b"\0")
    if not found:
        return None
    *header, tag = json.loads(head)
    kind, sealed, key_id = tag.partition("+")
    if key_id == keys.newest:
        return None
    plain = keys.open_bytes(key_id, data, place=PLACE) if sealed else data
    return json.dumps([*header, f"{kind}+{keys.newest}"]).encode() + b"\0" + keys.seal_bytes(plain, place=PLACE)
