"""Everything that the simulated Stripe remembers. One event loop owns it, so a handler that does not await is atomic.

Objects are the JSON that Stripe would send. Keys that begin with an underscore are ours and never leave.
"""

import hashlib
import string
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sandbox.stripe import API_VERSION
from sandbox.stripe.errors import Json, no_such

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
WITHOUT_MODE = frozenset({"refund", "balance_transaction"})
EVENTS_KEPT_SECONDS = 30 * 86_400


@dataclass
class Clock:
    """Wall time plus what tests advanced it by; `at` is for building the past."""

    wall: Callable[[], float] = time.time
    offset: int = 0
    held: int | None = None

    def now(self) -> int:
        return self.held if self.held is not None else self.present()

    def present(self) -> int:
        return int(self.wall()) + self.offset

    @contextmanager
    def at(self, moment: int) -> Iterator[None]:
        before, self.held = self.held, moment
        try:
            yield
        finally:
            self.held = before


@dataclass
class World:
    seed: str = "counterfoil"
    clock: Clock = field(default_factory=Clock)
    base_url: str = "http://127.0.0.1:12111"
    objects: dict[str, dict[str, Json]] = field(default_factory=dict)
    answers: dict[str, Json] = field(default_factory=dict)
    """Idempotency key to the answer that it will be given again."""
    counter: int = 0
    on_change: Callable[[], None] = lambda: None
    listeners: dict[str, Callable[["World", Json], None]] = field(default_factory=dict)
    """Event type to what else follows from it."""
    show: Callable[["World", Json], Json] = lambda _world, thing: public(thing)
    """An object as the API gives it; events carry it so."""
    request_key: str | None = None
    """Idempotency key of the request that is running, for the events it causes."""
    next_due: object = None
    """What `timeline.run_due` remembers between requests."""
    request_id: str | None = None
    outbox: list[Json] = field(default_factory=list)
    """Events that no webhook endpoint has been told of yet."""

    def now(self) -> int:
        return self.clock.now()

    def new_id(self, prefix: str, length: int = 24) -> str:
        """The same seed and the same history give the same ids."""
        self.counter += 1
        digest = hashlib.sha256(f"{self.seed}:{prefix}:{self.counter}".encode()).digest()
        return f"{prefix}_" + "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:length])

    def add(self, kind: str, prefix: str, **attributes: object) -> Json:
        """A new object; `created` is now unless given."""
        thing: Json = {"id": self.new_id(prefix), "object": kind, "created": self.now()}
        if kind not in WITHOUT_MODE:
            thing["livemode"] = False
        thing |= attributes
        self.objects.setdefault(kind, {})[thing["id"]] = thing
        return thing

    def all(self, kind: str) -> list[Json]:
        """Newest first; of one second, the later made first."""
        made = self.objects.get(kind, {}).values()
        return sorted(made, key=made_at)[::-1]

    def find(self, kind: str, identifier: str | None) -> Json | None:
        return self.objects.get(kind, {}).get(identifier or "")

    def get(self, kind: str, identifier: str, *, param: str = "id", label: str | None = None) -> Json:
        """The live object, or Stripe's resource_missing: 404 for an id in the path, 400 for one in a parameter."""
        found = self.find(kind, identifier)
        if found is None:
            raise no_such(label or kind, identifier, param=param, status=404 if param == "id" else 400)
        return found

    def emit(self, kind: str, thing: Json, before: Json | None = None) -> None:
        """Records an event with the object as it is now and the old values of what changed; then what follows."""
        self._record(kind, thing, before)
        if listener := self.listeners.get(kind):
            listener(self, thing)

    def _record(self, kind: str, thing: Json, before: Json | None) -> None:
        if self.now() < self.clock.present() - EVENTS_KEPT_SECONDS:
            return
        data: Json = {"object": self.show(self, thing)}
        if before is not None:
            data["previous_attributes"] = {key: old for key, old in before.items() if data["object"].get(key) != old}
        request = {"id": self.request_id, "idempotency_key": self.request_key}
        about: Json = {"api_version": API_VERSION, "data": data, "pending_webhooks": 0, "request": request}
        self.outbox.append(self.add("event", "evt", **about, type=kind))

    def take_outbox(self) -> list[Json]:
        events, self.outbox = self.outbox, []
        return events

    def clear(self) -> None:
        self.objects, self.answers, self.counter, self.clock.offset = {}, {}, 0, 0
        self.outbox.clear()

    def snapshot(self) -> Json:
        return {
            "counter": self.counter,
            "offset": self.clock.offset,
            "objects": self.objects,
            "answers": {key: answer for key, answer in self.answers.items() if "status" in answer},
        }

    def restore(self, saved: Json) -> None:
        self.counter, self.clock.offset = saved["counter"], saved["offset"]
        self.objects, self.answers = saved["objects"], saved["answers"]


def made_at(thing: Json) -> int:
    """Invoice items call it `date`; what is left of a deleted object has neither."""
    return int(thing.get("created") or thing.get("date") or 0)


def public(thing: Json) -> Json:
    """A deep copy without our own keys."""
    return {key: _copied(value) for key, value in thing.items() if not key.startswith("_")}


def _copied(value: Any) -> Any:
    """`copy.deepcopy` for JSON, five times as fast: seeding copies a thousand objects before every test."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value
