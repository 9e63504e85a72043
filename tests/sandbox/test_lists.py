"""Lists, cursors, time ranges, search and expansion."""

from typing import Any

import pytest
import stripe

from tests.sandbox.conftest import Api


def annies(api: Api) -> str:
    customer: str = api.customer("annie@example.com")["id"]
    return customer


def test_the_sdk_pages_through_120_invoices_newest_first(api: Api, client: stripe.StripeClient) -> None:
    customer = annies(api)
    pages = client.v1.invoices.list({"customer": customer, "limit": 50})
    seen = [invoice.created for invoice in pages.auto_paging_iter()]
    assert 120 == len(seen)
    assert sorted(seen, reverse=True) == seen


async def test_the_sdk_pages_asynchronously_too(api: Api, client: stripe.StripeClient) -> None:
    pages = await client.v1.charges.list_async({"customer": annies(api), "limit": 100})
    assert 120 == len([charge.id async for charge in pages.auto_paging_iter()])


def test_pages_without_a_limit_hold_ten(api: Api) -> None:
    answer = api.read("invoices", customer=annies(api))
    assert ("list", 10, True, "/v1/invoices") == (
        answer["object"],
        len(answer["data"]),
        answer["has_more"],
        answer["url"],
    )


def test_ending_before_goes_back_to_the_page_just_before(api: Api) -> None:
    customer = annies(api)
    ids = [invoice["id"] for invoice in api.read("invoices", customer=customer, limit=9)["data"]]
    back = api.read("invoices", customer=customer, limit=3, ending_before=ids[6])
    assert (ids[3:6], True) == ([invoice["id"] for invoice in back["data"]], back["has_more"])
    first = api.read("invoices", customer=customer, limit=3, ending_before=ids[2])
    assert (ids[:2], False) == ([invoice["id"] for invoice in first["data"]], first["has_more"])


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ({"limit": 0}, (400, "parameter_invalid_integer", "limit")),
        ({"limit": 101}, (400, "parameter_invalid_integer", "limit")),
        ({"starting_after": "in_none"}, (400, "resource_missing", "starting_after")),
        ({"status": "odd"}, (400, None, "status")),
        ({"created[since]": 1}, (400, "parameter_unknown", "created[since]")),
    ],
)
def test_a_list_refuses_what_it_cannot_do(
    api: Api, query: dict[str, Any], refusal: tuple[int, str | None, str | None]
) -> None:
    assert refusal == api.error(api.get("invoices", **query))


def test_a_cursor_may_be_one_that_the_filters_leave_out(api: Api) -> None:
    later, earlier, *_ = api.charges("ada@example.com")
    others = [charge for charge in api.read("charges", limit=100)["data"] if charge["customer"] != later["customer"]]
    between = next((each for each in others if earlier["created"] < each["created"] < later["created"]), others[0])
    expected = [each["id"] for each in (later, earlier) if each["created"] < between["created"]]
    found = api.read("charges", customer=later["customer"], starting_after=between["id"])["data"]
    assert expected == [charge["id"] for charge in found][: len(expected)]


def test_a_list_of_one_customer_follows_what_moves(api: Api) -> None:
    first, second = api.make("customers")["id"], api.make("customers")["id"]
    method = api.make("payment_methods/pm_card_visa/attach", customer=first)["id"]
    item = api.make("invoiceitems", customer=first, amount=500, currency="usd")["id"]
    assert ([item], []) == tuple(
        [each["id"] for each in api.read("invoiceitems", customer=customer)["data"]] for customer in (first, second)
    )
    api.make(f"payment_methods/{method}/detach")
    assert [] == api.read("payment_methods", customer=first)["data"]
    assert 200 == api.delete(f"invoiceitems/{item}").status_code
    assert [] == api.read("invoiceitems", customer=first)["data"]


def test_two_cursors_at_once_are_refused(api: Api) -> None:
    charge = api.charges("ada@example.com")[0]["id"]
    assert 400 == api.get("charges", starting_after=charge, ending_before=charge).status_code


def test_created_takes_a_moment_or_a_range(api: Api) -> None:
    later, earlier, *_ = api.charges("ada@example.com")
    customer = later["customer"]

    def found(**query: int) -> list[str]:
        return [charge["id"] for charge in api.read("charges", customer=customer, **query)["data"]]

    assert [later["id"]] == found(created=later["created"])
    assert [later["id"]] == found(**{"created[gt]": earlier["created"]})
    assert [later["id"], earlier["id"]] == found(**{"created[gte]": earlier["created"]})
    assert [earlier["id"]] == found(**{"created[lt]": later["created"], "created[gte]": earlier["created"]})


def test_email_is_matched_exactly_and_case_counts(api: Api) -> None:
    assert 1 == len(api.read("customers", email="Mixed.Case@Example.com")["data"])
    assert [] == api.read("customers", email="mixed.case@example.com")["data"]
    assert 2 == len(api.read("customers", email="sam@example.com")["data"])


@pytest.mark.parametrize(
    ("query", "emails"),
    [
        ("email:'ada@example.com'", ["ada@example.com"]),
        ("email:'ADA@example.com'", ["ada@example.com"]),
        ('phone:"+12025550123"', ["katherine@example.com"]),
        ("phone~'5550123'", ["katherine@example.com"]),
        ("email:'ada@example.com' OR email:'alan@example.com'", ["ada@example.com", "alan@example.com"]),
        ("email~'example' AND name:'Grace Hopper'", ["grace@example.com"]),
        ("email~'example' name:'Grace Hopper'", ["grace@example.com"]),
        ("email:'sam@example.com' AND -name:'Sam Rivers'", ["sam@example.com"]),
        ("metadata['note']~'administrator'", ["mallory@example.com"]),
        ("email:'nobody@example.com'", []),
        (r"name:'O\'Neil'", []),
    ],
)
def test_customers_are_found_by_search(api: Api, query: str, emails: list[str]) -> None:
    answer = api.read("customers/search", query=query)
    assert ("search_result", emails) == (answer["object"], sorted(each["email"] for each in answer["data"]))


@pytest.mark.parametrize(
    "query",
    [
        "",
        "email",
        "email:",
        "email:'a",
        "email:'a' AND",
        "email:'a' AND email:'b' OR email:'c'",
        "colour:'blue'",
        "metadata:'x'",
        "email~'ab'",
        "created>'yesterday'",
    ],
)
def test_a_search_that_cannot_be_read_is_refused(api: Api, query: str) -> None:
    status, _, param = api.error(api.get("customers/search", query=query))
    assert (400, "query") == (status, param)


def test_a_quote_in_a_value_cannot_widen_the_search(api: Api) -> None:
    """`x' OR email~'example` as one escaped value finds nothing."""
    answer = api.read("customers/search", query=r"email:'x\' OR email~\'example'")
    assert [] == answer["data"]


def test_search_results_come_in_pages(api: Api) -> None:
    customer = annies(api)
    first = api.read("charges/search", query=f"customer:'{customer}' AND amount>550", limit=40)
    second = api.read(
        "charges/search", query=f"customer:'{customer}' AND amount>550", limit=40, page=first["next_page"]
    )
    assert (40, 29, True, False) == (
        len(first["data"]),
        len(second["data"]),
        first["has_more"],
        second["has_more"],
    )
    assert second["next_page"] is None


def test_a_payment_leads_to_its_charge_in_one_call(api: Api) -> None:
    later, earlier, *_ = api.charges("ada@example.com")
    invoice = api.read("invoices", customer=later["customer"])["data"][0]
    paths = {"expand[]": "data.payment.payment_intent.latest_charge"}
    payment = api.read("invoice_payments", invoice=invoice["id"], **paths)["data"][0]
    assert earlier["id"] == payment["payment"]["payment_intent"]["latest_charge"]["id"]


def test_a_charge_leads_back_to_its_invoice_or_to_none(api: Api) -> None:
    later, earlier, *_ = api.charges("ada@example.com")
    for charge, count in ((earlier, 1), (later, 0)):
        query = {"payment[type]": "payment_intent", "payment[payment_intent]": charge["payment_intent"]}
        assert count == len(api.read("invoice_payments", **query)["data"])


def test_payments_are_there_only_when_expanded(api: Api) -> None:
    invoice = api.read("invoices", customer=api.customer("ada@example.com")["id"])["data"][0]
    assert "payments" not in invoice
    expanded = api.read(f"invoices/{invoice['id']}", **{"expand[]": "payments.data.payment.payment_intent"})
    assert 4900 == expanded["payments"]["data"][0]["payment"]["payment_intent"]["amount"]
    assert invoice == api.read(f"invoices/{invoice['id']}")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("data.payment.payment_intent.latest_charge.customer", "You cannot expand more than 4 levels of a property"),
        ("data.amount_paid", "This property cannot be expanded (data.amount_paid)."),
        ("invoice", "You may want to try expanding 'data.invoice' instead."),
    ],
)
def test_a_path_that_cannot_be_expanded_is_refused(api: Api, path: str, message: str) -> None:
    answer = api.get("invoice_payments", **{"expand[]": path})
    assert 400 == answer.status_code
    assert message in answer.json()["error"]["message"]


def test_canceled_subscriptions_are_listed_only_when_asked_for(api: Api) -> None:
    customer = api.customer("alan@example.com")["id"]
    subscription = api.read("subscriptions", customer=customer)["data"][0]["id"]
    assert 200 == api.delete(f"subscriptions/{subscription}").status_code
    counts = [
        len(api.read("subscriptions", customer=customer, **query)["data"])
        for query in ({}, {"status": "all"}, {"status": "ended"}, {"status": "active"})
    ]
    assert [0, 1, 1, 0] == counts


def test_events_are_found_by_kind(api: Api) -> None:
    refunded = api.read("events", type="charge.refunded", limit=100)["data"]
    disputes = api.read("events", type="charge.dispute.*", limit=100)["data"]
    assert {"charge.refunded"} == {event["type"] for event in refunded}
    assert {"charge.dispute.created", "charge.dispute.funds_withdrawn"} == {event["type"] for event in disputes}
