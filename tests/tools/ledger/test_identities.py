from datetime import timedelta

import pytest

from tests.tools.ledger.builders import START, Clock
from tools.errors import NotFound, Unprocessable
from tools.ledger.ledger import Ledger
from tools.ledger.types import Identity

ANONYMOUS = Identity(thread="t", level=0, email=None, customer=None, verified_at=None, expires_at=None)


@pytest.fixture(autouse=True)
async def thread(ledger: Ledger) -> None:
    await ledger.create_thread("t", "owner", {})


async def test_nobody_is_bound_at_first(ledger: Ledger) -> None:
    assert await ledger.identity("t") == ANONYMOUS
    assert (await ledger.identity("no such thread")).level == 0


async def test_a_bound_identity_holds_until_the_instant_it_expires(ledger: Ledger, clock: Clock) -> None:
    bound = await ledger.bind_identity("t", level=2, email="a@b.c", customer="cus_1", ttl_seconds=60)
    assert (START, START + timedelta(seconds=60)) == (bound.verified_at, bound.expires_at)
    clock.forward(seconds=59.999999)
    assert bound == await ledger.identity("t")
    clock.forward(seconds=0.000001)
    assert await ledger.identity("t") == ANONYMOUS


async def test_binding_again_replaces(ledger: Ledger, clock: Clock) -> None:
    await ledger.bind_identity("t", level=2, email="a@b.c", customer="cus_1", ttl_seconds=60)
    clock.forward(seconds=30)
    await ledger.bind_identity("t", level=1, email="a@b.c", customer=None, ttl_seconds=60)
    clock.forward(seconds=45)
    identity = await ledger.identity("t")
    assert (identity.level, identity.customer) == (1, None)


async def test_unbinding_leaves_nobody(ledger: Ledger) -> None:
    await ledger.bind_identity("t", level=2, email="a@b.c", customer="cus_1", ttl_seconds=60)
    await ledger.unbind_identity("t")
    await ledger.unbind_identity("t")
    assert await ledger.identity("t") == ANONYMOUS
    events = [entry.event for entry in await ledger.audit_entries()]
    assert events == ["identity.bound", "identity.unbound"]


async def test_the_audit_log_never_learns_the_email(ledger: Ledger) -> None:
    await ledger.bind_identity("t", level=1, email="ann@example.com", customer="cus_1", ttl_seconds=60)
    assert [e.data for e in await ledger.audit_entries()] == [{"thread": "t", "level": 1, "customer": "cus_1"}]


async def test_a_binding_needs_its_thread_and_leaves_no_trace_without(ledger: Ledger) -> None:
    with pytest.raises(NotFound):
        await ledger.bind_identity("nobody", level=1, email="a@b.c", customer="cus_1", ttl_seconds=60)
    assert await ledger.audit_entries() == []


async def test_there_is_no_level_three(ledger: Ledger) -> None:
    with pytest.raises(Unprocessable):
        await ledger.bind_identity("t", level=3, email=None, customer="cus_1", ttl_seconds=60)  # type: ignore[arg-type]


async def test_a_binding_is_remembered_when_it_is_over(ledger: Ledger, clock: Clock) -> None:
    for name in ("expired", "unbound", "never"):
        await ledger.create_thread(name, "owner", {})
    for name in ("expired", "unbound"):
        await ledger.bind_identity(name, level=1, email="a@b.c", customer="cus_1", ttl_seconds=60)
    await ledger.unbind_identity("unbound")
    clock.forward(hours=1)
    names = ("t", "never", "unbound", "expired")
    assert [False, False, True, True] == [await ledger.was_ever_bound(name) for name in names]
