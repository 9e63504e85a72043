"""Webhooks: each event is POSTed, signed, to every endpoint that wants it, once the request that caused it is over.

One queue and one task for each endpoint, so its events arrive in order; a refused event is tried again before the
next one goes out. After three retries (Stripe's rule for sandboxes) it is given up. Nothing here delays a request.
"""

import asyncio
import hashlib
import hmac
import json
import ssl
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import httpx

from sandbox.stripe import API_VERSION
from sandbox.stripe.delivery_faults import WebhookFault
from sandbox.stripe.errors import Json
from sandbox.stripe.faults import Faults
from sandbox.stripe.resources.webhook_endpoints import wants
from sandbox.stripe.world import World, public

RETRY_AFTER = (0.5, 2.0, 8.0)
TIMEOUT_SECONDS = 10.0
LONGEST_QUEUE = 1000
ATTEMPTS_KEPT = 1000
USER_AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"
# Only loopback HTTP is ever called; the CA bundle would cost more than a delivery.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass(frozen=True)
class Parcel:
    """One event on its way to one endpoint."""

    event: Json
    endpoint: str
    fault: WebhookFault | None = None

    @property
    def kind(self) -> str | None:
        return self.fault.kind if self.fault else None


@dataclass
class Queue:
    waiting: deque[Parcel] = field(default_factory=deque)
    held: list[Parcel] = field(default_factory=list)
    """Out of order: to go after the next one, latest first."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def put(self, parcel: Parcel) -> None:
        self.waiting.append(parcel)
        self.arrived.set()

    async def next(self) -> Parcel | None:
        """The parcel whose turn it is, or None when there is no more."""
        while self.waiting or self.held:
            while self.waiting:
                parcel = self.waiting.popleft()
                if parcel.kind != "out_of_order":
                    self._let_go()
                    return parcel
                self.held.append(parcel)
            await self._await_follower()
        return None

    async def _await_follower(self) -> None:
        self.arrived.clear()
        patience = max(parcel.fault.wait for parcel in self.held if parcel.fault)
        try:
            await asyncio.wait_for(self.arrived.wait(), patience)
        except TimeoutError:
            self._let_go()

    def _let_go(self) -> None:
        self.waiting.extendleft(replace(parcel, fault=None) for parcel in self.held)
        self.held.clear()


class Delivery:
    def __init__(self, world: World, faults: Faults) -> None:
        self.world, self.faults = world, faults
        self.retry_after: Sequence[float] = RETRY_AFTER
        self.timeout = TIMEOUT_SECONDS
        self.attempts: deque[Json] = deque(maxlen=ATTEMPTS_KEPT)
        self.queues: dict[str, Queue] = {}
        self.timers: set[asyncio.TimerHandle] = set()
        self.pending = 0
        self._idle = asyncio.Event()

    def address(self, events: Iterable[Json]) -> None:
        """Notes on each event who waits for it, so that the note is kept with the event."""
        endpoints = self.world.all("webhook_endpoint")
        for event in events if endpoints else ():
            waiting = [each["id"] for each in reversed(endpoints) if wants(each, event["type"])]
            if waiting:
                event |= {"_waiting": waiting, "pending_webhooks": len(waiting)}

    def release(self, events: Iterable[Json]) -> None:
        for event in events:
            for endpoint in event.get("_waiting", ()):
                self.send(event, endpoint)

    def resume(self) -> None:
        """What an earlier process had not delivered."""
        self.release(reversed(self.world.all("event")))

    async def release_early(self, events: list[Json]) -> list[Json]:
        """Delivers what a fault wants delivered before the answer; the rest is returned."""
        rest = []
        for event in events:
            fault = self.faults.take_webhook(event["type"], early=True) if event.get("_waiting") else None
            if fault is None:
                rest.append(event)
                continue
            for endpoint in event["_waiting"]:
                self._enqueue(Parcel(event, endpoint, fault))
            await self.flush(fault.wait)
        return rest

    def send(self, event: Json, endpoint: str) -> None:
        parcel = Parcel(event, endpoint, self.faults.take_webhook(event["type"]))
        match parcel.kind:
            case "dropped":
                self._note(parcel, 0, "dropped")
                self._settle(parcel, delivered=False)
            case "delayed":
                self._later(parcel)
            case "duplicate":
                self._enqueue(parcel)
                self._enqueue(parcel)
            case _:
                self._enqueue(parcel)

    def _later(self, parcel: Parcel) -> None:
        self._begin()

        def now() -> None:
            self.timers.discard(timer)
            self._enqueue(replace(parcel, fault=None))
            self._end()

        timer = asyncio.get_running_loop().call_later(parcel.fault.wait if parcel.fault else 0, now)
        self.timers.add(timer)

    def _enqueue(self, parcel: Parcel) -> None:
        queue = self.queues.setdefault(parcel.endpoint, Queue())
        if len(queue.waiting) >= LONGEST_QUEUE:
            self._note(parcel, 0, "queue full")
            self._settle(parcel, delivered=False)
            return
        self._begin()
        queue.put(parcel)
        if queue.task is None:
            queue.task = asyncio.get_running_loop().create_task(self._work(queue))

    async def _work(self, queue: Queue) -> None:
        """Lives as long as there is something to deliver."""
        while queue.waiting or queue.held:
            async with httpx.AsyncClient(timeout=self.timeout, verify=NO_TLS, trust_env=False) as http:
                while parcel := await queue.next():
                    await self._deliver(http, parcel)
        queue.task = None

    async def _deliver(self, http: httpx.AsyncClient, parcel: Parcel) -> None:
        delivered = False
        for number, delay in enumerate((0.0, *self.retry_after), start=1):
            await asyncio.sleep(delay)
            endpoint = self.world.find("webhook_endpoint", parcel.endpoint)
            if endpoint is None or endpoint["status"] != "enabled":
                self._note(parcel, number, "endpoint disabled or deleted")
                break
            status = await self._post(http, endpoint, parcel)
            self._note(parcel, number, status)
            delivered = isinstance(status, int) and 200 <= status < 300
            if delivered:
                break
        self._settle(parcel, delivered=delivered)
        self._end()

    async def _post(self, http: httpx.AsyncClient, endpoint: Json, parcel: Parcel) -> int | str:
        """The receiver's status, or why there was none."""
        body = rendered(parcel, endpoint)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": USER_AGENT,
            "Stripe-Signature": signature(body, endpoint["_secret"], parcel.fault),
        }
        try:
            return (await http.post(endpoint["url"], content=body, headers=headers)).status_code
        except httpx.TimeoutException:
            return "timeout"
        except httpx.HTTPError as failure:
            return type(failure).__name__

    def _settle(self, parcel: Parcel, *, delivered: bool) -> None:
        """`pending_webhooks` counts what was not delivered; what was given up is waited for no longer."""
        event = parcel.event
        if parcel.endpoint in event.get("_waiting", ()):
            event["_waiting"] = [each for each in event["_waiting"] if each != parcel.endpoint]
            event["pending_webhooks"] -= 1 if delivered else 0
            self.world.commit()

    def _note(self, parcel: Parcel, number: int, status: int | str) -> None:
        noted = {"event": parcel.event["id"], "type": parcel.event["type"], "endpoint": parcel.endpoint}
        self.attempts.append(noted | {"attempt": number, "status": status, "fault": parcel.kind, "at": time.time()})

    def _begin(self) -> None:
        self.pending += 1
        self._idle.clear()

    def _end(self) -> None:
        self.pending -= 1
        if not self.pending:
            self._idle.set()

    async def flush(self, seconds: float) -> int:
        """Waits until nothing is on its way, or so long; what is still on its way then."""
        if self.pending:
            try:
                await asyncio.wait_for(self._idle.wait(), seconds)
            except TimeoutError:
                return self.pending
        return self.pending

    def forget(self) -> None:
        """Starting again: nothing that was on its way arrives any more."""
        for timer in self.timers:
            timer.cancel()
        for queue in self.queues.values():
            if queue.task:
                queue.task.cancel()
        self.timers.clear()
        self.queues.clear()
        self.attempts.clear()
        self.retry_after, self.timeout, self.pending = RETRY_AFTER, TIMEOUT_SECONDS, 0
        self._idle.set()


def rendered(parcel: Parcel, endpoint: Json) -> bytes:
    """The event in the endpoint's version. The sandbox knows one rendering; of another version it has the name only."""
    version = endpoint["api_version"] or API_VERSION
    if parcel.fault and parcel.kind == "other_version":
        version = parcel.fault.api_version
    return json.dumps(public(parcel.event) | {"api_version": version}, indent=2).encode()


def signature(body: bytes, secret: str, fault: WebhookFault | None = None) -> str:
    """Stripe's scheme: HMAC-SHA256 over `t.body`. The receiver compares `t` with its own clock, so it is wall time."""
    moment = int(time.time())
    match fault.kind if fault else None:
        case "old_timestamp" if fault:
            moment -= int(fault.wait)
        case "future_timestamp" if fault:
            moment += int(fault.wait)
        case "wrong_secret":
            secret = f"whsec_not_{secret[6:]}"
        case "bad_signature":
            return f"t={moment},v1={'0' * 64}"
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256)
    return f"t={moment},v1={digest.hexdigest()}"
