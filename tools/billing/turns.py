"""Writes to one customer, one after another: Stripe answers two at once with `lock_timeout`."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from tools.billing.translate import Json, identifier

REMEMBERED = 10_000
"""Owners kept, the most recently read ones: each is two short strings."""


class Turns:
    """Of this process alone; between processes it is the backing off of `retry.py` that settles who is first.

    Whose a charge, invoice or subscription is, the reads tell: every write follows one of its target. Before that
    an object counts as its own owner.
    """

    def __init__(self) -> None:
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def learn(self, raw: Json) -> None:
        """Of an object of Stripe's that was read."""
        owner = identifier(raw.get("customer"))
        if owner and "id" in raw:
            self._owners[raw["id"]] = owner
            self._owners.move_to_end(raw["id"])
            while len(self._owners) > REMEMBERED:
                self._owners.popitem(last=False)

    @asynccontextmanager
    async def of(self, stripe_id: str) -> AsyncIterator[None]:
        """Waits until no other write to the owner of this object is under way."""
        lock = self._locks.setdefault(self._owners.get(stripe_id, stripe_id), asyncio.Lock())
        async with lock:
            yield
