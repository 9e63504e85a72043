"""A whole server in this process: the real conversation and the real cases, on the simulated Stripe."""

import functools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import stripe

from graphs.settings import Settings
from server.app import create_app
from tests.fixtures.sandbox import Sandbox
from tests.server.conftest import STAFF_SECRET, Live, Outside, running
from tests.server.sse import all_of
from tools.knowledge.minilm import MiniLM
from tools.ledger.types import Action
from tools.nlu.local import LocalUnderstander

SECRET = "a-secret-of-two-servers-with-32-bytes"


def whole_settings(home: Path, sandbox: Sandbox, redis_url: str, database_url: str) -> Settings:
    return Settings(
        _env_file=None,
        home=home,
        redis_url=redis_url,
        database_url=database_url,
        stripe_sandbox_port=urlsplit(sandbox.url).port,
        smtp_sandbox_port=sandbox.smtp_port,
        codes_per_network=1_000_000,
        secret=SECRET,
        staff_secret=STAFF_SECRET,
    )


@asynccontextmanager
async def whole_server(settings: Settings) -> AsyncIterator[Live]:
    with loaded_once():
        async with running(create_app(settings), Outside()) as live:
            yield live


_embedder = functools.cache(MiniLM.load)
_understander = functools.cache(LocalUnderstander.load)


@contextmanager
def loaded_once() -> Iterator[None]:
    """The models are the same for every server, and take long to read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MiniLM, "load", _embedder)
        patch.setattr(LocalUnderstander, "load", _understander)
        yield


@dataclass
class Person:
    """A customer on one thread, who may talk to it through any server."""

    token: str
    thread: str
    servers: list[Live] = field(default_factory=list)

    def at(self, place: int = 0) -> httpx.AsyncClient:
        return self.servers[place].http(self.token)

    async def says(self, text: str, *, place: int = 0) -> str:
        async with self.at(place) as http:
            events = await all_of(http, "POST", "/chat", json={"message": text, "thread_id": self.thread})
        return "\n".join(one.data["text"] for one in events if one.event == "message")

    async def lines(self) -> list[dict[str, Any]]:
        async with self.at() as http:
            return list((await http.get(f"/threads/{self.thread}/messages")).json())

    async def card(self) -> dict[str, Any]:
        """The newest proposal put to them."""
        cards = [card for line in await self.lines() for card in line["cards"] if card["type"] == "proposal"]
        return dict(cards[-1])

    async def presses(self, card: dict[str, Any], *, confirm: bool = True, place: int = 0) -> dict[str, Any]:
        """The button, and what the conversation holds after its run: the last line."""
        async with self.at(place) as http:
            answer = await http.post(
                f"/actions/{card['id']}/confirmation", json={"digest": card["digest"], "confirm": confirm}
            )
            assert answer.status_code == 202, answer.text
            await http.get(f"/threads/{self.thread}/runs/{answer.json()['run_id']}/join")
        return (await self.lines())[-1]


async def signed_in(servers: list[Live], email: str) -> Person:
    """Bound to the account at level 2, as after a code."""
    live = servers[0]
    token = await live.customer()
    async with live.http(token) as http:
        thread = (await http.post("/threads", json={})).json()["thread_id"]
    [customer] = await live.services.plugs.billing.find_by_email(email)
    await live.services.ledger.bind_identity(thread, level=2, email=email, customer=customer.id, ttl_seconds=1800)
    return Person(token, thread, servers)


async def big_refund(servers: list[Live]) -> tuple[Person, dict[str, Any]]:
    """Grace is asked whether she wants 480.00 back, which a person has to approve."""
    grace = await signed_in(servers, "grace@example.com")
    assert "$480.00" in await grace.says("I'd like a refund for the annual plan I bought last week")
    return grace, await grace.card()


def refunds(sandbox: Sandbox) -> list[stripe.Refund]:
    found = sandbox.stripe().v1.refunds.list({"limit": 100}).data
    return [one for one in found if one.metadata and "action_id" in one.metadata]


async def action_at(live: Live, name: str) -> Action:
    action = await live.services.ledger.action(name)
    assert action is not None
    return action
