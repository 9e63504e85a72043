"""Values above a size are compressed before anything else is done to them, encryption included."""

from typing import Any

import zstandard
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

MARK = ".zstd"


class CompressingSerializer(JsonPlusSerializer):
    """LangGraph's serializer, with Zstandard for what is larger than `above` bytes; smaller gains would cost more time.

    Reads what was stored without it. It takes the place of `JsonPlusSerializer` everywhere: with allow-lists, and
    inside an `EncryptedSerializer`. What can be compressed says something about itself by its length: leave it out
    where an attacker both writes into the state and sees how much room it takes.
    """

    def __init__(self, *, above: int = 1024, level: int = 3, **options: Any) -> None:
        super().__init__(**options)
        self.above = above
        self.level = level

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        kind, data = super().dumps_typed(obj)
        if len(data) <= self.above:
            return kind, data
        return kind + MARK, zstandard.compress(data, self.level)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        kind, stored = data
        if kind.endswith(MARK):
            return super().loads_typed((kind.removesuffix(MARK), zstandard.decompress(stored)))
        return super().loads_typed(data)
