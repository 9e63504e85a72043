"""Stripe's deliveries to a running server: verified, written down once, acknowledged, and worked off whatever happens.

The objects are those of the simulated Stripe; the deliveries are written and signed here, so that their order and
number are ours to choose.
"""

import asyncio
import json
import random
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe
from redis.asyncio import Redis

from graphs.cases import GraphCases
from graphs.settings import Settings
from nodes.case.deeds.deed import idempotency_key
from server import case_sweep, stripe_inbox
from tests.fixtures.sandbox import Sandbox
from tests.fixtures.wishes import duplicate_of_ada
from tests.server.conftest import Live, Outside, serving, settings_for
from tests.server.test_refusals import problem
from tools.billing.retry import Retry
from tools.billing.stripe_billing import StripeBilling
from tools.errors import BillingUnavailable
from tools.ledger.ledger import Ledger
from tools.ledger.types import Action, InboxEvent

SECRET = "whsec_of_at_least_sixteen"
NUMBERS = count(1)


@dataclass
class WithStripe(Outside):
    """The same, with a Stripe from which objects are read again."""

    billing: StripeBilling | None = field(default=None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.billing, name)


class Failing:
    """The graph, the first walk of which fails."""

    def __init__(self, graph: Any) -> None:
        self._graph, self._failed = graph, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._graph, name)

    def astream(self, *args: Any, **kwargs: Any) -> Any:
        if self._failed:
            return self._graph.astream(*args, **kwargs)
        self._failed = True
        raise BillingUnavailable


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another try soon; and cases are left to the events, which is what these tests are about."""
    monkeypatch.setattr(stripe_inbox, "FIRST_DELAY", timedelta(milliseconds=100))
    monkeypatch.setattr(stripe_inbox, "SWEEP_SECONDS", 0.1)
    monkeypatch.setattr(case_sweep, "SETTLED_FOR", timedelta(hours=1))


@pytest.fixture
async def billing(sandbox: Sandbox) -> AsyncIterator[StripeBilling]:
    hasty = Retry(attempts=1)
    async with StripeBilling.open(sandbox.api_key, sandbox.url, retry=hasty) as opened:
        yield opened


@pytest.fixture
def hooked(tmp_path: Path, redis_url: str) -> Settings:
    return settings_for(tmp_path, redis_url, stripe_webhook_secret=SECRET)


@pytest.fixture
async def live(hooked: Settings, ledger: Ledger, billing: StripeBilling, cases: GraphCases) -> AsyncIterator[Live]:
    async with serving(hooked, ledger, WithStripe(billing=billing), cases) as running:
        yield running


@pytest.fixture
async def proposed(cases: GraphCases, billing: StripeBilling, ledger: Ledger) -> Action:
    """Ada's duplicate charge, to be refunded."""
    await ledger.create_thread("thread", "somebody", {})
    request = await duplicate_of_ada(billing)
    case = await cases.open(str(uuid.uuid4()), thread="thread", request=request, details={"last4": "4242"})
    assert case.action is not None
    return case.action


@pytest.fixture
async def refunded(cases: GraphCases, proposed: Action, sandbox: Sandbox) -> stripe.Refund:
    await cases.confirm(proposed.id, digest=proposed.digest)
    [refund] = sandbox.stripe().v1.refunds.list({"charge": proposed.target}).data
    return refund


def an_event(kind: str, type_: str, object_: str, **changes: Any) -> bytes:
    body = {
        "id": f"evt_{next(NUMBERS)}",
        "object": "event",
        "type": type_,
        "created": int(time.time()),
        "api_version": stripe.api_version,
        "livemode": False,
        "data": {"object": {"object": kind, "id": object_}},
    }
    return json.dumps(body | changes).encode()


async def deliver(live: Live, payload: bytes, secret: str = SECRET) -> httpx.Response:
    signature = stripe.WebhookSignature.generate_signature_header(payload.decode(), secret)
    async with live.http() as client:
        return await client.post("/webhooks/stripe", content=payload, headers={"Stripe-Signature": signature})


def name_of(payload: bytes) -> str:
    return str(json.loads(payload)["id"])


async def found(ledger: Ledger, payload: bytes, ready: Callable[[InboxEvent], bool]) -> InboxEvent:
    async with asyncio.timeout(20):
        while True:
            event = await ledger.stripe_event(name_of(payload))
            if event and ready(event):
                return event
            await asyncio.sleep(0.05)


async def ended(ledger: Ledger, payload: bytes) -> InboxEvent:
    return await found(ledger, payload, lambda event: event.state != "received")


async def told(live: Live, ledger: Ledger, thread: str = "thread") -> list[str]:
    """What was said on the thread, once every run of it is over."""
    async with asyncio.timeout(20):
        while await live.services.ledger.unfinished_runs(thread):  # noqa: ASYNC110 - another process would do it
            await asyncio.sleep(0.05)
    return [message.text for message in await ledger.messages(thread)]


async def audited(ledger: Ledger, name: str) -> int:
    return sum(entry.event == name for entry in await ledger.audit_entries(limit=1000))


def counted(live: Live, type_: str, state: str) -> float:
    value = live.services.metrics.registry.get_sample_value(
        "counterfoil_stripe_events_total", {"type": type_, "state": state}
    )
    return value or 0


async def test_without_a_secret_nothing_is_let_in(tmp_path: Path, redis_url: str, ledger: Ledger) -> None:
    payload = an_event("refund", "refund.failed", "re_1")
    async with serving(settings_for(tmp_path, redis_url), ledger) as live:
        answer = await deliver(live, payload)

    assert (503, "webhooks_off") == problem(answer)
    assert "STRIPE_WEBHOOK_SECRET" in answer.json()["detail"]
    assert await ledger.stripe_event(name_of(payload)) is None


async def test_a_forged_delivery_is_refused_and_counted(live: Live, ledger: Ledger) -> None:
    payload = an_event("refund", "refund.failed", "re_1")

    assert (400, "invalid_signature") == problem(await deliver(live, payload, "whsec_a_guess"))
    async with live.http() as client:
        unsigned = await client.post("/webhooks/stripe", content=payload)
        garbled = await client.post("/webhooks/stripe", content=b"\xff\xfe", headers={"Stripe-Signature": "t=1,v1=0"})

    assert (unsigned.json()["detail"], 400) == (garbled.json()["detail"], garbled.status_code)
    assert await ledger.stripe_event(name_of(payload)) is None
    assert 3 == counted(live, "unverified", "refused")


async def test_an_event_may_be_larger_than_a_message(live: Live, ledger: Ledger) -> None:
    large = an_event("invoice", "invoice.paid", "in_1", padding="x" * 200_000)
    huge = an_event("invoice", "invoice.paid", "in_1", padding="x" * 300_000)

    assert 200 == (await deliver(live, large)).status_code
    assert (413, "too_large") == problem(await deliver(live, huge))
    assert "ignored" == (await ended(ledger, large)).state


@pytest.mark.parametrize(
    ("changes", "note"), [({"api_version": "2024-06-20"}, "api_version"), ({"livemode": True}, "mode")]
)
async def test_an_event_of_another_version_or_mode_is_kept_apart(
    live: Live, ledger: Ledger, refunded: stripe.Refund, changes: dict[str, Any], note: str
) -> None:
    payload = an_event("refund", "refund.failed", refunded.id, **changes)

    assert 200 == (await deliver(live, payload)).status_code

    event = await ledger.stripe_event(name_of(payload))
    assert event is not None
    assert ("quarantined", note, 0) == (event.state, event.note, event.attempts)
    assert 1 == counted(live, "refund.failed", "quarantined")


async def test_twenty_deliveries_of_one_event_are_one_piece_of_work(
    live: Live, ledger: Ledger, refunded: stripe.Refund
) -> None:
    payload = an_event("refund", "refund.created", refunded.id)

    answers = await asyncio.gather(*(deliver(live, payload) for _ in range(20)))

    assert {200} == {answer.status_code for answer in answers}
    event = await ended(ledger, payload)
    assert ("processed", "succeeded", 1) == (event.state, event.note, event.attempts)
    expected = {"received": 1, "duplicate": 19, "processed": 1}
    assert expected == {state: counted(live, "refund.created", state) for state in expected}
    assert 1 == await audited(ledger, "refund.succeeded")


async def test_a_refund_that_arrives_is_kept_with_the_banks_reference(
    live: Live, ledger: Ledger, refunded: stripe.Refund, proposed: Action
) -> None:
    payload = an_event("charge", "charge.refunded", proposed.target)
    await deliver(live, payload)
    await ended(ledger, payload)

    outcome = await ledger.refund_outcome(proposed.id)
    assert outcome is not None
    reference = refunded.to_dict()["destination_details"]["card"]["reference"]
    assert ("succeeded", reference) == (outcome.state, outcome.reference)
    assert [None] == [promise.kept_at for promise in await ledger.promises(action=proposed.id)]
    assert [] == await told(live, ledger)


@pytest.mark.parametrize("seed", range(3))
async def test_a_refund_that_fails_is_told_once_in_whatever_order_it_is_heard_of(
    live: Live, ledger: Ledger, sandbox: Sandbox, refunded: stripe.Refund, seed: int
) -> None:
    sandbox.post("refunds", refund=refunded.id, status="failed", failure_reason="lost_or_stolen_card")
    said = [("refund", type_, refunded.id) for type_ in ("refund.failed", "refund.updated", "charge.refund.updated")]
    said += [("refund", "refund.created", refunded.id), ("charge", "charge.refunded", str(refunded.charge))]
    payloads = [an_event(*one) for one in said] * 2
    random.Random(seed).shuffle(payloads)  # noqa: S311 - an order, no secret

    await asyncio.gather(*(deliver(live, payload) for payload in payloads))

    assert {"processed"} == {(await ended(ledger, payload)).state for payload in payloads}
    assert ["A case was decided."] == await told(live, ledger)
    assert 1 == await audited(ledger, "refund.failed")
    outcome = await ledger.refund_outcome(refunded.to_dict()["metadata"]["action_id"])
    assert outcome is not None
    assert ("failed", "lost_or_stolen_card") == (outcome.state, outcome.failure_reason)


async def test_a_notice_that_did_not_get_through_is_given_again(
    live: Live, ledger: Ledger, sandbox: Sandbox, refunded: stripe.Refund, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that fails is over; what it was to say is not."""
    monkeypatch.setattr(
        live.services.queue.executor, "graphs", {"support": Failing(live.services.plugs.graphs["support"])}
    )
    sandbox.post("refunds", refund=refunded.id, status="failed")
    payload = an_event("refund", "refund.failed", refunded.id)

    await deliver(live, payload)

    assert "processed" == (await ended(ledger, payload)).state
    assert ["A case was decided."] == await told(live, ledger)
    assert ["error", "success"] == sorted(run.status for run in await ledger.runs("thread"))


async def test_what_was_read_early_and_written_late_does_not_undo_a_failure(
    live: Live, ledger: Ledger, sandbox: Sandbox, refunded: stripe.Refund, proposed: Action
) -> None:
    sandbox.post("refunds", refund=refunded.id, status="failed")
    payload = an_event("refund", "refund.failed", refunded.id)
    await deliver(live, payload)
    await ended(ledger, payload)

    await ledger.note_refund(refunded.id, action=proposed.id, state="succeeded")

    outcome = await ledger.refund_outcome(proposed.id)
    assert outcome is not None
    assert "failed" == outcome.state


async def test_a_refund_made_in_the_dashboard_is_nobodys_business_here(
    live: Live, ledger: Ledger, sandbox: Sandbox, proposed: Action
) -> None:
    """Even when it wears the id of an action of ours that did not make it."""
    client = sandbox.stripe()
    other = next(c for c in client.v1.charges.list({"limit": 100}).data if c.id != proposed.target and not c.refunded)
    plain = client.v1.refunds.create({"charge": other.id, "amount": 100})
    dressed = client.v1.refunds.create({"charge": other.id, "amount": 100, "metadata": {"action_id": proposed.id}})

    for refund in (plain, dressed):
        payload = an_event("refund", "refund.created", refund.id)
        await deliver(live, payload)
        event = await ended(ledger, payload)
        assert ("ignored", "not ours") == (event.state, event.note)
    assert await ledger.refund_outcome(proposed.id) is None


async def test_a_case_without_an_answer_goes_on_when_stripe_speaks_of_it(
    live: Live, ledger: Ledger, cases: GraphCases, sandbox: Sandbox, proposed: Action
) -> None:
    sandbox.fault(method="POST", path="/v1/refunds", count=1, kind="status_after_commit", status=500)
    unknown = await cases.confirm(proposed.id, digest=proposed.digest)
    assert unknown.action is not None
    assert "unknown" == unknown.action.state
    [refund] = sandbox.stripe().v1.refunds.list({"charge": proposed.target}).data

    payloads = [an_event("refund", "refund.created", refund.id), an_event("charge", "charge.refunded", proposed.target)]
    await asyncio.gather(*(deliver(live, payload) for payload in payloads))

    assert {"processed"} == {(await ended(ledger, payload)).state for payload in payloads}
    settled = await ledger.action(proposed.id)
    assert settled is not None
    assert "succeeded" == settled.state
    assert await ledger.receipt_of(proposed.id) is not None
    assert ["A case was decided."] == await told(live, ledger)


async def test_a_failure_waits_until_the_case_has_said_what_it_did(
    live: Live, ledger: Ledger, cases: GraphCases, sandbox: Sandbox, proposed: Action
) -> None:
    """The event is here before our own call has returned."""
    await ledger.move_action(proposed.id, "confirmed", actor="customer")
    await ledger.begin_action(proposed.id, idempotency_key(proposed))
    made = sandbox.stripe().v1.refunds.create({"charge": proposed.target, "metadata": {"action_id": proposed.id}})
    sandbox.post("refunds", refund=made.id, status="failed")
    payload = an_event("refund", "refund.failed", made.id)
    await deliver(live, payload)
    event = await found(ledger, payload, lambda event: event.attempts == 2 and event.note != "")
    assert ("received", "not_yet") == (event.state, event.note)
    assert [] == await told(live, ledger)

    await cases.go_on(proposed.id)

    assert "processed" == (await ended(ledger, payload)).state
    assert ["A case was decided."] == await told(live, ledger)


async def test_a_dispute_on_a_charge_with_a_case_under_way_is_audited(
    live: Live, ledger: Ledger, sandbox: Sandbox, proposed: Action
) -> None:
    dispute = sandbox.open_dispute(proposed.target)
    payload = an_event("dispute", "charge.dispute.created", dispute["id"])

    await deliver(live, payload)

    assert "processed" == (await ended(ledger, payload)).state
    [seen] = [entry.data for entry in await ledger.audit_entries(limit=1000) if entry.event == "dispute.seen"]
    assert (dispute["id"], proposed.target, proposed.id) == (seen["dispute"], seen["charge"], seen["action"])


async def test_a_failure_with_nobody_left_to_tell_reaches_the_desk(
    live: Live, ledger: Ledger, sandbox: Sandbox, refunded: stripe.Refund, proposed: Action
) -> None:
    await ledger.delete_thread("thread")
    sandbox.post("refunds", refund=refunded.id, status="failed")
    payload = an_event("refund", "refund.failed", refunded.id)

    await deliver(live, payload)

    assert "processed" == (await ended(ledger, payload)).state
    [ticket] = await ledger.tickets(state="waiting")
    assert refunded.id in ticket.reason
    assert proposed.customer in ticket.reason


async def test_an_object_that_is_gone_is_no_trouble(live: Live, ledger: Ledger) -> None:
    payload = an_event("refund", "refund.updated", "re_gone")
    await deliver(live, payload)
    event = await ended(ledger, payload)
    assert ("ignored", "not there") == (event.state, event.note)


async def test_an_event_that_was_written_down_before_a_crash_is_worked_off_by_the_next_process(
    hooked: Settings, ledger: Ledger, billing: StripeBilling, cases: GraphCases, refunded: stripe.Refund
) -> None:
    payload = an_event("refund", "refund.created", refunded.id)
    now = ledger._now()
    await ledger.record_stripe_event(
        name_of(payload), type_="refund.created", created=now, kind="refund", object_=refunded.id
    )
    async with serving(hooked, ledger, WithStripe(billing=billing), cases):
        assert "processed" == (await ended(ledger, payload)).state


async def test_an_event_survives_stripes_silence_and_the_loss_of_redis(
    live: Live, ledger: Ledger, sandbox: Sandbox, redis_url: str, refunded: stripe.Refund
) -> None:
    sandbox.fault(method="GET", path="/v1/refunds/.*", count=1000, kind="status", status=500)
    payload = an_event("refund", "refund.created", refunded.id)
    assert 200 == (await deliver(live, payload)).status_code
    event = await found(ledger, payload, lambda event: event.note != "")
    assert ("received", "billing_unavailable") == (event.state, event.note)

    async with Redis.from_url(redis_url) as redis:
        await redis.flushall()
    sandbox.clear_faults()

    assert "processed" == (await ended(ledger, payload)).state
    assert 1 == await audited(ledger, "refund.succeeded")


async def test_what_never_works_is_given_up_and_counted(
    live: Live, ledger: Ledger, sandbox: Sandbox, refunded: stripe.Refund, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe_inbox, "MOST_ATTEMPTS", 2)
    sandbox.fault(method="GET", path="/v1/refunds/.*", count=1000, kind="status", status=500)
    payload = an_event("refund", "refund.created", refunded.id)

    await deliver(live, payload)

    event = await ended(ledger, payload)
    assert ("failed", "billing_unavailable", 2) == (event.state, event.note, event.attempts)
    assert 1 == counted(live, "refund.created", "failed")


def test_each_try_waits_longer_up_to_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_inbox, "FIRST_DELAY", timedelta(seconds=5))

    waits = [stripe_inbox.delay(attempt).total_seconds() for attempt in (1, 2, 3, 10, 11, 80)]

    assert [5, 10, 20, 2560, 3600, 3600] == waits
    tries = range(1, stripe_inbox.MOST_ATTEMPTS)
    assert timedelta(days=2.5) < sum(map(stripe_inbox.delay, tries), timedelta()) < timedelta(days=3.5)
