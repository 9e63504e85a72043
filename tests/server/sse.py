"""Reads event streams as they come over the wire."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Sent:
    event: str
    data: Any
    id: str | None


async def sent(response: httpx.Response) -> AsyncIterator[Sent]:
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if not line and fields:
            data = json.loads(fields["data"]) if fields.get("data") else None
            yield Sent(fields.get("event", ""), data, fields.get("id"))
            fields = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


async def all_of(client: httpx.AsyncClient, method: str, path: str, **more: Any) -> list[Sent]:
    async with client.stream(method, path, **more) as response:
        assert response.status_code == 200, await response.aread()
        return [event async for event in sent(response)]


def names(events: list[Sent]) -> list[str]:
    return [event.event for event in events]
