"""All objects of one kind: by id, in the order of their making, and by what they refer to."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from sandbox.stripe.errors import Json
from sandbox.stripe.tracked import TrackedDict

Place = tuple[int, int]
"""When it was made, and which of that second: the order of lists."""


class Shelf(dict[str, Json]):
    """`touch` is called with an id before that object changes, comes or goes."""

    def __init__(self, touch: Callable[[str], None] = lambda _identifier: None) -> None:
        super().__init__()
        self._touch = touch
        self._order: list[Place] = []
        self._at: dict[Place, str] = {}
        self.places: dict[str, Place] = {}
        self._next = 0
        self._indexes: dict[str, Index] = {}
        self._unindexed: set[str] = set()

    def touch(self, identifier: str) -> None:
        self._touch(identifier)
        self._unindexed.add(identifier)

    def place(self, thing: Json, place: Place | None = None) -> Json:
        """Puts a copy of the thing in, as the latest of its second unless it had its place before."""
        identifier = thing["id"]
        if identifier in self:
            del self[identifier]
        self.touch(identifier)
        place = place or (made_at(thing), self._next)
        self._next = max(self._next, place[1] + 1)
        insort(self._order, place)
        self._at[place] = identifier
        self.places[identifier] = place
        kept = TrackedDict(thing, partial(self.touch, identifier))
        super().__setitem__(identifier, kept)
        return kept

    def put_back(self, thing: Json, place: Place) -> None:
        """An earlier version, within the object where it is still there: whoever holds the object holds this."""
        identifier = thing["id"]
        if self.places.get(identifier) != place:
            self.place(thing, place)
            return
        self[identifier].clear()
        self[identifier].update(thing)

    def __setitem__(self, _identifier: str, thing: Json) -> None:
        self.place(thing)

    def __delitem__(self, identifier: str) -> None:
        self.touch(identifier)
        super().__delitem__(identifier)
        place = self.places.pop(identifier)
        del self._at[place], self._order[bisect_left(self._order, place)]

    def newest(self, identifiers: Iterable[str] | None = None) -> list[Json]:
        """Newest first; of one second, the later made first."""
        if identifiers is None:
            return [self[self._at[place]] for place in reversed(self._order)]
        return [self[each] for each in sorted(identifiers, key=self.places.__getitem__, reverse=True)]

    def of(self, name: str, value: str) -> list[Json]:
        """Those whose (dotted) field has this value, newest first. The first look at a name builds its index."""
        if name not in self._indexes:
            self._indexes[name] = Index(name)
            self._indexes[name].renew(self, self)
        for index in self._indexes.values():
            index.renew(self, self._unindexed)
        self._unindexed.clear()
        return self.newest(self._indexes[name].holders[value]) if value in self._indexes[name].holders else []

    def seen(self, instead: Mapping[str, Json | None]) -> "Shelf":
        """The shelf with other versions of some objects, or without them."""
        view = Shelf()
        for identifier, place in self.places.items():
            if (thing := instead.get(identifier, self[identifier])) is not None:
                view.place(thing, place)
        return view


class Index:
    """Value to the ids of the objects whose field has it."""

    def __init__(self, name: str) -> None:
        self._way = name.split(".")
        self.holders: defaultdict[str, set[str]] = defaultdict(set)
        self._values: dict[str, str] = {}

    def _value(self, thing: Json) -> Any:
        value: Any = thing
        for step in self._way:
            value = value.get(step) if isinstance(value, dict) else None
        return value

    def renew(self, shelf: Shelf, identifiers: Iterable[str]) -> None:
        for identifier in identifiers:
            if identifier in self._values:
                self.holders[self._values.pop(identifier)].discard(identifier)
            value = self._value(shelf[identifier]) if identifier in shelf else None
            if isinstance(value, str):
                self.holders[value].add(identifier)
                self._values[identifier] = value


def made_at(thing: Json) -> int:
    """Invoice items call it `date`; what is left of a deleted object has neither."""
    return int(thing.get("created") or thing.get("date") or 0)
