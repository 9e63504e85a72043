"""What Stripe may say one day, and what we must never say: unknown values, missing permissions, logs."""

import json
import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from nodes.picture import from_json, to_json
from tests.fixtures.sandbox import Sandbox
from tests.tools.billing.books import Books
from tools.billing.analysis import explain_pairs, find_duplicates
from tools.billing.retry import Retry
from tools.billing.stripe_billing import StripeBilling
from tools.billing.transport import HttpxTransport
from tools.errors import BillingUnavailable

ENUMS = frozenset(
    {"status", "reason", "billing_reason", "failure_code", "failure_reason", "brand", "collection_method"}
)
ONCE = Retry(attempts=1)


def foreign(value: Any) -> Any:
    """The same answer from a Stripe that has new words for everything."""
    if isinstance(value, list):
        return [foreign(each) for each in value]
    if not isinstance(value, dict):
        return value
    changed = {name: foreign(each) for name, each in value.items()}
    return changed | {name: "brand_new" for name in ENUMS & changed.keys() if isinstance(changed[name], str)}


def currencies(value: Any) -> Any:
    if isinstance(value, list):
        return [currencies(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: "xqz" if name == "currency" and each else currencies(each) for name, each in value.items()}


@pytest.fixture
def books(sandbox_process: Sandbox) -> Books:
    sandbox_process.reset(seed=None)
    books = Books(sandbox_process)
    books.v1.refunds.create({"charge": books.charge, "amount": 500})
    books.v1.credit_notes.create({"invoice": books.owed, "amount": 500})
    books.sandbox.open_dispute(books.charge)
    assert books.plan.id
    return books


def altering(monkeypatch: pytest.MonkeyPatch, alter: Callable[[Any], Any]) -> None:
    class Altered(HttpxTransport):
        async def request_async(self, *args: Any, **more: Any) -> Any:
            content, status, headers = await super().request_async(*args, **more)
            return json.dumps(alter(json.loads(content))).encode(), status, headers

    monkeypatch.setattr("tools.billing.stripe_billing.HttpxTransport", Altered)


@pytest.mark.parametrize("alter", [foreign, currencies])
async def test_words_that_are_new_break_nothing(
    books: Books, monkeypatch: pytest.MonkeyPatch, alter: Callable[[Any], Any]
) -> None:
    altering(monkeypatch, alter)
    async with StripeBilling.open(books.sandbox.api_key, books.sandbox.url, retry=ONCE) as billing:
        picture = await billing.picture(books.customer)

    kept = from_json(to_json(picture))

    assert picture == kept
    assert (len(picture.invoices), len(picture.credit_notes), len(picture.disputes)) == (2, 1, 1)
    assert () == find_duplicates(kept)
    assert explain_pairs(kept) is not None
    if alter is foreign:
        assert {"unknown"} == {invoice.status for invoice in picture.invoices}
        assert not any(charge.refundable for charge in picture.charges)
        assert [True] == [dispute.is_open for dispute in picture.disputes]


@pytest.mark.parametrize("listed", ["invoices", "charges", "subscriptions", "disputes", "credit_notes", "products"])
async def test_a_key_without_a_permission_fails_closed_and_says_which(
    books: Books, monkeypatch: pytest.MonkeyPatch, listed: str
) -> None:
    message = (
        "The provided key 'rk_test_*********************abcdef' does not have the required permissions for this "
        f"endpoint on account 'acct_1'. Having the 'rak_{listed}_read' permission would allow this request to continue."
    )

    class Restricted(HttpxTransport):
        async def request_async(self, method: str, url: str, headers: Any, post_data: Any = None) -> Any:
            if httpx.URL(url).path == f"/v1/{listed}":
                body = {"error": {"type": "invalid_request_error", "message": message}}
                return json.dumps(body).encode(), 403, {}
            return await super().request_async(method, url, headers, post_data)

    monkeypatch.setattr("tools.billing.stripe_billing.HttpxTransport", Restricted)
    async with StripeBilling.open(books.sandbox.api_key, books.sandbox.url, retry=ONCE) as billing:
        with capture_logs() as logs, pytest.raises(BillingUnavailable):
            await billing.picture(books.customer)

    said = [(line["event"], line["permission"]) for line in logs if line["log_level"] == "error"]
    assert ("stripe.permission_missing", f"rak_{listed}_read") in said
    assert "rk_test" not in str(logs)


async def test_no_log_holds_an_address_or_a_portal_link(books: Books, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with StripeBilling.open(books.sandbox.api_key, books.sandbox.url, retry=ONCE) as billing:
            found = await billing.find_by_email("ada@example.com")
            await billing.find_by_phone("+14155550100")
            await billing.picture(books.customer)
            link = await billing.mover().portal_link(**books.call("portal_link"))
    written = "\n".join(f"{record.getMessage()} {record.args}" for record in caplog.records)

    assert [books.customer] == [customer.id for customer in found]
    for secret in ("ada@", "ada%40", "4155550100", link.url, link.url.rpartition("/")[2], books.sandbox.api_key):
        assert secret not in written
    assert link.url not in repr(link)
