"""Redis's own protocol, RESP2 and RESP3: commands as bytes, and replies out of whatever pieces they arrive in.

https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from collections.abc import Callable
from typing import Any, cast

from redis.asyncio.connection import DefaultParser

Argument = str | bytes | int
_END = b"\r\n"
_BLOB_ERROR, _ERROR, _STATUS, _PUSH, _MAP, _DOUBLE, _TRUTH, _NULL = b"!-+>%,#_"
_SIZED, _COUNTED, _WHOLE = frozenset(b"$=!"), frozenset(b"*~>%"), frozenset(b":(")


class Pushed(list[Any]):
    """What the server says without having been asked, RESP3."""


def packed(*parts: Argument) -> bytes:
    """One command as it goes over the wire."""
    pieces = [b"*%d" % len(parts)]
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        pieces += (b"\r\n$%d\r\n" % len(data), data)
    pieces.append(_END)
    return b"".join(pieces)


class _Incomplete(Exception):
    def __init__(self, length: int) -> None:
        self.length = length
        """How much there has to be before another try is worth it."""


class Replies:
    """Takes in what arrives and gives out whole replies. `heard` is told what the server says unasked."""

    def __init__(self, heard: Callable[[list[Any]], None] | None = None) -> None:
        self._heard = heard
        self._buffer = b""
        self._needed = 0

    def feed(self, data: bytes) -> list[Any]:
        """Bytes, numbers, lists and None; a reply that is an error is the exception of redis-py for it."""
        self._buffer += data
        found, at = [], 0
        try:
            while at < len(self._buffer) >= self._needed:
                reply, at = _read(self._buffer, at)
                if not isinstance(reply, Pushed):
                    found.append(reply)
                elif self._heard:
                    self._heard(reply)
            self._needed = 0 if at else self._needed
        except _Incomplete as missing:
            self._needed = missing.length - at
        self._buffer = self._buffer[at:]
        return found


def _read(buffer: bytes, at: int) -> tuple[Any, int]:
    """The reply that begins at `at`, and where the next one begins."""
    end = buffer.find(_END, at)
    if end < 0:
        raise _Incomplete(len(buffer) + 1)
    kind, head, after = buffer[at], buffer[at + 1 : end], end + 2
    if kind in _SIZED:
        return _sized(buffer, kind, int(head), after)
    if kind in _COUNTED:
        return _several(buffer, kind, int(head), after)
    return _plain(kind, head), after


def _sized(buffer: bytes, kind: int, size: int, at: int) -> tuple[Any, int]:
    if size < 0:
        return None, at
    stop = at + size
    if len(buffer) < stop + 2:
        raise _Incomplete(stop + 2)
    data = buffer[at:stop]
    return (_error(data) if kind == _BLOB_ERROR else data), stop + 2


def _several(buffer: bytes, kind: int, count: int, at: int) -> tuple[Any, int]:
    if count < 0:
        return None, at
    items = []
    for _ in range(2 * count if kind == _MAP else count):
        item, at = _read(buffer, at)
        items.append(item)
    return (Pushed(items) if kind == _PUSH else items), at


def _plain(kind: int, head: bytes) -> Any:
    if kind in _WHOLE:
        return int(head)
    if kind == _STATUS:
        return head
    if kind == _ERROR:
        return _error(head)
    if kind == _NULL:
        return None
    if kind == _TRUTH:
        return head == b"t"
    if kind == _DOUBLE:
        return float(head)
    raise ValueError(f"Not a reply of Redis: {bytes([kind]) + head[:40]!r}")


def _error(text: bytes) -> Exception:
    parse = cast("Callable[[str], Exception]", DefaultParser.parse_error)
    return parse(text.decode(errors="replace"))
