"""Every kind of action against the simulated Stripe: what it rests on, that it happens once, and is found again.

A new kind without a row in `rows.py` fails here.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from nodes.case.deeds.deed import idempotency_key
from nodes.case.deeds.table import DEEDS
from tests.fixtures.sandbox import Sandbox
from tests.nodes.deeds.rows import ROWS
from tests.tools.billing.books import Books
from tools.billing.breaker import Breaker
from tools.billing.retry import Retry
from tools.billing.stripe_billing import StripeBilling
from tools.errors import OutcomeUnknown
from tools.policy.types import ActionKind

MATTERS = [(kind, what) for kind, row in ROWS.items() for what in row.matters]
PASSES = [(kind, what) for kind, row in ROWS.items() for what in row.passes]
TWINS = [kind for kind, row in ROWS.items() if row.twin]
LOST: list[dict[str, Any]] = [
    {"kind": "status_after_commit", "status": 500},
    {"kind": "status_after_commit", "status": 503},
    {"kind": "reset_after_commit"},
]
NEVER_CAME: list[dict[str, Any]] = [{"kind": "status", "status": 503}, {"kind": "reset"}]


@pytest_asyncio.fixture
async def billing(sandbox_process: Sandbox) -> AsyncIterator[StripeBilling]:
    """Asks once, and never loses patience for good."""
    breaker, url = Breaker(silences=1000), sandbox_process.url
    async with StripeBilling.open(sandbox_process.api_key, url, retry=Retry(attempts=1), breaker=breaker) as opened:
        yield opened


@pytest.fixture
def books(sandbox_process: Sandbox) -> Books:
    sandbox_process.reset(seed=None)
    return Books(sandbox_process)


def test_every_kind_has_a_row() -> None:
    assert set(ROWS) <= set(DEEDS)


@pytest.mark.parametrize("kind", ROWS)
async def test_the_facts_read_twice_are_the_same(billing: StripeBilling, books: Books, kind: ActionKind) -> None:
    wanted = ROWS[kind].wanted(books)

    first = await DEEDS[kind].evidence(billing, wanted.target, wanted.details)

    assert first
    assert first == await DEEDS[kind].evidence(billing, wanted.target, wanted.details)


@pytest.mark.parametrize(("kind", "what"), MATTERS)
async def test_what_matters_changes_the_facts(
    billing: StripeBilling, books: Books, kind: ActionKind, what: str
) -> None:
    wanted = ROWS[kind].wanted(books)
    before = await DEEDS[kind].evidence(billing, wanted.target, wanted.details)

    ROWS[kind].matters[what](books)

    assert before != await DEEDS[kind].evidence(billing, wanted.target, wanted.details)


@pytest.mark.parametrize(("kind", "what"), PASSES)
async def test_what_does_not_matter_leaves_the_facts(
    billing: StripeBilling, books: Books, kind: ActionKind, what: str
) -> None:
    wanted = ROWS[kind].wanted(books)
    before = await DEEDS[kind].evidence(billing, wanted.target, wanted.details)

    ROWS[kind].passes[what](books)

    assert before == await DEEDS[kind].evidence(billing, wanted.target, wanted.details)


@pytest.mark.parametrize("kind", ROWS)
async def test_it_is_done_once_however_often_it_is_sent(billing: StripeBilling, books: Books, kind: ActionKind) -> None:
    wanted = ROWS[kind].wanted(books)
    before = ROWS[kind].done(books)

    made = {await DEEDS[kind].send(billing.mover(), wanted, idempotency_key(wanted)) for _ in range(2)}

    assert len(made) == 1
    assert before + 1 == ROWS[kind].done(books)


@pytest.mark.parametrize("kind", ROWS)
async def test_it_is_found_once_it_is_done_and_not_before(
    billing: StripeBilling, books: Books, kind: ActionKind
) -> None:
    wanted = ROWS[kind].wanted(books)
    before = await DEEDS[kind].found(billing, wanted)

    made = await DEEDS[kind].send(billing.mover(), wanted, idempotency_key(wanted))

    assert None is before
    async with StripeBilling.open(books.sandbox.api_key, books.sandbox.url) as other:
        assert made == await DEEDS[kind].found(billing, wanted) == await DEEDS[kind].found(other, wanted)


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("fault", LOST, ids=str)
async def test_it_is_found_though_the_answer_was_lost(
    billing: StripeBilling, books: Books, kind: ActionKind, fault: dict[str, Any]
) -> None:
    wanted = ROWS[kind].wanted(books)
    before = ROWS[kind].done(books)
    books.sandbox.fault(method="POST", path=ROWS[kind].step, **fault)

    with pytest.raises(OutcomeUnknown):
        await DEEDS[kind].send(billing.mover(), wanted, idempotency_key(wanted))

    assert await DEEDS[kind].found(billing, wanted)
    assert before + 1 == ROWS[kind].done(books)


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("fault", NEVER_CAME, ids=str)
async def test_it_is_not_found_when_it_never_came_and_then_done_once(
    billing: StripeBilling, books: Books, kind: ActionKind, fault: dict[str, Any]
) -> None:
    wanted = ROWS[kind].wanted(books)
    before = ROWS[kind].done(books)
    books.sandbox.fault(method="POST", path=ROWS[kind].step, **fault)

    with pytest.raises(OutcomeUnknown):
        await DEEDS[kind].send(billing.mover(), wanted, idempotency_key(wanted))

    assert (None, before) == (await DEEDS[kind].found(billing, wanted), ROWS[kind].done(books))
    made = await DEEDS[kind].send(billing.mover(), wanted, idempotency_key(wanted))
    assert (made, before + 1) == (await DEEDS[kind].found(billing, wanted), ROWS[kind].done(books))


@pytest.mark.parametrize("kind", TWINS)
async def test_what_somebody_else_did_is_not_ours(billing: StripeBilling, books: Books, kind: ActionKind) -> None:
    wanted = ROWS[kind].wanted(books)
    twin = ROWS[kind].twin
    assert twin

    twin(books)

    assert None is await DEEDS[kind].found(billing, wanted)
