"""The events of a thread after a number, run after run, until told to stop.

Reading starts with the first entry of the run in which the number is, so that what is said of a message does not depend
on where a reader came in; what comes up to the number is left out. Who names no number reads from the run that goes
on, or the last one: what was before it is in the state.

| what happens                                         | what the reader does                                       |
|------------------------------------------------------|------------------------------------------------------------|
| the number's entry, or the start of its run, is gone | `gap`, the state and phase as they are now, and the rest   |
| the whole log is gone                                | the same at once, as the next entry may be long in coming  |
| a reader is slower than the trimming                 | the same, where the chain breaks                           |
| a worker died between a run's last entry and its end | asks the ledger; the end has that entry's last place       |
"""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import cached_property

from server.auth import Principal
from server.events import GAP as GAP_SAID
from server.events import POLL_SECONDS, RECHECK_SECONDS, START, Check, Event
from server.present import failure_of
from server.protocol.bodies import Subscription
from server.protocol.places import (
    FIRST,
    GAP,
    LAST,
    PHASE,
    PLACES,
    STATE,
    WAITING,
    before,
    entry_of,
    is_later,
    number,
    time_of,
)
from server.protocol.translation import PHASES, Said, Translation, lifecycle, requests, values
from server.runs.encode import dumps
from server.services import Services
from server.threads import channels_for, final_values
from server.view import INTERRUPT, for_customer


@dataclass(frozen=True, kw_only=True)
class Numbered:
    number: int
    said: Said
    at: int
    """Milliseconds since 1970."""
    is_of_now: bool = False
    """Made for this reader: another who comes by here may be told something else."""

    def as_event(self) -> Event:
        told = {
            "type": "event",
            "event_id": f"{self.number}:{self.at}" if self.is_of_now else str(self.number),
            "seq": self.number,
            "method": self.said.method,
            "params": {"namespace": [], "timestamp": self.at, "data": self.said.data},
        }
        return Event(id=str(self.number), run="", event=self.said.method, data=dumps(told))


async def protocol_events(
    services: Services, thread: str, caller: Principal, wanted: Subscription, stopped: Check
) -> AsyncIterator[Event]:
    reader = Reader(services=services, thread=thread, caller=caller, stopped=stopped)
    async for told in reader.after(wanted.since):
        if wanted.takes(told.said):
            yield told.as_event()


@dataclass(kw_only=True)
class Reader:
    services: Services
    thread: str
    caller: Principal
    stopped: Check
    _last: str = START
    _floor: int = 0
    _translation: Translation = field(default_factory=Translation)
    _is_told: bool = False
    """That the start of the first run is there, or that it is not."""
    _ended: str | None = None
    _look_at: float = 0.0

    @cached_property
    def _channels(self) -> frozenset[str] | None:
        return channels_for(self.services, self.caller)

    async def after(self, since: int | None) -> AsyncIterator[Numbered]:
        async for told in self._enter(since):
            yield told
        while not self.stopped():
            entries = await self.services.events.read(self.thread, self._last, seconds=POLL_SECONDS)
            for entry in entries:
                async for told in self._tell(entry):
                    if told.number > self._floor:
                        yield told
            if not entries and (end := await self._missing_end()):
                yield end

    async def _enter(self, since: int | None) -> AsyncIterator[Numbered]:
        if since is None:
            await self._enter_last_run()
            return
        if since == 0:
            return
        log, entry_id = self.services.events, entry_of(since)
        start = await log.before_run(self.thread, entry_id)
        if start is None and is_later(entry_id, await log.tail(self.thread)):
            self._is_told = True
            async for told in self._missed(since + 1):
                yield told
        else:
            was_in_gap = since % PLACES < FIRST
            self._last, self._floor = start or (before(entry_id) if was_in_gap else entry_id), since

    async def _enter_last_run(self) -> None:
        log, unfinished = self.services.events, await self.services.ledger.unfinished_runs(self.thread)
        if (tail := await log.tail(self.thread)) == START:
            return
        newest = (await log.read(self.thread, before(tail)))[:1]
        if unfinished and all(entry.run not in {run.id for run in unfinished} for entry in newest):
            self._last, self._is_told = tail, True  # what goes on has said nothing yet
        else:
            self._last = await log.before_run(self.thread, tail) or START

    async def _tell(self, entry: Event) -> AsyncIterator[Numbered]:
        is_broken = self._last not in (START, entry.previous)
        if is_broken or not (self._is_told or entry.event == "metadata"):
            self._translation = Translation(is_within=entry.event != "metadata")
            async for told in self._missed(number(entry.id, GAP)):
                yield told
        elif entry.event == "metadata" and (end := await self._end_before(entry.run)):
            yield end
        self._last, self._is_told, self._ended = entry.id, True, None
        shown = entry if self._channels is None else for_customer(entry, self._channels)
        for place, said in enumerate(self._translation.of(shown) if shown else [], FIRST):
            yield Numbered(number=number(entry.id, place), said=said, at=time_of(entry.id))

    async def _missed(self, first: int) -> AsyncIterator[Numbered]:
        state = await final_values(self.services, self.thread, self.caller)
        now = int(time.time() * 1000)
        told = [(GAP, Said("gap", {"message": GAP_SAID})), (STATE, values(state))]
        told += enumerate(requests(state.get(INTERRUPT, [])), WAITING)
        told += [(PHASE, said) async for said in self._phase(waits=INTERRUPT in state)]
        for place, said in told:
            yield Numbered(number=first + place, said=said, at=now, is_of_now=True)

    async def _phase(self, *, waits: bool) -> AsyncIterator[Said]:
        """How the last run stands, if there was one: whoever waits for its end may have missed it."""
        for run in await self.services.ledger.runs(self.thread, limit=1):
            phase = PHASES.get(run.status, "running")
            failure = failure_of(run)
            yield lifecycle("interrupted" if waits and phase == "completed" else phase, **_sentence(failure))

    async def _missing_end(self) -> Numbered | None:
        """Of a run that ended and did not say so: once it was over at one look, and nothing had come by the next."""
        run = self._translation.run
        if run is None or time.monotonic() < self._look_at:
            return None
        if self._ended is None:
            self._ended = await self._status(run)
            self._look_at = time.monotonic() + (POLL_SECONDS if self._ended else RECHECK_SECONDS)
            return None
        return self._over(self._ended)

    async def _end_before(self, run: str) -> Numbered | None:
        """The same, when the next run has begun. A run that is taken up again is the one that goes on."""
        going_on = self._translation.run
        if going_on in (None, run) or (status := await self._status(str(going_on))) is None:
            return None
        return self._over(status)

    def _over(self, status: str) -> Numbered:
        said = self._translation.over(status)
        return Numbered(number=number(self._last, LAST), said=said, at=time_of(self._last))

    async def _status(self, run: str) -> str | None:
        found = await self.services.ledger.run(run)
        return found.status if found and found.is_over else None


def _sentence(failure: dict[str, str] | None) -> dict[str, str]:
    return {"error": failure["message"]} if failure else {}
