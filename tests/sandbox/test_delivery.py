"""Webhooks: signed, in order, tried again, and wrong in every way that Stripe's can be."""

import http.server
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import stripe

from sandbox.stripe import API_VERSION
from tests.fixtures.sandbox import NO_TLS, Sandbox
from tests.sandbox.conftest import Api
from tests.sandbox.test_process import KEY, running


@dataclass
class Receiver:
    """A real HTTP server that keeps what it was sent, and answers with the next of `statuses`, then with 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    received: list[tuple[bytes, str]] = field(default_factory=list)
    secret: str = ""
    hold: float = 0

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body, _ in self.received]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def verified(self, number: int = 0) -> stripe.Event:
        body, header = self.received[number]
        return stripe.Webhook.construct_event(body, header, self.secret)  # type: ignore[no-any-return]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            kept.received.append((body, self.headers["stripe-signature"]))
            time.sleep(kept.hold)
            self.send_response(kept.statuses.pop(0) if kept.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}/hooks"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


def endpoint(api: Api, receiver: Receiver, *events: str, **form: Any) -> dict[str, Any]:
    named = {f"enabled_events[{place}]": event for place, event in enumerate(events or ("*",))}
    made = api.make("webhook_endpoints", url=receiver.url, **named, **form)
    receiver.secret = made["secret"]
    return made


def flush(sandbox: Sandbox, seconds: float = 10) -> int:
    left: int = sandbox.post("webhooks/flush", seconds=seconds)["pending"]
    return left


def attempts(sandbox: Sandbox) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.http.get("/_sandbox/webhooks").json()["attempts"]
    return found


def test_a_refund_is_told_in_order_and_signed(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    charge = api.payment()["latest_charge"]
    endpoint(api, receiver)
    refund = api.make("refunds", charge=charge)
    assert 0 == flush(sandbox)
    assert ["refund.created", "charge.refunded"] == receiver.types
    event = receiver.verified()
    assert (refund["id"], API_VERSION, 1) == (event.data.object["id"], event.api_version, event.pending_webhooks)
    assert event.request
    assert str(event.request.id).startswith("req_")
    assert 0 == api.read(f"events/{event.id}")["pending_webhooks"]


def test_only_the_events_asked_for_are_sent(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    charge = api.payment()["latest_charge"]
    endpoint(api, receiver, "charge.refunded", "invoice.paid")
    api.make("refunds", charge=charge)
    flush(sandbox)
    assert ["charge.refunded"] == receiver.types


def test_the_secret_is_told_once(api: Api, receiver: Receiver) -> None:
    made = endpoint(api, receiver, description="ours", **{"metadata[a]": "b"})
    assert made["secret"].startswith("whsec_")
    read = api.read(f"webhook_endpoints/{made['id']}")
    assert made == read | {"secret": made["secret"]}
    assert [read] == api.read("webhook_endpoints")["data"]
    assert "secret" not in read


async def test_the_sdk_makes_changes_and_deletes_an_endpoint(
    api: Api, sandbox: Sandbox, receiver: Receiver, client: stripe.StripeClient
) -> None:
    service = client.v1.webhook_endpoints
    made = await service.create_async({"url": receiver.url, "enabled_events": ["*"]})
    changed = await service.update_async(made.id, {"disabled": True, "enabled_events": ["charge.refunded"]})
    assert ("disabled", ["charge.refunded"]) == (changed.status, changed.enabled_events)
    api.make("customers")
    flush(sandbox)
    assert [] == receiver.received
    deleted = await service.delete_async(made.id)
    assert deleted.deleted
    assert 404 == api.get(f"webhook_endpoints/{made.id}").status_code


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"url": "https://127.0.0.1/hooks"}, "url"),
        ({"url": "http://example.com/hooks"}, "url"),
        ({"url": "http://127.0.0.1.example.com/"}, "url"),
        ({"url": "http://[::1/hooks"}, "url"),
        ({"url": "http://127.0.0.1:99999/hooks"}, "url"),
        ({"enabled_events[0]": "everything"}, "enabled_events[0]"),
        ({"api_version": "yesterday"}, "api_version"),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused(api: Api, form: dict[str, str], param: str) -> None:
    whole = {"url": "http://127.0.0.1:9/hooks", "enabled_events[0]": "*"} | form
    status, _, named = api.error(api.post("webhook_endpoints", **whole))
    assert (400, param) == (status, named)


def test_a_refused_event_is_tried_again_before_the_next(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    charge = api.payment()["latest_charge"]
    endpoint(api, receiver)
    sandbox.post("webhooks", retry_after=[0.01, 0.01, 0.01])
    receiver.statuses = [500, 503]
    api.make("refunds", charge=charge)
    assert 0 == flush(sandbox)
    assert ["refund.created"] * 3 + ["charge.refunded"] == receiver.types
    assert [500, 503, 200, 200] == [each["status"] for each in attempts(sandbox)]
    assert 1 == len({event["id"] for event in receiver.events[:3]})


def test_an_event_is_given_up_after_three_retries(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    endpoint(api, receiver)
    sandbox.post("webhooks", retry_after=[0.01, 0.01, 0.01])
    receiver.statuses = [500] * 4
    api.make("customers", email="lost@example.com")
    api.make("customers", email="heard@example.com")
    assert 0 == flush(sandbox)
    lost, *_, heard = receiver.events
    assert 5 == len(receiver.events)
    counted = [api.read(f"events/{event['id']}")["pending_webhooks"] for event in (lost, heard)]
    assert [1, 0] == counted


def test_a_receiver_that_is_away_or_silent_delays_nobody(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    endpoint(api, receiver)
    api.make("webhook_endpoints", url="http://127.0.0.1:9/", **{"enabled_events[0]": "*"})
    sandbox.post("webhooks", retry_after=[0.01], timeout=0.2)
    receiver.hold = 0.5
    api.make("customers")
    # Still on its way, and the answer is here.
    assert 2 == flush(sandbox, seconds=0)
    assert 0 == flush(sandbox)
    assert {"timeout", "ConnectError"} == {each["status"] for each in attempts(sandbox)}


def order(sandbox: Sandbox, kind: str, **more: Any) -> None:
    sandbox.fault(target="webhook", kind=kind, **more)


def test_a_duplicate_has_the_same_id(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    endpoint(api, receiver)
    order(sandbox, "duplicate", event="customer\\..*")
    api.make("customers")
    flush(sandbox)
    assert 2 == len(receiver.received)
    assert 1 == len({event["id"] for event in receiver.events})


def test_events_can_come_backwards(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    charge = api.payment()["latest_charge"]
    endpoint(api, receiver)
    order(sandbox, "out_of_order", count=None, seconds=0.1)
    api.make("refunds", charge=charge)
    flush(sandbox)
    assert ["charge.refunded", "refund.created"] == receiver.types


def test_one_event_can_let_the_next_pass(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    charge = api.payment()["latest_charge"]
    endpoint(api, receiver)
    order(sandbox, "out_of_order")
    api.make("refunds", charge=charge)
    flush(sandbox)
    assert ["charge.refunded", "refund.created"] == receiver.types


def test_a_delayed_event_is_overtaken(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    endpoint(api, receiver)
    order(sandbox, "delayed", seconds=1)
    late, prompt = api.make("customers")["id"], api.make("customers")["id"]
    flush(sandbox)
    assert [prompt, late] == [event["data"]["object"]["id"] for event in receiver.events]


def test_a_dropped_event_never_comes(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    endpoint(api, receiver)
    order(sandbox, "dropped")
    api.make("customers")
    assert 0 == flush(sandbox)
    assert [] == receiver.received
    assert ["dropped"] == [each["status"] for each in attempts(sandbox)]


@pytest.mark.parametrize("kind", ["bad_signature", "wrong_secret", "old_timestamp"])
def test_a_wrong_signature_is_refused_by_the_sdk(api: Api, sandbox: Sandbox, receiver: Receiver, kind: str) -> None:
    endpoint(api, receiver)
    order(sandbox, kind)
    api.make("customers")
    api.make("customers")
    flush(sandbox)
    with pytest.raises(stripe.SignatureVerificationError):
        receiver.verified(0)
    assert "customer.created" == receiver.verified(1).type


def test_a_timestamp_can_lie_in_the_future(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    """The SDK takes it; whoever receives webhooks has to look at the clock too."""
    endpoint(api, receiver)
    order(sandbox, "future_timestamp", seconds=900)
    api.make("customers")
    flush(sandbox)
    moment = int(receiver.received[0][1].partition(",")[0].removeprefix("t="))
    assert moment > time.time() + 800
    assert "customer.created" == receiver.verified().type


def test_another_version_can_be_rendered(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    endpoint(api, receiver, api_version="2025-03-31.basil")
    order(sandbox, "other_version")
    api.make("customers")
    api.make("customers")
    flush(sandbox)
    assert ["2020-08-27", "2025-03-31.basil"] == [event["api_version"] for event in receiver.events]


def test_an_event_can_come_before_the_answer(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    endpoint(api, receiver)
    order(sandbox, "early")
    made = api.make("customers")
    assert [made["id"]] == [event["data"]["object"]["id"] for event in receiver.events]


def test_an_event_is_told_although_its_caller_was_told_nothing(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    endpoint(api, receiver)
    sandbox.fault(kind="status_after_commit", status=500, method="POST")
    assert 500 == api.post("customers").status_code
    flush(sandbox)
    assert ["customer.created"] == receiver.types


def test_what_a_bank_does_is_told_too(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    charge = str(api.payment()["latest_charge"])
    endpoint(api, receiver, "charge.dispute.created")
    sandbox.open_dispute(charge)
    flush(sandbox)
    assert [charge] == [event["data"]["object"]["charge"] for event in receiver.events]


def test_what_falls_due_is_told_without_a_request(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    charge = api.payment(card="pm_card_refundFail")["latest_charge"]
    endpoint(api, receiver, "refund.failed")
    api.make("refunds", charge=charge)
    sandbox.advance(61)
    flush(sandbox)
    assert ["refund.failed"] == receiver.types


def test_an_event_can_be_delivered_again(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    made = endpoint(api, receiver, "customer.created")
    api.make("customers")
    flush(sandbox)
    event = receiver.events[0]["id"]
    assert [made["id"]] == sandbox.post("webhooks/redeliver", event=event)["endpoints"]
    flush(sandbox)
    assert [event, event] == [each["id"] for each in receiver.events]
    assert 400 == sandbox.http.post("/_sandbox/webhooks/redeliver", json={"event": "evt_no"}).status_code


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("webhooks", {"retry_after": "soon"}),
        ("webhooks", {"timeout": 0}),
        ("webhooks/flush", {"seconds": 1e9}),
        ("faults", {"target": "webhook", "kind": "meteor"}),
        ("faults", {"target": "webhook", "kind": "dropped", "event": "("}),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(sandbox: Sandbox, path: str, body: dict[str, Any]) -> None:
    assert 400 == sandbox.http.post(f"/_sandbox/{path}", json=body).status_code


def test_planting_the_past_is_no_news(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    endpoint(api, receiver)
    sandbox.post("seed", name="demo")
    assert 0 == flush(sandbox)
    assert [] == receiver.received


def test_the_command_line_registers_one_endpoint(receiver: Receiver) -> None:
    receiver.secret = "whsec_of_the_command_line"
    with running("--seed", "none", "--webhook-url", receiver.url, "--webhook-secret", receiver.secret) as (_, where):
        httpx.post(f"{where['stripe']}/v1/customers", headers=KEY, verify=NO_TLS)
        httpx.post(f"{where['stripe']}/_sandbox/webhooks/flush", verify=NO_TLS)
    assert "customer.created" == receiver.verified().type


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--webhook-url", "http://example.com/", "--webhook-secret", "whsec_x"], "on this machine only"),
        (["--webhook-url", "http://127.0.0.1:9/"], "--webhook-secret"),
    ],
)
def test_a_command_line_that_cannot_be_is_refused(options: list[str], said: str) -> None:
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--smtp-port", "0", "--seed", "none", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, env={})
    assert 2 == ended.returncode
    assert said in ended.stderr
