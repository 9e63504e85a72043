"""Lines of a draft added, changed and removed in one request: all, or none."""

from typing import Any

import pytest

from tests.sandbox.billing import Json, draft, someone, vat
from tests.sandbox.conftest import Api


@pytest.fixture
def invoice(api: Api) -> Json:
    """A draft with one line of 50.00."""
    return draft(api, someone(api), 5000)


def ask(api: Api, invoice: Json, verb: str, *lines: Json, **more: Any) -> Any:
    form = {f"lines[{place}][{name}]": value for place, line in enumerate(lines) for name, value in line.items()}
    return api.post(f"invoices/{invoice['id']}/{verb}_lines", **form, **more)


def test_lines_are_added_by_amount_by_price_and_from_pending_items(api: Api, invoice: Json) -> None:
    product = api.make("products", name="Chair")["id"]
    price = api.make("prices", product=product, currency="usd", unit_amount=1500)["id"]
    waiting = api.make("invoiceitems", customer=invoice["customer"], amount=700, currency="usd")["id"]
    tax = {f"tax_rates][{0}": vat(api)["tax_rates[0]"]}
    lines = [
        {"amount": 1000, "description": "Travel", **tax},
        {"pricing][price": price, "quantity": 2},
        {"invoice_item": waiting},
    ]
    made = ask(api, invoice, "add", *lines, **{"invoice_metadata[order]": "7"}).json()
    assert [5000, 1000, 3000, 700] == [line["amount"] for line in made["lines"]["data"]]
    assert (9700, 9890, {"order": "7"}) == (made["subtotal"], made["total"], made["metadata"])
    assert invoice["id"] == api.read(f"invoiceitems/{waiting}")["invoice"]


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ({}, (400, "parameter_missing", "lines[1][amount]")),
        ({"pricing][price": "price_none"}, (400, "resource_missing", "lines[1][pricing][price]")),
        ({"invoice_item": "ii_none"}, (400, "resource_missing", "lines[1][invoice_item]")),
        ({"amount": 5, "tax_rates][0": "txr_none"}, (400, "resource_missing", "lines[1][tax_rates]")),
    ],
)
def test_one_bad_line_adds_none(
    api: Api, invoice: Json, line: Json, refusal: tuple[int, str | None, str | None]
) -> None:
    refused = ask(api, invoice, "add", {"amount": 100}, line or {"description": "nothing"})
    assert refusal == api.error(refused)
    assert invoice == api.read(f"invoices/{invoice['id']}")


def test_lines_change_and_keep_their_ids(api: Api, invoice: Json) -> None:
    line = invoice["lines"]["data"][0]["id"]
    changed = ask(api, invoice, "update", {"id": line, "amount": 4000, "description": "Less work"}).json()
    (only,) = changed["lines"]["data"]
    assert (line, 4000, "Less work", 4000) == (only["id"], only["amount"], only["description"], changed["total"])
    refused = ask(api, invoice, "update", {"id": line, "amount": 1}, {"id": "il_none"})
    assert (400, "resource_missing", "lines[1][id]") == api.error(refused)
    assert changed == api.read(f"invoices/{invoice['id']}")


@pytest.mark.parametrize(("behavior", "pending"), [("delete", 0), ("unassign", 1)])
def test_a_removed_line_is_gone_or_waits_again(api: Api, invoice: Json, behavior: str, pending: int) -> None:
    line = invoice["lines"]["data"][0]["id"]
    after = ask(api, invoice, "remove", {"id": line, "behavior": behavior}).json()
    assert (0, []) == (after["total"], after["lines"]["data"])
    assert pending == len(api.read("invoiceitems", customer=invoice["customer"], pending="true")["data"])


@pytest.mark.parametrize("verb", ["add", "update", "remove"])
def test_only_drafts_change(api: Api, invoice: Json, verb: str) -> None:
    api.make(f"invoices/{invoice['id']}/finalize")
    line = {"id": invoice["lines"]["data"][0]["id"], "behavior": "delete", "amount": 1}
    wanted = {"add": ("amount",), "update": ("id", "amount"), "remove": ("id", "behavior")}[verb]
    refused = ask(api, invoice, verb, {name: line[name] for name in wanted})
    assert (400, "invoice_not_editable", None) == api.error(refused)


def test_a_change_that_is_refused_leaves_the_draft_alone(api: Api, invoice: Json) -> None:
    refused = api.post(f"invoices/{invoice['id']}", description="new", due_date=4_000_000_000)
    assert (400, None, "due_date") == api.error(refused)
    assert invoice == api.read(f"invoices/{invoice['id']}")
    assert 400 == api.post("invoices", customer=invoice["customer"], days_until_due=30).status_code
    assert [invoice["id"]] == [each["id"] for each in api.read("invoices", customer=invoice["customer"])["data"]]
