"""Webhook endpoints: who wants to hear of which events, and the secret that signs them."""

import re
import secrets
from urllib.parse import urlsplit

from sandbox.stripe.errors import Json, StripeFailure, ValidationFailure
from sandbox.stripe.params import Field, Raw, fields, flag, many, merged_metadata, metadata, text
from sandbox.stripe.resource import Call, Resource, Route, assign
from sandbox.stripe.world import World, public

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVENT = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+|\*")
VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")
MOST = 16


def _event_type() -> Field:
    """Stripe knows 275 types and refuses others; we know their form."""

    def read(value: Raw, name: str) -> str:
        if not isinstance(value, str) or not EVENT.fullmatch(value):
            raise ValidationFailure(f"Invalid {name}: must be an event type or *", param=name)
        return value

    return Field(read)


def check_url(url: str) -> str:
    """Nothing of the sandbox leaves this machine, its webhooks included."""
    try:
        parts = urlsplit(url)
        ours = parts.scheme == "http" and parts.hostname in LOOPBACK and parts.port != 0
    except ValueError:
        ours = False
    if not ours:
        message = (
            f"Invalid URL: {url[:200]}. The sandbox delivers to plain HTTP on this machine only, such as "
            "http://127.0.0.1:8000/webhooks/stripe."
        )
        raise StripeFailure(message, code="url_invalid", param="url")
    return url


def create_endpoint(world: World, url: str, events: list[str], secret: str | None = None, **more: object) -> Json:
    if len(world.all("webhook_endpoint")) >= MOST:
        raise StripeFailure(f"You have reached the maximum of {MOST} test webhook endpoints.")
    details: Json = {"api_version": None, "description": None, "metadata": {}} | more
    return world.add(
        "webhook_endpoint",
        "we",
        application=None,
        enabled_events=events,
        status="enabled",
        url=check_url(url),
        _secret=secret or f"whsec_{secrets.token_urlsafe(24)}",
        **details,
    )


def register(world: World, url: str, secret: str) -> Json:
    """The one endpoint of the command line: made, or given today's secret."""
    known = next((each for each in world.all("webhook_endpoint") if each["url"] == url), None)
    if known is None:
        return create_endpoint(world, url, ["*"], secret)
    known["_secret"] = secret
    return known


def wants(endpoint: Json, event_type: str) -> bool:
    return endpoint["status"] == "enabled" and not {"*", event_type}.isdisjoint(endpoint["enabled_events"])


def _create(call: Call) -> Json:
    version = call.params.get("api_version")
    if version and not VERSION.fullmatch(version):
        raise StripeFailure(f"Invalid Stripe API version: {version}", param="api_version")
    events = _checked(call.params["enabled_events"])
    made = create_endpoint(
        call.world,
        call.params["url"],
        events,
        api_version=version,
        description=call.params.get("description"),
        metadata=merged_metadata({}, call.params.get("metadata")),
    )
    # The only time that the secret is told.
    return public(made) | {"secret": made["_secret"]}


def _checked(events: list[str]) -> list[str]:
    if not events:
        raise ValidationFailure("enabled_events must name an event.", param="enabled_events")
    return events


def _update(call: Call) -> Json:
    endpoint = call.world.get("webhook_endpoint", call.id)
    changes = dict(call.params)
    if "disabled" in changes:
        endpoint["status"] = "disabled" if changes.pop("disabled") else "enabled"
    if "enabled_events" in changes:
        _checked(changes["enabled_events"])
    if "url" in changes:
        check_url(changes["url"] or "")
    assign(endpoint, changes)
    return endpoint


def _delete(call: Call) -> Json:
    call.world.get("webhook_endpoint", call.id)
    del call.world.objects["webhook_endpoint"][call.id]
    return {"id": call.id, "object": "webhook_endpoint", "deleted": True}


PATH = "/v1/webhook_endpoints"
PLAIN = fields(description=text(), metadata=metadata())
CREATING = fields(
    api_version=text(), enabled_events=many(_event_type(), required=True), url=text(required=True, longest=2048)
)
UPDATING = fields(disabled=flag(), enabled_events=many(_event_type()), url=text(longest=2048))
WEBHOOK_ENDPOINTS = Resource(
    kind="webhook_endpoint",
    path=PATH,
    filters={},
    dated=False,
    routes=(
        Route("POST", PATH, _create, PLAIN | CREATING),
        Route("POST", PATH + "/{id}", _update, PLAIN | UPDATING),
        Route("DELETE", PATH + "/{id}", _delete),
    ),
)
