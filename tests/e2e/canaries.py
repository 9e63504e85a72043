"""Secrets that are planted, and all the places that are looked through for them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import redis

CARD = "4000 0566 5566 5556"
IBAN = "DE89 3704 0044 0532 0130 00"
KEY = "sk_live_Canary5Ab7Cd9Ef1Gh3"
PASSWORD = "Canary!Finch77"
CODE = "the code is 914207"
CVV = "cvv 7391"
HALVES = ("5384 7291", "6037 1281")
EMAIL, PHONE = "canary@finch.example", "+44 20 7946 0777"
TEXT = f"goldfinch: my card {CARD} exp 11/29 {CVV}, IBAN {IBAN}, key {KEY}, {CODE}, password: {PASSWORD}"
WITNESS = "goldfinch"
"""Beside the secrets in every text: what holds this was reached by it."""

_SPACED = (CARD, IBAN, *HALVES)
_WRITTEN = (gap.join(one.split()) for one in _SPACED for gap in ("", " ", "%20", "+"))
SECRETS = (KEY, PASSWORD, CODE, CVV, "exp 11/29", *_WRITTEN)
PERSONAL = (EMAIL, EMAIL.replace("@", "%40"), PHONE, "2079460777", "7946 0777")


def found_in(places: Iterator[tuple[str, bytes]], secrets: tuple[str, ...] = SECRETS) -> list[str]:
    """`place: secret` for each that is there: as UTF-8, with and without JSON's escapes, or as UTF-16."""
    written = [(one, form) for one in secrets for form in _forms(one)]
    return [f"{place}: {one}" for place, content in places for one, form in written if form in content]


def _forms(text: str) -> set[bytes]:
    return {text.encode(), json.dumps(text)[1:-1].encode(), text.encode("utf-16-le"), text.encode("utf-16-be")}


def in_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file under it: databases with their write-ahead logs, vectors, logs, snapshots."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "models" not in path.parts:
            yield str(path.relative_to(folder)), path.read_bytes()


def in_redis(url: str) -> Iterator[tuple[str, bytes]]:
    """Every key by its own type, names included, and the bytes that it saves to its disk."""
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter(count=1000):
            yield f"redis name {key!r}", key
            yield f"redis {key!r}", repr_bytes(_value(client, key))
        client.config_set("rdbcompression", "no")
        client.save()
        folder, name = client.config_get("dir")["dir"], client.config_get("dbfilename")["dbfilename"]
        yield "redis on disk", (Path(folder) / name).read_bytes()


def _value(client: redis.Redis, key: bytes) -> Any:
    readers: dict[bytes, Any] = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"list": lambda name: client.lrange(name, 0, -1),
        b"set": client.smembers,
        b"zset": lambda name: client.zrange(name, 0, -1, withscores=True),
        b"stream": client.xrange,
        b"none": lambda _: None,
    }
    kind: Any = client.type(key)
    return readers[kind](key)


def repr_bytes(value: Any) -> bytes:
    """All bytes within nested answers, one after the other."""
    if isinstance(value, bytes):
        return value + b"\n"
    if isinstance(value, dict):
        return b"".join(repr_bytes(name) + repr_bytes(inner) for name, inner in value.items())
    if isinstance(value, list | tuple | set):
        return b"".join(map(repr_bytes, value))
    return str(value).encode() + b"\n"
