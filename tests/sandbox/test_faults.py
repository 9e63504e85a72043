"""Faults come on order, as often as ordered, and leave the world as their kind says."""

import time

import httpx
import pytest
import stripe

from tests.fixtures.sandbox import Sandbox
from tests.sandbox.conftest import Api


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


@pytest.mark.parametrize("order", [{"kind": "meteor"}, {"path": "("}, {"colour": "blue"}])
def test_an_order_that_makes_no_sense_is_refused(sandbox: Sandbox, order: dict[str, str]) -> None:
    assert 400 == sandbox.http.post("/_sandbox/faults", json=order).status_code
    assert {"faults": []} == sandbox.http.get("/_sandbox/faults").json()


def test_the_retries_of_the_sdk_get_through(sandbox: Sandbox) -> None:
    sandbox.fault(status=503, count=1)
    assert sandbox.stripe(retries=1).v1.customers.list({"limit": 1}).data
