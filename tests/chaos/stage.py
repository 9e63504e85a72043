"""The world as it is right before a customer says yes, kept so that it can be had again for every point."""

import asyncio
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import asyncpg
import redis

from tests.chaos.forks import Forks
from tests.chaos.laws import Facts, Line, World
from tests.chaos.life import Place
from tests.chaos.points import KILLED, Point
from tests.fixtures.sandbox import Sandbox

Json = dict[str, Any]
SNAPSHOT = "chaos"
PREPARED_AGO, KILLED_AGO, AGAIN_AGO = 120.0, 60.0, 30.0
"""Seconds before now: a server that was killed comes back a minute later, and nobody has to wait for it."""


class Database(Protocol):
    """A ledger's database that can be put aside and had again."""

    @property
    def name(self) -> str: ...
    @property
    def url(self) -> str: ...
    def keep(self) -> None: ...
    def put_back(self) -> None: ...


@dataclass
class SQLite:
    folder: Path
    name: str = "sqlite"

    @property
    def url(self) -> str:
        return f"sqlite:///{self._file}"

    @property
    def _file(self) -> Path:
        return self.folder / "ledger.db"

    def keep(self) -> None:
        """The process that wrote it has closed it, so there is nothing beside the file."""
        shutil.copyfile(self._file, self.folder / "kept.db")

    def put_back(self) -> None:
        for beside in ("-wal", "-shm"):
            self._file.with_name(f"ledger.db{beside}").unlink(missing_ok=True)
        shutil.copyfile(self.folder / "kept.db", self._file)


@dataclass
class PostgreSQL:
    server: str
    name: str = "postgresql"
    database: str = field(default_factory=lambda: f"chaos_{uuid4().hex}")

    def __post_init__(self) -> None:
        self._do(f"CREATE DATABASE {self.database}")

    @property
    def url(self) -> str:
        return f"{self.server}/{self.database}"

    def keep(self) -> None:
        self._do(
            f"DROP DATABASE IF EXISTS {self.database}_kept",
            f"CREATE DATABASE {self.database}_kept TEMPLATE {self.database}",
        )

    def put_back(self) -> None:
        self._do(
            f"DROP DATABASE {self.database} WITH (FORCE)",
            f"CREATE DATABASE {self.database} TEMPLATE {self.database}_kept STRATEGY FILE_COPY",
        )

    def _do(self, *statements: str) -> None:
        async def do() -> None:
            admin = await asyncpg.connect(f"{self.server}/postgres")
            for statement in statements:
                await admin.execute(statement)
            await admin.close()

        asyncio.run(do())


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Redis, key by key: what it holds, and for how many milliseconds."""

    keys: dict[bytes, tuple[int, bytes]]

    @classmethod
    def of(cls, client: "redis.Redis") -> "Kept":
        found: Any = client.keys()
        return cls(keys={key: (max(_left(client, key), 0), _dump(client, key)) for key in found})

    def put_back(self, client: "redis.Redis") -> None:
        client.flushall()
        for key, (left, dump) in self.keys.items():
            client.restore(key, left, dump)


def _left(client: "redis.Redis", key: bytes) -> int:
    left: Any = client.pttl(key)
    return int(left)


def _dump(client: "redis.Redis", key: bytes) -> bytes:
    dump: Any = client.dump(key)
    return bytes(dump)


def time_passes(client: "redis.Redis", seconds: float) -> None:
    """What Redis keeps for a time only, leases among it, it has kept for that much longer."""
    found: Any = client.keys()
    for key in found:
        left = _left(client, key)
        if left >= 0:
            client.pexpire(key, max(left - int(seconds * 1000), 0))


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of action, and how somebody comes to it."""

    name: str
    email: str
    wish: str
    listing: str
    """Where Stripe lists the objects of which one is changed, or made."""
    fields: Json
    """What shows there that it was done."""


KINDS = (
    Kind(
        name="refund",
        email="ada@example.com",
        wish="I was charged twice this month",
        listing="/v1/refunds",
        fields={"status": "succeeded"},
    ),
    Kind(
        name="plan",
        email="linus@example.com",
        wish="I can't pay the open invoice at once, can I pay in 3 parts?",
        listing="/v1/invoices",
        fields={"auto_advance": False},
    ),
    Kind(
        name="cancel",
        email="alan@example.com",
        wish="I want to cancel my subscription",
        listing="/v1/subscriptions",
        fields={"cancel_at_period_end": True},
    ),
)


@dataclass(frozen=True, kw_only=True)
class Stage:
    kind: Kind
    forks: Forks
    place: Place
    database: Database
    client: "redis.Redis"
    sandbox: Sandbox
    kept: Kept
    thread: str
    action: str
    said_before: int
    answers: int = 1
    promised: list[str] | None = None
    """None: not known yet what a run promises that nothing happens to."""
    message: str = field(default_factory=lambda: str(uuid4()))

    @classmethod
    def prepare(cls, kind: Kind, *, forks: Forks, database: Database, sandbox: Sandbox, place: Place) -> "Stage":
        client = redis.Redis.from_url(place.redis_url)
        found = forks.do("propose", replace(place, ago=PREPARED_AGO), email=kind.email, wish=kind.wish)
        assert "proposed" == found["state"]
        sandbox.post("snapshot", name=SNAPSHOT)
        database.keep()
        return cls(
            kind=kind,
            forks=forks,
            place=place,
            database=database,
            client=client,
            sandbox=sandbox,
            kept=Kept.of(client),
            thread=found["thread"],
            action=found["action"],
            said_before=found["said"],
        )

    def set(self) -> None:
        self.sandbox.post("restore", name=SNAPSHOT)
        self.kept.put_back(self.client)
        self.database.put_back()

    def points(self) -> list[Point]:
        """What a run passes that nothing happens to, in order, and passes again the next time.

        The first run goes unseen: it fills caches. What only one of the next two passes is there by the clock.
        """
        self._agree(count=False)
        first, second = self._passed(), self._passed()
        assert len(first) == len(set(first)), "two points have one name"
        again = {str(point) for point in second}
        return [point for point in first if str(point) in again]

    def _passed(self) -> list[Point]:
        _, found = self._agree(count=True)
        assert found, self.forks.log()
        return [Point(*point) for point in found["passed"]]

    def killed_at(self, point: Point) -> World | None:
        """What is found by the process that comes after; None when this one did not get to that point."""
        code, _ = self._agree(deadly=str(point))
        assert code in {0, KILLED}, self.forks.log()
        return self._aftermath() if code == KILLED else None

    def points_of_mending(self, first: Point) -> list[Point]:
        """What a process passes, each time, that comes after one that died at `first`."""
        once, again = ({str(point): point for point in self._mended(first)} for _ in range(2))
        return [point for name, point in once.items() if name in again]

    def killed_again_at(self, first: Point, second: Point) -> World | None:
        """The same, where the process that came after died as well."""
        self._agree(deadly=str(first))
        time_passes(self.client, KILLED_AGO - AGAIN_AGO)
        code, _ = self._come_back(deadly=str(second), ago=AGAIN_AGO)
        assert code in {0, KILLED}, self.forks.log()
        return self._aftermath(AGAIN_AGO) if code == KILLED else None

    def after_a_lost_answer(self) -> "Stage":
        """Stripe has done it, and every answer was lost: the customer has heard that it is not known yet."""
        self.set()
        self.sandbox.fault(method="POST", path="/v1/.*", count=1000, kind="status_after_commit", status=500)
        code, _ = self.forks.ask("agree", replace(self.place, ago=KILLED_AGO), **self._yes())
        self.sandbox.clear_faults()
        assert 0 == code, self.forks.log()
        time_passes(self.client, KILLED_AGO - AGAIN_AGO)
        self.sandbox.post("snapshot", name=SNAPSHOT)
        self.database.keep()
        return replace(self, kept=Kept.of(self.client), answers=2)

    def points_of_finding_out(self) -> list[Point]:
        """What a process passes, each time, that finds out what became of it."""
        once, again = ({str(point): point for point in self._found_out()} for _ in range(2))
        return [point for name, point in once.items() if name in again]

    def killed_finding_out_at(self, point: Point) -> World | None:
        self.set()
        code, _ = self._come_back(deadly=str(point), ago=AGAIN_AGO)
        assert code in {0, KILLED}, self.forks.log()
        return self._aftermath(AGAIN_AGO) if code == KILLED else None

    def _found_out(self) -> list[Point]:
        self.set()
        _, found = self._come_back(count=True, ago=AGAIN_AGO)
        assert found, self.forks.log()
        return [Point(*point) for point in found["passed"]]

    def _mended(self, first: Point) -> list[Point]:
        self._agree(deadly=str(first))
        time_passes(self.client, KILLED_AGO - AGAIN_AGO)
        _, found = self._come_back(count=True, ago=AGAIN_AGO)
        assert found, self.forks.log()
        return [Point(*point) for point in found["passed"]]

    def _aftermath(self, seconds: float = KILLED_AGO) -> World:
        unwitnessed = bool(self._requests()) and not self._intents()
        time_passes(self.client, seconds)
        return replace(self.look(), unwitnessed=unwitnessed)

    def look(self) -> World:
        """A process comes back, does what is left to do, and tells how it all stands."""
        code, found = self._come_back()
        assert (0, True) == (code, found is not None), self.forks.log()
        assert found
        lines = [Line(*line) for line in found["facts"].pop("lines")]
        facts = Facts(**found["facts"], lines=lines)
        return World(
            facts=facts,
            promised=facts.promises if self.promised is None else self.promised,
            requests=self._requests(),
            done=self._done(),
            message=self.message,
            before=self.said_before,
            answers=self.answers,
        )

    def _agree(self, *, deadly: str = "", count: bool = False) -> tuple[int, Json | None]:
        self.set()
        return self.forks.ask("agree", replace(self.place, ago=KILLED_AGO), **self._yes(deadly=deadly, count=count))

    def _yes(self, *, deadly: str = "", count: bool = False) -> Json:
        return {"thread": self.thread, "message": self.message, "deadly": deadly, "count": count}

    def _come_back(self, *, deadly: str = "", count: bool = False, ago: float = 0.0) -> tuple[int, Json | None]:
        order = {"thread": self.thread, "action": self.action, "message": self.message}
        return self.forks.ask("come_back", replace(self.place, ago=ago), **order, deadly=deadly, count=count)

    def _requests(self) -> int:
        """Requests of ours that changed something in the action's name: each is on Stripe's own events."""
        events = self._listed("/v1/events")
        named = [e for e in events if self._is_ours(e["data"]["object"]) and e["request"]["id"]]
        return len({event["request"]["id"] for event in named})

    def _intents(self) -> int:
        kept: int = self.forks.do("intents", self.place, action=self.action)["kept"]
        return kept

    def _done(self) -> bool:
        ours = [thing for thing in self._listed(self.kind.listing) if self._is_ours(thing)]
        wanted = self.kind.fields
        return [wanted] == [{name: thing.get(name) for name in wanted} for thing in ours]

    def _is_ours(self, thing: Json) -> bool:
        return bool((thing.get("metadata") or {}).get("action_id") == self.action)

    def _listed(self, path: str) -> list[Json]:
        headers = {"Authorization": f"Bearer {self.sandbox.api_key}"}
        answer = self.sandbox.http.get(path, params={"limit": 100}, headers=headers)
        found: list[Json] = answer.raise_for_status().json()["data"]
        return found
