"""Parameters, lists, expansion, search and keys, as both services must treat them."""

from typing import Any

import pytest
import stripe

from tests.contract.conftest import Refusal, Service, refusal


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"colour": "blue"}, (400, "parameter_unknown", "colour")),
        ({"amount": 500}, (400, "parameter_missing", "currency")),
        ({"amount": "much", "currency": "usd"}, (400, "parameter_invalid_integer", "amount")),
        ({"amount": 10, "currency": "usd"}, (400, "amount_too_small", None)),
        ({"amount": 500, "currency": "usd", "customer": "cus_none"}, (400, "resource_missing", "customer")),
    ],
)
def test_parameters_are_refused_with_stable_codes(service: Service, params: Any, expected: Refusal) -> None:
    found = refusal(lambda: service.v1.payment_intents.create(params))
    # Stripe names no param with some amounts: the code is what can be relied on.
    assert expected[:2] == found[:2]
    assert expected[2] in {None, found[2]}


def test_an_unknown_id_is_not_found(service: Service) -> None:
    assert (404, "resource_missing", "id") == refusal(lambda: service.v1.customers.retrieve("cus_none"))


def test_lists_are_newest_first_and_go_on_after_a_cursor(service: Service) -> None:
    email = service.email("list")
    ids = [service.v1.customers.create({"email": email}).id for _ in range(3)]
    first = service.v1.customers.list({"email": email, "limit": 2})
    assert (set(ids[1:]), True) == ({customer.id for customer in first.data}, first.has_more)
    rest = service.v1.customers.list({"email": email, "limit": 2, "starting_after": first.data[-1].id})
    assert ([ids[0]], False) == ([customer.id for customer in rest.data], rest.has_more)


def test_the_email_filter_is_exact_and_search_is_not(service: Service) -> None:
    made = service.v1.customers.create({"email": service.email("Mixed.Case")})
    assert [] == service.v1.customers.list({"email": made.email.lower()}).data
    query = {"query": f"email:'{made.email.lower()}'"}
    found = service.eventually(lambda: service.v1.customers.search(query).data)
    assert [made.id] == [customer.id for customer in found]


def test_limits_lie_between_1_and_100(service: Service) -> None:
    assert (400, "limit") == refusal(lambda: service.v1.customers.list({"limit": 101}))[::2]


def test_expansion_goes_four_levels_and_no_further(service: Service) -> None:
    service.payment(2000)
    deep = {"limit": 1, "expand": ["data.a.b.c.d"]}
    assert 400 == refusal(lambda: service.v1.charges.list(deep))[0]
    odd = {"limit": 1, "expand": ["data.colour"]}
    assert 400 == refusal(lambda: service.v1.charges.list(odd))[0]
    opened = service.v1.charges.list({"limit": 1, "expand": ["data.payment_intent", "data.refunds"]}).data[0]
    assert ("payment_intent", "list") == (opened.payment_intent.object, opened.refunds.object)


def test_a_deleted_customer_leaves_a_stub(service: Service) -> None:
    made = service.customer(card=None)
    assert service.v1.customers.delete(made.id).deleted
    assert service.v1.customers.retrieve(made.id).deleted
    late = {"amount": 500, "currency": "usd", "customer": made.id}
    assert (400, "resource_missing", "customer") == refusal(lambda: service.v1.payment_intents.create(late))


def test_a_wrong_key_is_refused(service: Service) -> None:
    with pytest.raises(stripe.AuthenticationError) as raised:
        service.v1.customers.list({"limit": 1}, {"api_key": "sk_wrong_0000000000000000"})
    assert 401 == raised.value.http_status


def test_a_card_comes_from_an_existing_token(service: Service) -> None:
    with pytest.raises(stripe.StripeError) as raised:
        service.v1.payment_methods.create({"type": "card", "card": {"token": "tok_none"}})
    assert "resource_missing" == raised.value.code
