"""One key, one execution: what Stripe promises for POST and what our money mover rests on."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

from tests.fixtures.sandbox import Sandbox
from tests.sandbox.conftest import Api

DAY = 86_400


def refunds_of(api: Api, charge: str) -> int:
    return len(api.read("refunds", charge=charge)["data"])


def test_a_repeated_key_gives_the_first_answer_again_and_does_nothing(api: Api) -> None:
    charge = api.payment()["latest_charge"]
    first = api.post("refunds", key="k1", charge=charge, amount=500)
    again = api.post("refunds", key="k1", charge=charge, amount=500)
    assert first.json() == again.json()
    assert "idempotent-replayed" not in first.headers
    assert ("true", "k1") == (again.headers["idempotent-replayed"], again.headers["idempotency-key"])
    assert first.headers["request-id"] == again.headers["original-request"]
    assert 1 == refunds_of(api, charge)


def test_the_order_of_parameters_does_not_matter(api: Api) -> None:
    charge = api.payment()["latest_charge"]
    first = api.post("refunds", key="k1", charge=charge, amount=500)
    assert first.json() == api.post("refunds", key="k1", amount=500, charge=charge).json()


def test_other_parameters_under_the_same_key_are_refused(api: Api) -> None:
    charge = api.payment()["latest_charge"]
    api.post("refunds", key="k1", charge=charge, amount=500)
    refused = api.post("refunds", key="k1", charge=charge, amount=600)
    error = refused.json()["error"]
    assert (400, "idempotency_error") == (refused.status_code, error["type"])
    assert error["message"].startswith("Keys for idempotent requests can only be used with the same parameters")
    assert 1 == refunds_of(api, charge)


def test_another_address_under_the_same_key_is_refused(api: Api) -> None:
    api.post("customers", key="k1")
    refused = api.post("products", key="k1", name="x")
    assert "idempotency_error" == refused.json()["error"]["type"]


def test_a_refusal_of_the_operation_is_remembered(api: Api) -> None:
    """A card that works by now does not help a key that has seen a decline."""
    form = {"amount": 900, "currency": "usd", "payment_method": "pm_card_chargeDeclined", "confirm": "true"}
    first = api.post("payment_intents", key="k1", **form)
    again = api.post("payment_intents", key="k1", **form)
    assert (402, first.json()) == (again.status_code, again.json())
    assert "true" == again.headers["idempotent-replayed"]


def test_refused_parameters_leave_the_key_unused(api: Api) -> None:
    charge = api.payment()["latest_charge"]
    assert 400 == api.post("refunds", key="k1", charge=charge, amount="x").status_code
    assert 200 == api.post("refunds", key="k1", charge=charge, amount="500").status_code


def test_a_500_after_the_commit_is_what_the_retry_gets_too(api: Api, sandbox: Sandbox) -> None:
    """The refund happened, and no retry with its key will ever say so: only reading the refunds does."""
    charge = api.payment()["latest_charge"]
    sandbox.fault(path="/v1/refunds", kind="status_after_commit", status=500)
    first = api.post("refunds", key="k1", charge=charge)
    again = api.post("refunds", key="k1", charge=charge)
    assert [500, 500] == [first.status_code, again.status_code]
    assert "true" == again.headers["idempotent-replayed"]
    assert 1 == refunds_of(api, charge)


def test_a_gateways_502_after_the_commit_is_cured_by_the_retry(api: Api, sandbox: Sandbox) -> None:
    charge = api.payment()["latest_charge"]
    sandbox.fault(path="/v1/refunds", kind="status_after_commit", status=502)
    assert 502 == api.post("refunds", key="k1", charge=charge).status_code
    assert 200 == api.post("refunds", key="k1", charge=charge).status_code
    assert 1 == refunds_of(api, charge)


def test_the_retries_of_the_sdk_make_one_refund(api: Api, sandbox: Sandbox) -> None:
    charge = api.payment()["latest_charge"]
    sandbox.fault(path="/v1/refunds", kind="reset_after_commit")
    made = sandbox.stripe(retries=2).v1.refunds.create({"charge": charge, "amount": 500})
    assert ("succeeded", 1) == (made.status, refunds_of(api, charge))


def test_a_key_in_use_is_a_conflict(api: Api, sandbox: Sandbox) -> None:
    charge = api.payment()["latest_charge"]
    sandbox.fault(path="/v1/refunds", kind="slow", seconds=2)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: api.post("refunds", key="k1", charge=charge), range(2)))
    assert [200, 409] == sorted(answer.status_code for answer in answers)
    conflict = next(answer for answer in answers if answer.status_code == 409)
    assert (409, "idempotency_key_in_use", None) == api.error(conflict)
    assert 1 == refunds_of(api, charge)


def test_a_key_is_forgotten_after_a_day_on_the_sandboxs_clock(api: Api, sandbox: Sandbox) -> None:
    charge = api.payment()["latest_charge"]
    api.post("refunds", key="k1", charge=charge, amount=500)
    sandbox.advance(DAY - 60)
    api.post("refunds", key="k1", charge=charge, amount=500)
    assert 1 == refunds_of(api, charge)
    sandbox.advance(61)
    api.post("refunds", key="k1", charge=charge, amount=500)
    assert 2 == refunds_of(api, charge)


def test_a_conflict_leaves_the_first_answer_to_be_given_again(api: Api, sandbox: Sandbox) -> None:
    charge = api.payment()["latest_charge"]
    sandbox.fault(path="/v1/refunds", kind="slow", seconds=2)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: api.post("refunds", key="k1", charge=charge), range(2)))
    done = next(answer for answer in answers if answer.status_code == 200)
    assert done.json() == api.post("refunds", key="k1", charge=charge).json()


def test_a_key_means_nothing_to_a_get(api: Api) -> None:
    customer = api.make("customers", name="Before")["id"]
    headers = {"Idempotency-Key": "k1"}
    first = api.http.get(f"/v1/customers/{customer}", headers=headers).json()["name"]
    api.make(f"customers/{customer}", name="After")
    assert ("Before", "After") == (first, api.http.get(f"/v1/customers/{customer}", headers=headers).json()["name"])


def test_a_failure_before_the_commit_leaves_the_key_unused(api: Api, sandbox: Sandbox) -> None:
    charge = api.payment()["latest_charge"]
    sandbox.fault(path="/v1/refunds", status=500)
    assert [500, 200] == [api.post("refunds", key="k1", charge=charge).status_code for _ in range(2)]


def test_many_keys_are_forgotten_with_their_day(api: Api, sandbox: Sandbox) -> None:
    for number in range(5):
        api.post("customers", key=f"k{number}")
    sandbox.advance(DAY + 1)
    again = [api.post("customers", key=f"k{number}") for number in reversed(range(5))]
    assert [False] * 5 == ["idempotent-replayed" in answer.headers for answer in again]


def test_a_key_has_a_longest_length(api: Api) -> None:
    assert 200 == api.post("customers", key="k" * 255).status_code
    assert 400 == api.post("customers", key="k" * 256).status_code


def test_the_sdk_sees_a_mismatch_as_its_own_error(client: stripe.StripeClient) -> None:
    client.v1.customers.create({"name": "One"}, {"idempotency_key": "k1"})
    with pytest.raises(stripe.IdempotencyError) as refused:
        client.v1.customers.create({"name": "Two"}, {"idempotency_key": "k1"})
    assert 400 == refused.value.http_status


def test_an_event_names_the_key_that_caused_it(api: Api) -> None:
    api.post("customers", key="k1", email="new@example.com")
    event = api.read("events", type="customer.created", limit=1)["data"][0]
    assert ("k1", "new@example.com") == (event["request"]["idempotency_key"], event["data"]["object"]["email"])
