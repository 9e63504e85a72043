"""What a release left behind: its ledger, its checkpoints, and which conversation is which."""

import base64
import gzip
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import redis

from tests.fixtures.keys import TEXT

RELEASES = Path(__file__).parent / "releases"


@dataclass(frozen=True, kw_only=True)
class Names:
    """Ids of what was going on when the release was stopped, and when that was."""

    made: str
    asked: str
    """A thread whose customer was asked for their address."""
    person: str
    """One that a person has."""
    waiting: str
    """One whose refund waits for approval."""
    case: str
    digest: str


@dataclass(frozen=True)
class Release:
    name: str

    @property
    def folder(self) -> Path:
        return RELEASES / self.name

    @property
    def names(self) -> Names:
        return Names(**json.loads((self.folder / "names.json").read_text()))

    def keep(self, home: Path, client: "redis.Redis", names: Names) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "ledger.db.gz").write_bytes(gzip.compress((home / "ledger.db").read_bytes(), mtime=0))
        (self.folder / "names.json").write_text(json.dumps(asdict(names), indent=2) + "\n")
        found = cast("Any", client).keys("checkpoint:*")
        kept = {key.decode(): _taken(cast("Any", client), key) for key in sorted(found)}
        (self.folder / "checkpoints.json.gz").write_bytes(gzip.compress(json.dumps(kept).encode(), mtime=0))

    def put_back(self, home: Path, client: "redis.Redis") -> None:
        home.mkdir(parents=True, exist_ok=True)
        lay_key(home)
        (home / "ledger.db").write_bytes(gzip.decompress((self.folder / "ledger.db.gz").read_bytes()))
        kept = json.loads(gzip.decompress((self.folder / "checkpoints.json.gz").read_bytes()))
        for key, (kind, content) in kept.items():
            _put(cast("Any", client), key, kind, content)


def lay_key(home: Path) -> None:
    (home / "encryption.key").write_text(TEXT)
    (home / "encryption.key").chmod(0o600)


def seconds_since(names: Names) -> float:
    """A minute after it was stopped, the next release starts."""
    return (datetime.now(UTC) - datetime.fromisoformat(names.made) - timedelta(minutes=1)).total_seconds()


def _taken(client: Any, key: bytes) -> tuple[str, Any]:
    kind = client.type(key).decode()
    match kind:
        case "zset":
            return kind, [[_text(member), score] for member, score in client.zrange(key, 0, -1, withscores=True)]
        case "hash":
            return kind, {_text(field): _text(value) for field, value in client.hgetall(key).items()}
        case "string":
            return kind, _text(client.get(key))
    raise ValueError(f"{key!r} is a {kind}")


def _put(client: Any, key: str, kind: str, content: Any) -> None:
    match kind:
        case "zset":
            client.zadd(key, {_bytes(member): score for member, score in content})
        case "hash":
            client.hset(key, mapping={_bytes(field): _bytes(value) for field, value in content.items()})
        case "string":
            client.set(key, _bytes(content))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
