"""Events: what happened, with the object as it was then."""

from sandbox.stripe.errors import Json
from sandbox.stripe.params import many, text
from sandbox.stripe.resource import Filter, Resource


def _matches(event: Json, pattern: str) -> bool:
    prefix, star, _ = pattern.partition("*")
    return bool(event["type"].startswith(prefix)) if star else bool(event["type"] == pattern)


EVENTS = Resource(
    kind="event",
    path="/v1/events",
    filters={
        "type": Filter(text(), keep=_matches),
        "types": Filter(many(text()), keep=lambda event, types: event["type"] in types),
    },
)
