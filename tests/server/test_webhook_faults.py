"""Real deliveries of the simulated Stripe to a running server, under each kind of webhook fault.

A refund of ours that the bank sends back is told once when at least one delivery is good, and not at all otherwise.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import stripe

from graphs.cases import GraphCases
from graphs.settings import Settings
from sandbox.stripe.delivery_faults import KINDS
from tests.fixtures.sandbox import Sandbox
from tests.server.conftest import Live, serving, settings_for
from tests.server.test_webhooks import WithStripe, billing, hasty, proposed, told
from tools.billing.stripe_billing import StripeBilling
from tools.ledger.ledger import Ledger
from tools.ledger.types import Action

__all__ = ["billing", "hasty", "proposed"]

ABOUT_REFUNDS = ["refund.created", "refund.failed", "refund.updated", "charge.refunded", "charge.refund.updated"]
NEVER_GOOD = {"dropped", "bad_signature", "wrong_secret", "old_timestamp", "future_timestamp", "other_version"}
SECONDS = {"delayed": 0.3, "out_of_order": 0.3}
NOWHERE = "http://127.0.0.1:9/"
SAID = "A case was decided."


@pytest.fixture
def endpoint(sandbox: Sandbox) -> Iterator[stripe.WebhookEndpoint]:
    """Told where the server is once it is somewhere; its secret is told now or never."""
    events: Any = ABOUT_REFUNDS
    made = sandbox.stripe().v1.webhook_endpoints.create({"url": NOWHERE, "enabled_events": events})
    sandbox.post("webhooks", retry_after=[0.05, 0.05, 0.05])
    yield made
    sandbox.clear_faults()


@pytest.fixture
def hooked(tmp_path: Path, redis_url: str, endpoint: stripe.WebhookEndpoint) -> Settings:
    return settings_for(tmp_path, redis_url, stripe_webhook_secret=endpoint.secret)


@pytest.fixture
async def live(
    hooked: Settings, ledger: Ledger, billing: StripeBilling, cases: GraphCases, sandbox: Sandbox
) -> AsyncIterator[Live]:
    async with serving(hooked, ledger, WithStripe(billing=billing), cases) as running:
        hooks = sandbox.stripe().v1.webhook_endpoints
        [endpoint] = hooks.list().data
        await hooks.update_async(endpoint.id, {"url": f"{running.url}/webhooks/stripe"})
        yield running


@pytest.mark.parametrize(("kind", "hit"), list(product(KINDS, ["every", "one"])))
async def test_a_refund_that_comes_back_is_told_once_if_any_delivery_is_good(
    live: Live, sandbox: Sandbox, proposed: Action, kind: str, hit: str
) -> None:
    ledger = live.services.plugs.ledger
    fault = {"target": "webhook", "kind": kind, "seconds": SECONDS.get(kind)}
    if hit == "every":
        sandbox.fault(**fault, count=None)
    await live.services.plugs.cases.confirm(proposed.id, digest=proposed.digest)
    [refund] = sandbox.stripe().v1.refunds.list({"charge": proposed.target}).data
    if hit == "one":
        sandbox.fault(**fault, event=r"refund\.failed")

    await asyncio.to_thread(partial(sandbox.post, "refunds", refund=refund.id, status="failed"))
    assert {"pending": 0} == await asyncio.to_thread(partial(sandbox.post, "webhooks/flush", seconds=20))
    await worked_off(ledger, sandbox)

    good = hit == "one" or kind not in NEVER_GOOD
    assert ([SAID] if good else []) == await told(live, ledger)
    seen = sandbox.http.get("/_sandbox/webhooks").json()["attempts"]
    assert kind in {attempt["fault"] for attempt in seen} or kind in {"delayed", "out_of_order", "early"}


async def worked_off(ledger: Ledger, sandbox: Sandbox) -> None:
    """Everything that was let in has come to its end."""
    events: Any = ABOUT_REFUNDS
    names = [each.id for each in sandbox.stripe().v1.events.list({"types": events, "limit": 100}).data]
    async with asyncio.timeout(20):
        while any([await is_waiting(ledger, name) for name in names]):  # noqa: ASYNC110 - workers have no event for it
            await asyncio.sleep(0.05)


async def is_waiting(ledger: Ledger, name: str) -> bool:
    known = await ledger.stripe_event(name)
    return known is not None and known.state == "received"
