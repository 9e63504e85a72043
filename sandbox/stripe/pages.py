"""Lists newest first with cursors, `created` ranges, and pages of search results."""

import base64
import operator
from collections.abc import Callable, Sequence
from itertools import islice

from sandbox.stripe.errors import Json, StripeFailure, no_such

DEFAULT_LIMIT = 10
COMPARISONS = {"equal": operator.eq, "gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}


def page(things: Sequence[Json], params: Json, keep: Callable[[Json], bool], url: str, label: str) -> Json:
    """One page of the things kept. A cursor is any existing object, whether or not the filters keep it."""
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and before:
        message = "Received both starting_after and ending_before parameters. Please pass in only one."
        raise StripeFailure(message, param="ending_before")
    limit = params.get("limit", DEFAULT_LIMIT)
    if before:
        newer = list(filter(keep, things[: _position(things, before, "ending_before", label)]))
        return envelope(newer[-limit:], url, has_more=len(newer) > limit)
    start = _position(things, after, "starting_after", label) + 1 if after else 0
    older = list(islice(filter(keep, islice(things, start, None)), limit + 1))
    return envelope(older[:limit], url, has_more=len(older) > limit)


def envelope(things: Sequence[Json], url: str, *, has_more: bool = False) -> Json:
    return {"object": "list", "url": url, "has_more": has_more, "data": list(things)}


def _position(things: Sequence[Json], identifier: str, param: str, label: str) -> int:
    for position, thing in enumerate(things):
        if thing["id"] == identifier:
            return position
    raise no_such(label, identifier, param=param, status=400)


def within(moment: int | None, wanted: Json | None) -> bool:
    """Whether a moment satisfies `{"gte": ..., "lt": ...}`; without one, only an absent range does."""
    if not wanted:
        return True
    return moment is not None and all(COMPARISONS[name](moment, limit) for name, limit in wanted.items())


def search_page(found: Sequence[Json], params: Json, url: str) -> Json:
    limit = params.get("limit", DEFAULT_LIMIT)
    start = _search_start(params.get("page"))
    more = len(found) > start + limit
    return {
        "object": "search_result",
        "url": url,
        "has_more": more,
        "next_page": base64.urlsafe_b64encode(str(start + limit).encode()).decode() if more else None,
        "data": list(found[start : start + limit]),
    }


def _search_start(token: str | None) -> int:
    try:
        return int(base64.urlsafe_b64decode(token)) if token else 0
    except ValueError as failure:
        raise StripeFailure(f"Invalid page: {token}", param="page") from failure
