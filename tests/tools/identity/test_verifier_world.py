"""The whole way: a real mail through SMTP, a real ledger, and Stripe's SDK over HTTP."""

import re
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from tests.fixtures.keys import KEYS
from tests.fixtures.sandbox import Sandbox
from tests.tools.identity.conftest import PEPPER
from tools.billing.retry import Retry
from tools.billing.stripe_billing import StripeBilling
from tools.identity.types import Attempt
from tools.identity.verifier import Verifier
from tools.ledger.ledger import Ledger
from tools.mail.mailer import Mailer

ADA = "ada@example.com"


@pytest.fixture
async def verifier(ledger: Ledger, sandbox: Sandbox, redis: Redis) -> AsyncIterator[Verifier]:
    sandbox.reset(seed=None)
    await ledger.create_thread("t", "owner", {})
    mailer = Mailer("127.0.0.1", sandbox.smtp_port, "Acme <billing@acme.example>")
    async with StripeBilling.open(sandbox.api_key, sandbox.url, retry=Retry(attempts=1)) as billing:
        yield Verifier(redis, ledger, mailer, billing, pepper=PEPPER, keys=KEYS)


def new_customer(sandbox: Sandbox, email: str, phone: str = "+12025550123") -> str:
    return sandbox.stripe().v1.customers.create({"email": email, "name": "Ada", "phone": phone}).id


def mailed_code(sandbox: Sandbox, email: str) -> str:
    found = re.match(r"Your Acme code is (\d{6})\.", sandbox.inbox(email)[-1]["text"])
    assert found is not None
    return found.group(1)


async def test_a_code_from_the_inbox_binds_the_customer(verifier: Verifier, sandbox: Sandbox) -> None:
    customer = new_customer(sandbox, ADA)

    await verifier.start("t", ADA)
    await verifier.take_code("t", mailed_code(sandbox, ADA), message_id="m1")

    session = await verifier.session("t")
    assert (2, ADA, customer) == (session.level, session.email, session.customer)


async def test_a_phone_number_reaches_the_inbox_on_file(verifier: Verifier, sandbox: Sandbox) -> None:
    customer = new_customer(sandbox, ADA, phone="+12025550199")

    await verifier.start_by_phone("t", "+1 202-555-0199")
    await verifier.aclose()
    await verifier.take_code("t", mailed_code(sandbox, ADA), message_id="m1")

    assert customer == (await verifier.session("t")).customer


async def test_an_address_without_an_account_gets_the_same_mail(verifier: Verifier, sandbox: Sandbox) -> None:
    new_customer(sandbox, ADA)
    await verifier.start("t", ADA)
    await verifier.start("t", "nobody@example.com")

    (known,), (unknown,) = sandbox.inbox(ADA), sandbox.inbox("nobody@example.com")
    hide = re.compile(r"\d{6}")
    assert known["subject"] == unknown["subject"]
    assert hide.sub("", known["text"]) == hide.sub("", unknown["text"])

    await verifier.take_code("t", mailed_code(sandbox, "nobody@example.com"), message_id="m1")
    session = await verifier.session("t")
    assert (0, Attempt(message_id="m1", outcome="no_account")) == (session.level, session.last)


async def test_a_proof_survives_a_stripe_that_is_down(verifier: Verifier, sandbox: Sandbox) -> None:
    customer = new_customer(sandbox, ADA)
    await verifier.start("t", ADA)
    code = mailed_code(sandbox, ADA)
    sandbox.fault(path="/v1/.*", kind="status", status=500, count=None)

    await verifier.take_code("t", code, message_id="m1")
    waiting = await verifier.session("t")
    sandbox.clear_faults()

    session = await verifier.session("t")
    assert (waiting.level, waiting.email, waiting.customer) == (0, ADA, None)
    assert (2, ADA, customer) == (session.level, session.email, session.customer)
