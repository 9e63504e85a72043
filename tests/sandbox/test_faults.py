"""Faults come on order, as often as ordered, and leave the world as their kind says."""

import time

import httpx
import pytest
import stripe

from tests.fixtures.sandbox import Sandbox
from tests.sandbox.conftest import Api
from tests.sandbox.shapes import misfits


def names(api: Api) -> list[str]:
    return [each["name"] for each in api.read("customers", email="new@example.com")["data"]]


def create(api: Api, name: str = "New") -> httpx.Response:
    return api.post("customers", email="new@example.com", name=name)


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (429, "invalid_request_error", "rate_limit"),
        (500, "api_error", None),
        (503, "api_error", None),
        (409, "invalid_request_error", "idempotency_key_in_use"),
        (402, "card_error", "card_declined"),
    ],
)
def test_a_status_before_the_commit_changes_nothing(
    api: Api, sandbox: Sandbox, status: int, kind: str, code: str | None
) -> None:
    sandbox.fault(method="POST", path="/v1/customers$", status=status)
    answer = create(api)
    assert (status, code, None) == api.error(answer)
    assert kind == answer.json()["error"]["type"]
    assert [] == names(api)
    assert 200 == create(api).status_code


def test_a_fault_may_name_its_code_and_forbid_a_retry(api: Api, sandbox: Sandbox) -> None:
    sandbox.fault(status=429, code="lock_timeout", should_retry=False)
    answer = api.get("customers")
    assert (429, "lock_timeout", None) == api.error(answer)
    assert "false" == answer.headers["stripe-should-retry"]


def test_a_status_after_the_commit_hides_what_was_done(api: Api, sandbox: Sandbox) -> None:
    sandbox.fault(method="post", path="customers", kind="status_after_commit", status=503)
    assert 503 == create(api).status_code
    assert ["New"] == names(api)


@pytest.mark.parametrize(("kind", "done"), [("reset", []), ("reset_after_commit", ["New"])])
def test_a_reset_connection_is_what_the_client_sees(api: Api, sandbox: Sandbox, kind: str, done: list[str]) -> None:
    sandbox.fault(method="POST", kind=kind)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        create(api)
    assert done == names(api)


@pytest.mark.parametrize(("kind", "done"), [("hang", []), ("hang_after_commit", ["New"])])
async def test_a_hanging_request_ends_in_the_sdks_timeout(
    api: Api, sandbox: Sandbox, kind: str, done: list[str]
) -> None:
    sandbox.fault(method="POST", path="customers", kind=kind, seconds=2)
    client = sandbox.stripe(timeout=0.3)
    with pytest.raises(stripe.APIConnectionError):
        await client.v1.customers.create_async({"email": "new@example.com", "name": "New"})
    assert done == names(api)


def test_html_from_a_gateway_is_no_answer_of_stripe(sandbox: Sandbox) -> None:
    sandbox.fault(kind="html")
    with pytest.raises(stripe.APIError, match="Invalid response body"):
        sandbox.stripe().v1.customers.list()


def test_a_slow_answer_is_the_right_one(api: Api, sandbox: Sandbox) -> None:
    sandbox.fault(kind="slow", seconds=0.3)
    began = time.monotonic()
    assert 200 == create(api).status_code
    assert time.monotonic() - began >= 0.3


def test_a_fault_comes_as_often_as_ordered(api: Api, sandbox: Sandbox) -> None:
    sandbox.fault(status=500, count=2)
    assert [500, 500, 200] == [api.get("customers").status_code for _ in range(3)]


def test_a_fault_without_a_count_stays_until_cleared(api: Api, sandbox: Sandbox) -> None:
    sandbox.fault(status=500, count=None)
    assert [500, 500, 500] == [api.get("customers").status_code for _ in range(3)]
    sandbox.clear_faults()
    assert 200 == api.get("customers").status_code


def test_only_matching_requests_are_hit(api: Api, sandbox: Sandbox) -> None:
    sandbox.fault(method="POST", path="^/v1/refunds$", status=500)
    assert 200 == api.get("refunds").status_code
    assert 200 == create(api).status_code
    assert 500 == api.post("refunds", charge="ch_any").status_code


@pytest.mark.parametrize(
    "order", [{"kind": "meteor"}, {"path": "("}, {"colour": "blue"}, {"kind": "decline", "code": "tired"}]
)
def test_an_order_that_makes_no_sense_is_refused(sandbox: Sandbox, order: dict[str, str]) -> None:
    assert 400 == sandbox.http.post("/_sandbox/faults", json=order).status_code
    assert {"faults": []} == sandbox.http.get("/_sandbox/faults").json()


def test_the_retries_of_the_sdk_get_through(sandbox: Sandbox) -> None:
    sandbox.fault(status=503, count=1)
    assert sandbox.stripe(retries=1).v1.customers.list({"limit": 1}).data


def test_a_truncated_answer_hides_what_was_done(api: Api, sandbox: Sandbox) -> None:
    sandbox.fault(kind="truncated", method="POST")
    with pytest.raises(stripe.APIError, match="Invalid response body"):
        sandbox.stripe().v1.customers.create({"email": "new@example.com", "name": "New"})
    assert ["New"] == names(api)


def test_a_key_can_be_revoked(sandbox: Sandbox) -> None:
    sandbox.fault(kind="revoked_key")
    with pytest.raises(stripe.AuthenticationError) as refused:
        sandbox.stripe().v1.customers.list()
    assert refused.value.error
    assert (401, "api_key_expired") == (refused.value.http_status, refused.value.error.code)


def test_an_improbable_fault_hits_the_same_requests_each_time(api: Api, sandbox: Sandbox) -> None:
    runs = []
    for _ in range(2):
        sandbox.clear_faults()
        sandbox.fault(status=500, count=None, probability=0.3)
        runs.append([api.get("refunds", limit=1).status_code for _ in range(40)])
    assert runs[0] == runs[1]
    assert {200, 500} == set(runs[0])
    assert runs[0].count(500) < 20


def test_a_stale_read_shows_an_object_before_its_last_change(api: Api, sandbox: Sandbox) -> None:
    charge = api.payment(2000)["latest_charge"]
    api.make("refunds", charge=charge, amount=500)
    api.make("refunds", charge=charge, amount=300)
    sandbox.fault(kind="stale", count=2)
    client = sandbox.stripe()
    expanded = client.v1.refunds.list({"charge": charge, "expand": ["data.charge"]}).data[0].charge
    assert isinstance(expanded, stripe.Charge)
    assert [500, 500, 800] == [
        expanded.amount_refunded,
        *(client.v1.charges.retrieve(charge).amount_refunded for _ in range(2)),
    ]


def test_a_stale_read_can_lie_some_seconds_back(api: Api, sandbox: Sandbox) -> None:
    charge = api.payment(2000)["latest_charge"]
    sandbox.advance(10)
    api.make("refunds", charge=charge, amount=500)
    sandbox.fault(kind="stale", seconds=5, count=2)
    assert 0 == api.read(f"charges/{charge}")["amount_refunded"]
    assert [] == api.read("refunds", charge=charge)["data"]
    assert 500 == api.read(f"charges/{charge}")["amount_refunded"]


def test_a_stale_read_leaves_a_post_alone(api: Api, sandbox: Sandbox) -> None:
    sandbox.fault(kind="stale")
    assert 200 == create(api).status_code
    assert 1 == len(sandbox.http.get("/_sandbox/faults").json()["faults"])


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("card_declined", ("card_declined", "generic_decline")),
        ("insufficient_funds", ("card_declined", "insufficient_funds")),
        ("expired_card", ("expired_card", "expired_card")),
        ("authentication_required", ("authentication_required", "authentication_required")),
    ],
)
def test_the_next_confirmation_can_be_declined(api: Api, sandbox: Sandbox, code: str, error: tuple[str, str]) -> None:
    customer = api.customer("ada@example.com")
    sandbox.fault(kind="decline", code=code)
    method = customer["invoice_settings"]["default_payment_method"]
    client = sandbox.stripe()
    intent = client.v1.payment_intents.create(
        {"amount": 900, "currency": "usd", "customer": customer["id"], "payment_method": method}
    )
    with pytest.raises(stripe.CardError) as declined:
        client.v1.payment_intents.confirm(intent.id, {"off_session": True})
    assert declined.value.error
    assert error == (declined.value.code, declined.value.error.decline_code)
    paid = client.v1.payment_intents.confirm(intent.id, {"payment_method": method})
    assert "succeeded" == paid.status


def test_a_card_that_is_attached_meanwhile_stays_good(api: Api, sandbox: Sandbox) -> None:
    customer = api.make("customers")["id"]
    sandbox.fault(kind="decline")
    method = api.make("payment_methods/pm_card_visa/attach", customer=customer)["id"]
    form = {"amount": 900, "currency": "usd", "customer": customer, "payment_method": method, "confirm": "true"}
    assert [402, 200] == [api.post("payment_intents", **form).status_code for _ in range(2)]


def test_no_snapshot_remembers_a_decline_that_was_ordered(api: Api, sandbox: Sandbox) -> None:
    customer = api.customer("ada@example.com")
    method = customer["invoice_settings"]["default_payment_method"]
    sandbox.post("snapshot", name="a good card")
    sandbox.fault(kind="decline")
    api.make(f"payment_methods/{method}/detach")
    sandbox.post("restore", name="a good card")
    form = {"amount": 900, "currency": "usd", "customer": customer["id"], "payment_method": method}
    assert "succeeded" == api.make("payment_intents", confirm="true", **form)["status"]


def test_a_dispute_can_come_between_the_look_and_the_refund(api: Api, sandbox: Sandbox) -> None:
    intent = api.payment(2000)
    sandbox.fault(kind="dispute_before")
    assert not api.read(f"charges/{intent['latest_charge']}")["disputed"]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sandbox.stripe().v1.refunds.create({"payment_intent": intent["id"]})
    assert "charge_disputed" == refused.value.code
    assert 0 == api.read(f"charges/{intent['latest_charge']}")["amount_refunded"]
    assert 1 == len(api.read("disputes", charge=intent["latest_charge"])["data"])


@pytest.mark.parametrize(
    ("kind", "statuses", "left"),
    [
        ("refund_pending", ("pending", "succeeded"), 2000),
        ("refund_fails_later", ("succeeded", "failed"), 0),
        ("refund_requires_action", ("requires_action", "succeeded"), 2000),
    ],
)
def test_a_refund_can_take_its_time(
    api: Api, sandbox: Sandbox, kind: str, statuses: tuple[str, str], left: int
) -> None:
    at_once, later = statuses
    charge = str(api.payment(2000)["latest_charge"])
    sandbox.fault(kind=kind, seconds=30)
    client = sandbox.stripe()
    made = client.v1.refunds.create({"charge": charge})
    event = api.read("events", type="refund.created", limit=1)["data"][0]
    assert (at_once, at_once) == (made.status, event["data"]["object"]["status"])
    assert [] == misfits(api.read(f"refunds/{made.id}"))
    assert 2000 == api.read(f"charges/{charge}")["amount_refunded"]
    sandbox.advance(31)
    assert later == client.v1.refunds.retrieve(made.id).status
    assert left == api.read(f"charges/{charge}")["amount_refunded"]
    assert [] == misfits(api.read(f"refunds/{made.id}"))


def test_a_refund_that_is_refused_does_not_use_the_fault_up(api: Api, sandbox: Sandbox) -> None:
    charge = api.payment(2000)["latest_charge"]
    sandbox.fault(kind="refund_pending")
    assert 400 == api.post("refunds", charge=charge, amount=5000).status_code
    assert ["pending", "succeeded"] == [api.make("refunds", charge=charge, amount=5)["status"] for _ in range(2)]


def test_search_can_lag_behind_the_lists(api: Api, sandbox: Sandbox) -> None:
    """Of what is there and of what changes; never of what the index already knows."""
    sandbox.post("search", lag=5)
    client = sandbox.stripe()

    def found(name: str) -> int:
        return len(client.v1.customers.search({"query": f"name:'{name}'"}).data)

    made = api.make("customers", email="new@example.com", name="Before")
    assert (0, 1, 1) == (
        found("Before"),
        len(names(api)),
        len(api.read("customers/search", query="email:'ada@example.com'")["data"]),
    )
    sandbox.advance(6)
    assert 1 == found("Before")
    api.make(f"customers/{made['id']}", name="Later")
    assert (1, 0) == (found("Before"), found("Later"))
    sandbox.advance(6)
    assert (0, 1) == (found("Before"), found("Later"))


@pytest.mark.parametrize("lag", [-1, "5", True, None, 10**6])
def test_a_lag_that_cannot_be_is_refused(sandbox: Sandbox, lag: object) -> None:
    assert 400 == sandbox.http.post("/_sandbox/search", json={"lag": lag}).status_code


@pytest.mark.parametrize(("limit", "reason"), [("per_second", "global-rate"), ("per_endpoint", "endpoint-rate")])
def test_rate_limits_can_be_switched_on(sandbox: Sandbox, limit: str, reason: str) -> None:
    sandbox.post("limits", **{limit: 1})
    client = sandbox.stripe()
    with pytest.raises(stripe.RateLimitError) as refused:  # noqa: PT012 - which one of them is up to the clock
        for _ in range(50):
            client.v1.refunds.list({"limit": 1})
    assert refused.value.error
    headers = refused.value.headers or {}
    assert ("rate_limit", reason) == (refused.value.error.code, headers["stripe-rate-limited-reason"])
    sandbox.post("limits")
    assert all(client.v1.refunds.list({"limit": 1}).data for _ in range(5))


@pytest.mark.parametrize("body", [{"per_second": 0}, {"per_second": "many"}, {"per_minute": 5}])
def test_a_limit_that_cannot_be_is_refused(sandbox: Sandbox, body: dict[str, object]) -> None:
    assert 400 == sandbox.http.post("/_sandbox/limits", json=body).status_code
