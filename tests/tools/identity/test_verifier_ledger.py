"""The verifier on a real ledger: levels that end, and an audit log that tells no secret."""

from typing import Any

import pytest
from redis.asyncio import Redis

from tests.fixtures.keys import KEYS
from tests.tools.identity.conftest import PEPPER
from tests.tools.identity.fakes import Clock, Directory, Post
from tools.identity.verifier import Verifier
from tools.ledger.ledger import Ledger

ADA = "ada@example.com"


def verifier_on(ledger: Ledger, redis: Redis, post: Post, **options: Any) -> Verifier:
    return Verifier(redis, ledger, post, Directory(), pepper=PEPPER, keys=KEYS, clock=Clock(), **options)


@pytest.fixture
def post() -> Post:
    return Post()


async def test_a_proved_address_is_bound_in_the_ledger_and_audited(ledger: Ledger, redis: Redis, post: Post) -> None:
    await ledger.create_thread("t", "owner", {})
    verifier = verifier_on(ledger, redis, post)
    await verifier.start("t", ADA)
    await verifier.take_code("t", post.code, message_id="m1")

    session, identity = await verifier.session("t"), await ledger.identity("t")

    assert (session.level, session.email, session.customer) == (2, ADA, "cus_ada")
    assert (identity.level, identity.email, identity.customer) == (2, ADA, "cus_ada")
    entries = await ledger.audit_entries()
    events = [entry.event for entry in entries if entry.event.startswith("identity.")]
    assert events == ["identity.code_asked", "identity.code_taken", "identity.bound"]
    assert post.code not in str(entries)
    assert ADA not in str(entries)
    assert len(entries) == await ledger.verify_audit()


async def test_an_address_without_an_account_is_bound_at_level_zero(ledger: Ledger, redis: Redis, post: Post) -> None:
    await ledger.create_thread("t", "owner", {})
    verifier = verifier_on(ledger, redis, post)
    await verifier.start("t", "nobody@example.com")
    await verifier.take_code("t", post.code, message_id="m1")

    session = await verifier.session("t")

    assert (session.level, session.email, session.customer) == (0, "nobody@example.com", None)


async def test_a_new_proof_replaces_a_binding_and_an_ambiguous_one_ends_it(
    ledger: Ledger, redis: Redis, post: Post
) -> None:
    await ledger.create_thread("t", "owner", {})
    verifier = verifier_on(ledger, redis, post)
    await verifier.sign_in("t", ADA)
    assert (await verifier.session("t")).level == 1

    await verifier.start("t", "grace@example.com")
    await verifier.take_code("t", post.code, message_id="m1")

    assert ((await verifier.session("t")).level, (await ledger.identity("t")).customer) == (0, None)
