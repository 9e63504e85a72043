"""Checkpoints are sealed on their way into Redis: state, metadata and pending writes alike."""

from langgraph.checkpoint.serde.base import CipherProtocol, SerializerProtocol
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

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


def sealing_serde(keys: Keyring) -> SerializerProtocol:
    """What was stored plain by an older release is still read."""
    return EncryptedSerializer(KeyringCipher(keys), JsonPlusSerializer())
