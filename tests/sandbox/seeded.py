"""The demo's world as it is planted at a given moment, read over the sandbox's own API in this process."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx

from sandbox.mail import Inbox
from sandbox.seed import SEEDS
from sandbox.stripe.app import create_app
from sandbox.stripe.resources import new_world
from sandbox.stripe.world import Clock, World
from tests.sandbox.conftest import Api

Things = list[dict[str, Any]]

NOW = datetime.now(UTC)
MOMENTS = [
    NOW,
    datetime(2026, 11, 23, 12, tzinfo=UTC),
    datetime(2026, 11, 1, 0, 30, tzinfo=UTC),
    datetime(2027, 3, 1, 15, tzinfo=UTC),
    datetime(2028, 2, 29, 8, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 59, tzinfo=UTC),
    datetime(2027, 1, 1, 0, 5, tzinfo=UTC),
    datetime(2027, 1, 2, 9, tzinfo=UTC),
    datetime(2027, 5, 31, 18, 20, tzinfo=UTC),
]


def planted(moment: datetime) -> World:
    world = new_world(clock=Clock(wall=moment.timestamp))
    SEEDS["demo"](world)
    return world


@dataclass(frozen=True)
class Shop:
    """Lists are whole and newest first."""

    now: datetime
    api: Api

    def all(self, path: str, **query: Any) -> Things:
        found: Things = []
        while True:
            more = {"starting_after": found[-1]["id"]} if found else {}
            page = self.api.read(path, limit=100, **more, **query)
            found += page["data"]
            if not page["has_more"]:
                return found

    def of(self, email: str, path: str, **query: Any) -> Things:
        return self.all(path, customer=self.api.customer(email)["id"], **query)

    def subscription(self, email: str) -> dict[str, Any]:
        (found,) = self.of(email, "subscriptions", status="all")
        return found

    def dispute(self, email: str) -> dict[str, Any]:
        (charge,) = [charge for charge in self.of(email, "charges") if charge["disputed"]]
        (found,) = self.all("disputes", charge=charge["id"])
        return found

    def payments(self, invoice: dict[str, Any]) -> Things:
        return self.all("invoice_payments", invoice=invoice["id"], status="paid")

    def refunds(self, charge: dict[str, Any]) -> Things:
        return self.all("refunds", charge=charge["id"])

    def age(self, moment: int) -> float:
        """In days."""
        return (self.now.timestamp() - moment) / 86_400

    def is_this_month(self, moment: int) -> bool:
        """Of the month's first day nothing is asked: what was to happen hours ago happened yesterday."""
        then = datetime.fromtimestamp(moment, UTC)
        return self.now.day == 1 or (then.year, then.month) == (self.now.year, self.now.month)


class InProcess(httpx.BaseTransport):
    """For tests that are not asynchronous themselves."""

    def __init__(self, app: Any) -> None:
        self.transport = httpx.ASGITransport(app=app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._answered(request))

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        answer = await self.transport.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


@cache
def opened(moment: datetime) -> Shop:
    """Only to be read: the tests share it."""
    app: Any = create_app(planted(moment), Inbox(), SEEDS)
    headers = {"Authorization": "Bearer sk_test_seed"}
    return Shop(moment, Api(httpx.Client(transport=InProcess(app), base_url="http://localhost", headers=headers)))
