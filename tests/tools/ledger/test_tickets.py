import asyncio

import pytest

from tests.fixtures.keys import KEYS
from tests.tools.ledger.builders import START, Clock
from tools.errors import Conflict, NotFound
from tools.ledger.ledger import Ledger
from tools.ledger.types import Ticket, TicketState


@pytest.fixture(autouse=True)
async def threads(ledger: Ledger) -> None:
    for number in range(4):
        await ledger.create_thread(f"t{number}", "owner", {})


async def test_a_ticket_carries_the_whole_packet(ledger: Ledger) -> None:
    opened = await ledger.open_ticket("t0", "asked for a person", {"summary": "two charges", "amounts": [1]})
    expected = Ticket(
        id=opened.id,
        thread="t0",
        state="waiting",
        reason="asked for a person",
        packet={"summary": "two charges", "amounts": [1]},
        claimed_by=None,
        created=START,
        updated=START,
    )
    assert expected == opened
    assert expected == await ledger.ticket(opened.id)
    assert expected == await ledger.ticket_of("t0")
    assert await ledger.ticket("nobody") is None
    assert await ledger.ticket_of("t1") is None


async def test_a_thread_has_one_open_ticket(ledger: Ledger) -> None:
    first = await ledger.open_ticket("t0", "one", {})
    assert first == await ledger.open_ticket("t0", "two", {})
    claimed = await ledger.claim_ticket(first.id, "ann")
    assert claimed == await ledger.open_ticket("t0", "three", {})


async def test_opening_by_many_at_once_opens_one(ledger: Ledger, url: str) -> None:
    async with Ledger.open(url, keys=KEYS) as another:
        opened = await asyncio.gather(*((ledger, another)[n % 2].open_ticket("t0", "x", {}) for n in range(8)))
    assert len({ticket.id for ticket in opened}) == 1
    assert len(await ledger.tickets()) == 1
    assert [entry.event for entry in await ledger.audit_entries()] == ["ticket.opened"]


@pytest.mark.parametrize("end", ["returned", "closed"])
async def test_after_the_end_a_new_one_may_be_opened(ledger: Ledger, end: TicketState) -> None:
    first = await ledger.open_ticket("t0", "one", {})
    await ledger.claim_ticket(first.id, "ann")
    if end == "returned":
        await ledger.return_ticket(first.id, "ann", "solved")
    else:
        await ledger.close_ticket(first.id)
    assert await ledger.ticket_of("t0") is None
    assert first.id != (await ledger.open_ticket("t0", "two", {})).id


async def test_a_ticket_needs_its_thread(ledger: Ledger) -> None:
    with pytest.raises(NotFound):
        await ledger.open_ticket("nobody", "x", {})


async def test_the_queue_is_first_come_first_served(ledger: Ledger) -> None:
    """The clock stands still here: order does not hang on the time."""
    opened = [await ledger.open_ticket(f"t{number}", "x", {}) for number in range(4)]
    assert [await ledger.queue_position(ticket.id) for ticket in opened] == [1, 2, 3, 4]
    await ledger.claim_ticket(opened[1].id, "ann")
    assert [await ledger.queue_position(ticket.id) for ticket in opened] == [1, 0, 2, 3]
    await ledger.close_ticket(opened[0].id)
    assert [await ledger.queue_position(ticket.id) for ticket in opened] == [0, 0, 1, 2]
    with pytest.raises(NotFound):
        await ledger.queue_position("nobody")


async def test_tickets_are_listed_oldest_first_by_state(ledger: Ledger) -> None:
    opened = [await ledger.open_ticket(f"t{number}", "x", {}) for number in range(4)]
    await ledger.claim_ticket(opened[2].id, "ann")
    assert [ticket.id for ticket in opened] == [ticket.id for ticket in await ledger.tickets()]
    assert [opened[0].id, opened[1].id] == [t.id for t in await ledger.tickets(state="waiting", limit=2)]
    assert [opened[2].id] == [ticket.id for ticket in await ledger.tickets(state="claimed")]


async def test_a_claim_is_for_one_person_and_may_be_said_twice(ledger: Ledger, clock: Clock) -> None:
    ticket = await ledger.open_ticket("t0", "x", {})
    later = clock.forward(seconds=7)
    claimed = await ledger.claim_ticket(ticket.id, "ann")
    assert ("claimed", "ann", later) == (claimed.state, claimed.claimed_by, claimed.updated)
    clock.forward(seconds=7)
    assert claimed == await ledger.claim_ticket(ticket.id, "ann")
    with pytest.raises(Conflict, match="ann"):
        await ledger.claim_ticket(ticket.id, "bob")
    with pytest.raises(NotFound):
        await ledger.claim_ticket("nobody", "ann")


async def test_of_many_claims_at_once_one_wins(ledger: Ledger, url: str) -> None:
    ticket = await ledger.open_ticket("t0", "x", {})
    async with Ledger.open(url, keys=KEYS) as another:
        claims = ((ledger, another)[n % 2].claim_ticket(ticket.id, f"agent-{n}") for n in range(6))
        answers = await asyncio.gather(*claims, return_exceptions=True)
    assert sum(isinstance(answer, Ticket) for answer in answers) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 5


async def test_only_who_claimed_it_can_give_it_back(ledger: Ledger) -> None:
    ticket = await ledger.open_ticket("t0", "x", {})
    with pytest.raises(Conflict):
        await ledger.return_ticket(ticket.id, "ann", "not mine yet")
    await ledger.claim_ticket(ticket.id, "ann")
    with pytest.raises(Conflict):
        await ledger.return_ticket(ticket.id, "bob", "not mine")
    returned = await ledger.return_ticket(ticket.id, "ann", "explained the invoice")
    assert (returned.state, returned.claimed_by, returned.note) == ("returned", "ann", "explained the invoice")
    assert returned == await ledger.return_ticket(ticket.id, "ann", "again")
    with pytest.raises(Conflict):
        await ledger.claim_ticket(ticket.id, "bob")


async def test_closing_is_the_end_and_may_be_said_twice(ledger: Ledger, clock: Clock) -> None:
    ticket = await ledger.open_ticket("t0", "x", {})
    closed = await ledger.close_ticket(ticket.id)
    clock.forward(seconds=1)
    assert closed == await ledger.close_ticket(ticket.id)
    for move in (ledger.claim_ticket(ticket.id, "ann"), ledger.return_ticket(ticket.id, "ann", "")):
        with pytest.raises(Conflict):
            await move
    with pytest.raises(NotFound):
        await ledger.close_ticket("nobody")


async def test_each_move_is_audited_once(ledger: Ledger) -> None:
    ticket = await ledger.open_ticket("t0", "x", {})
    for _ in range(2):
        await ledger.claim_ticket(ticket.id, "ann")
    for _ in range(2):
        await ledger.return_ticket(ticket.id, "ann", "the customer said ...")
    await ledger.close_ticket(ticket.id)
    entries = await ledger.audit_entries()
    events = ["ticket.opened", "ticket.claimed", "ticket.returned", "ticket.closed"]
    assert events == [entry.event for entry in entries]
    assert all("the customer said" not in str(entry.data) for entry in entries)
