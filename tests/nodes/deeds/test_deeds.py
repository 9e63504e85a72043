"""Every kind of action against the simulated Stripe: what it rests on, that it happens once, and is found again.

A new kind without a row in `rows.py` fails here.
"""

from typing import Any, get_args

import pytest

from nodes.case.deeds.deed import Json, idempotency_key
from nodes.case.deeds.table import DEEDS
from tests.nodes.deeds.rows import ROWS
from tests.tools.billing.books import Books
from tools.billing.stripe_billing import StripeBilling
from tools.errors import NotFound, OutcomeUnknown
from tools.ledger.digest import plain
from tools.ledger.types import Action
from tools.policy.types import ActionKind

MATTERS = [(kind, what) for kind, row in ROWS.items() for what in row.matters]
PASSES = [(kind, what) for kind, row in ROWS.items() for what in row.passes]
AT_STRIPE = [kind for kind, row in ROWS.items() if row.step]
UNDONE = [kind for kind, row in ROWS.items() if row.undone]
LOST: list[dict[str, Any]] = [
    {"kind": "status_after_commit", "status": 500},
    {"kind": "status_after_commit", "status": 503},
    {"kind": "reset_after_commit"},
]
NEVER_CAME: list[dict[str, Any]] = [{"kind": "status", "status": 503}, {"kind": "reset"}]


async def facts(billing: StripeBilling, wanted: Action) -> Json:
    """As a case compares them."""
    try:
        return await DEEDS[wanted.kind].evidence(billing, wanted.target, wanted.details)
    except NotFound:
        return {}


async def send(billing: StripeBilling, wanted: Action) -> str:
    return await DEEDS[wanted.kind].send(billing.mover(), wanted, idempotency_key(wanted))


async def found(billing: StripeBilling, wanted: Action) -> str | None:
    return await DEEDS[wanted.kind].found(billing, wanted)


def last_event(books: Books) -> str:
    return str(books.v1.events.list({"limit": 1}).data[0].id)


def test_every_kind_is_a_deed_and_has_a_row() -> None:
    assert set(get_args(ActionKind)) == set(DEEDS) == set(ROWS)
    assert AT_STRIPE == [kind for kind, row in ROWS.items() if row.twin]


@pytest.mark.parametrize("kind", ROWS)
async def test_the_facts_read_twice_are_the_same(billing: StripeBilling, books: Books, kind: ActionKind) -> None:
    """And the same once more when they come back from the database."""
    wanted = ROWS[kind].wanted(books)

    first = await facts(billing, wanted)

    assert first
    assert first == await facts(billing, wanted) == plain(first)


@pytest.mark.parametrize(("kind", "what"), MATTERS)
async def test_what_matters_changes_the_facts(
    billing: StripeBilling, books: Books, kind: ActionKind, what: str
) -> None:
    wanted = ROWS[kind].wanted(books)
    before = await facts(billing, wanted)

    ROWS[kind].matters[what](books)

    assert before != await facts(billing, wanted)


@pytest.mark.parametrize(("kind", "what"), PASSES)
async def test_what_does_not_matter_leaves_the_facts(
    billing: StripeBilling, books: Books, kind: ActionKind, what: str
) -> None:
    wanted = ROWS[kind].wanted(books)
    before, event = await facts(billing, wanted), last_event(books)

    ROWS[kind].passes[what](books)

    assert before == await facts(billing, wanted)
    assert event != last_event(books)


@pytest.mark.parametrize("kind", AT_STRIPE)
async def test_it_is_done_once_however_often_it_is_sent(billing: StripeBilling, books: Books, kind: ActionKind) -> None:
    wanted = ROWS[kind].wanted(books)
    before = ROWS[kind].done(books)

    made, event = await send(billing, wanted), last_event(books)

    assert made == await send(billing, wanted)
    assert (before + 1, event) == (ROWS[kind].done(books), last_event(books))


@pytest.mark.parametrize("kind", UNDONE)
async def test_what_was_taken_back_is_not_done_again_and_is_no_secret(
    billing: StripeBilling, books: Books, kind: ActionKind
) -> None:
    """A colleague took it back before we knew that it was done: it was done all the same."""
    wanted, undone = ROWS[kind].wanted(books), ROWS[kind].undone
    before = ROWS[kind].done(books)
    made = await send(billing, wanted)
    assert undone

    undone(books)

    assert made == await send(billing, wanted) == await found(billing, wanted)
    assert before == ROWS[kind].done(books)


@pytest.mark.parametrize("kind", AT_STRIPE)
async def test_it_is_found_once_it_is_done_and_not_before(
    billing: StripeBilling, books: Books, kind: ActionKind
) -> None:
    wanted = ROWS[kind].wanted(books)
    before = await found(billing, wanted)

    made = await send(billing, wanted)

    assert before is None
    async with StripeBilling.open(books.sandbox.api_key, books.sandbox.url) as other:
        assert made == await found(billing, wanted) == await found(other, wanted)


@pytest.mark.parametrize("kind", AT_STRIPE)
@pytest.mark.parametrize("fault", LOST, ids=str)
async def test_it_is_found_though_the_answer_was_lost(
    billing: StripeBilling, books: Books, kind: ActionKind, fault: dict[str, Any]
) -> None:
    wanted = ROWS[kind].wanted(books)
    before = ROWS[kind].done(books)
    books.sandbox.fault(method="POST", path=ROWS[kind].step, **fault)

    with pytest.raises(OutcomeUnknown):
        await send(billing, wanted)

    assert await found(billing, wanted)
    assert before + 1 == ROWS[kind].done(books)


@pytest.mark.parametrize("kind", AT_STRIPE)
@pytest.mark.parametrize("fault", NEVER_CAME, ids=str)
async def test_it_is_not_found_when_it_never_came_and_then_done_once(
    billing: StripeBilling, books: Books, kind: ActionKind, fault: dict[str, Any]
) -> None:
    wanted = ROWS[kind].wanted(books)
    before = ROWS[kind].done(books)
    books.sandbox.fault(method="POST", path=ROWS[kind].step, **fault)

    with pytest.raises(OutcomeUnknown):
        await send(billing, wanted)

    assert (None, before) == (await found(billing, wanted), ROWS[kind].done(books))
    made = await send(billing, wanted)
    assert (made, before + 1) == (await found(billing, wanted), ROWS[kind].done(books))


@pytest.mark.parametrize("kind", AT_STRIPE)
async def test_what_somebody_else_did_is_not_ours(billing: StripeBilling, books: Books, kind: ActionKind) -> None:
    wanted, twin = ROWS[kind].wanted(books), ROWS[kind].twin
    before = ROWS[kind].done(books)
    assert twin

    twin(books)

    assert before + 1 == ROWS[kind].done(books)
    assert await found(billing, wanted) is None
