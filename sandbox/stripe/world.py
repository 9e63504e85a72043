"""Everything that the simulated Stripe remembers. One event loop owns it, so a handler that does not await is atomic.

Objects are the JSON that Stripe would send. Keys that begin with an underscore are ours and never leave. Each object
tells before it changes, so `commit` knows what a request has changed, `as_of` how it was, and `go_back` the way back.
"""

import hashlib
import string
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from sandbox.stripe import API_VERSION
from sandbox.stripe.errors import Json, no_such
from sandbox.stripe.shelf import Place, Shelf
from sandbox.stripe.tracked import plain

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
WITHOUT_MODE = frozenset({"refund", "balance_transaction"})
EVENTS_KEPT_SECONDS = 30 * 86_400
CHANGES_KEPT = 5000

Key = tuple[str, str]
"""Kind and id."""


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


@dataclass(frozen=True)
class Before:
    """A version of an object, and its place among the others."""

    thing: Json
    place: Place


@dataclass(frozen=True)
class Change:
    moment: int
    key: Key
    before: Before | None
    """None: it was not there."""


@dataclass
class Snapshot:
    """A point to go back to: what is not an object as it was, and of the objects what has changed since."""

    counter: int
    offset: int
    search_lag: int
    answers: dict[str, Json]
    before: dict[Key, Before | None] = field(default_factory=dict)


@dataclass
class World:
    seed: str = "counterfoil"
    clock: Clock = field(default_factory=Clock)
    base_url: str = "http://127.0.0.1:12111"
    objects: dict[str, Shelf] = field(default_factory=dict)
    answers: dict[str, Json] = field(default_factory=dict)
    """Idempotency key to the answer that it will be given again."""
    counter: int = 0
    on_commit: Callable[[], None] = lambda: None
    """Keeps what `changed`, `answered` and `cleared` name."""
    listeners: dict[str, Callable[["World", Json], None]] = field(default_factory=dict)
    """Event type to what else follows from it."""
    show: Callable[["World", Json], Json] = lambda _world, thing: public(thing)
    """An object as the API gives it; events carry it so."""
    request_key: str | None = None
    """Idempotency key of the request that is running, for the events it causes."""
    agenda: object = None
    """What `timeline` knows of the time to come."""
    stirred: set[Key] = field(default_factory=set)
    """What has changed, come or gone since the agenda last looked."""
    request_id: str | None = None
    outbox: list[Json] = field(default_factory=list)
    """Events that no webhook endpoint has been told of yet."""
    overrides: dict[str, Json] = field(default_factory=dict)
    """Kind to what objects made now are given instead: a fault's doing."""
    declining: str | None = None
    """How every card behaves just now: a fault's doing."""
    search_lag: int = 0
    """Seconds after which search knows of a change."""
    changed: dict[Key, Before | None] = field(default_factory=dict)
    """Since the last commit."""
    answered: set[str] = field(default_factory=set)
    """Keys of the answers that came or went since the last commit."""
    cleared: bool = False
    recent: deque[Change] = field(default_factory=lambda: deque(maxlen=CHANGES_KEPT))
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    version: int = 0
    """Grows with every commit that changed something."""

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
        if instead := self.overrides.get(kind):
            thing |= instead
        return self.shelf(kind).place(thing)

    def shelf(self, kind: str) -> Shelf:
        if kind not in self.objects:
            self.objects[kind] = Shelf(partial(self._touch, kind))
        return self.objects[kind]

    def all(self, kind: str) -> list[Json]:
        """Newest first; of one second, the later made first."""
        return self.objects[kind].newest() if kind in self.objects else []

    def of(self, kind: str, name: str, value: str) -> list[Json]:
        """Those with this value in a (dotted) field, such as the charges of a customer; newest first, by an index."""
        return self.objects[kind].of(name, value) if kind in self.objects else []

    def findable(self, kind: str) -> list[Json]:
        """What search knows of this kind by now, newest first."""
        if not self.search_lag:
            return self.all(kind)
        return self.as_of(self.clock.present() - self.search_lag).all(kind)

    def find(self, kind: str, identifier: str | None) -> Json | None:
        return self.objects[kind].get(identifier or "") if kind in self.objects else None

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

    def _touch(self, kind: str, identifier: str) -> None:
        """Called before an object changes: the first time, its version is put aside."""
        key = kind, identifier
        self.stirred.add(key)
        if key in self.changed:
            return
        shelf = self.objects[kind]
        thing = shelf.get(identifier)
        before = None if thing is None else Before(plain(thing), shelf.places[identifier])
        self.changed[key] = before
        for snapshot in self.snapshots.values():
            snapshot.before.setdefault(key, before)

    def commit(self) -> None:
        """The end of a request: what it changed is history, and is kept."""
        if not (self.changed or self.answered or self.cleared):
            return
        moment = self.clock.present()
        self.recent.extend(Change(moment, key, before) for key, before in self.changed.items())
        self.on_commit()
        self.changed, self.answered, self.cleared = {}, set(), False
        self.version += 1

    def as_of(self, moment: int) -> "World":
        """The world for reading, as it was at a moment of late."""
        instead: dict[Key, Before | None] = {}
        for change in reversed(self.recent):
            if change.moment <= moment:
                break
            instead[change.key] = change.before
        return self._seen(instead)

    def one_change_ago(self) -> "World":
        """The world for reading, every object as it was before its own last change."""
        instead: dict[Key, Before | None] = {}
        for change in reversed(self.recent):
            if change.before:
                instead.setdefault(change.key, change.before)
        return self._seen(instead)

    def _seen(self, instead: dict[Key, Before | None]) -> "World":
        by_kind: dict[str, dict[str, Json | None]] = {}
        for (kind, identifier), before in instead.items():
            by_kind.setdefault(kind, {})[identifier] = before.thing if before else None
        views = {kind: self.objects[kind].seen(others) for kind, others in by_kind.items() if kind in self.objects}
        return replace(self, objects=self.objects | views, snapshots={})

    def clear(self) -> None:
        for kind, shelf in self.objects.items():
            for identifier, place in shelf.places.items():
                # Nobody will change it any more, so it need not be copied.
                gone = self.changed.get((kind, identifier), Before(shelf[identifier], place))
                for snapshot in self.snapshots.values():
                    snapshot.before.setdefault((kind, identifier), gone)
        self.objects, self.answers, self.counter = {}, {}, 0
        self.clock.offset = self.search_lag = 0
        self.changed, self.answered, self.cleared = {}, set(), True
        self.agenda, self.stirred = None, set()
        self.forget_changes()

    def forget_changes(self) -> None:
        """What is here now has always been here: no news, and nothing that search does not know."""
        self.outbox.clear()
        self.recent.clear()

    def remember(self, name: str) -> None:
        """A point to `go_back` to, of everything but what is running. Costs nothing until something changes."""
        self.commit()
        answers = {key: answer for key, answer in self.answers.items() if "status" in answer}
        self.snapshots[name] = Snapshot(self.counter, self.clock.offset, self.search_lag, answers)

    def go_back(self, name: str) -> None:
        """Raises KeyError when there is no such point."""
        snapshot = self.snapshots[name]
        self.counter, self.clock.offset, self.search_lag = snapshot.counter, snapshot.offset, snapshot.search_lag
        self.answered |= self.answers.keys() ^ snapshot.answers.keys()
        self.answers = dict(snapshot.answers)
        self._put_back(snapshot.before)
        snapshot.before.clear()
        self.commit()
        self.forget_changes()

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """What happens inside has not happened once it ends: no object, no id, no event of it is left."""
        with self._apart() as undo:
            try:
                yield
            finally:
                undo()

    @contextmanager
    def whole(self, *, unless: Callable[[Exception], bool] = lambda _failure: False) -> Iterator[None]:
        """What happens inside happens whole: a failure leaves everything as it was, `unless` it is of those."""
        with self._apart() as undo:
            try:
                yield
            except Exception as failure:
                if not unless(failure):
                    undo()
                raise

    @contextmanager
    def _apart(self) -> Iterator[Callable[[], None]]:
        """Changes inside are told anew, so that they alone can be undone."""
        counter, outbox, before = self.counter, len(self.outbox), self.changed
        self.changed = {}

        def undo() -> None:
            self._put_back(self.changed)
            self.counter, self.changed = counter, {}
            del self.outbox[outbox:]

        try:
            yield undo
        finally:
            self.changed |= before

    def _put_back(self, versions: dict[Key, Before | None]) -> None:
        # A copy, as putting back is told like any change.
        for (kind, identifier), before in list(versions.items()):
            shelf = self.shelf(kind)
            if before:
                shelf.put_back(before.thing, before.place)
            elif identifier in shelf:
                del shelf[identifier]


def public(thing: Json) -> Json:
    """A deep copy without our own keys."""
    kept: Json = plain({key: value for key, value in thing.items() if not key.startswith("_")})
    return kept
