"""Lists of Stripe, read to their end, as plain JSON: no object of the SDK leaves this module."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import stripe

from tools.billing.retry import Retry
from tools.billing.translate import Json

Fetch = Callable[[Any], Awaitable[stripe.StripeObject]]

PAGE = 100
MOST = 1000
"""Newest entries kept of any one list; more would be no conversation."""


@dataclass(frozen=True)
class Listing:
    """Newest first. `complete` is False where the list went on beyond the bound."""

    entries: list[Json]
    complete: bool = True


async def everything(retry: Retry, fetch: Fetch, params: Json, *, most: int | None = None) -> Listing:
    """All entries that a list call gives, up to `most`, which is `MOST` unless given."""
    return await _following(retry, fetch, params, [], most=most or MOST)


async def completed(retry: Retry, sublist: Json | None, fetch: Fetch, params: Json) -> list[Json]:
    """A list that came inside another object, with the entries that did not fit into it."""
    if sublist is None:
        return []
    if not sublist["has_more"] or not sublist["data"]:
        return list(sublist["data"])
    return (await _following(retry, fetch, params, list(sublist["data"]), most=MOST)).entries


async def _following(retry: Retry, fetch: Fetch, params: Json, found: list[Json], *, most: int) -> Listing:
    more = True
    while more and len(found) < most:
        cursor = {"starting_after": found[-1]["id"]} if found else {}
        asked = {**params, **cursor, "limit": min(PAGE, most - len(found))}
        page = await one(retry, partial(fetch, asked))
        found.extend(page["data"])
        more = page["has_more"] and bool(page["data"])
    return Listing(found, complete=not more)


async def one(retry: Retry, request: Callable[[], Awaitable[stripe.StripeObject]]) -> Json:
    """A single read, as JSON."""
    answer = await retry.read(request)
    return answer.to_dict()
