"""A copy takes along words, and nothing that is known or under way. docs/decisions/0014 says why."""

from typing import Any

import httpx
import pytest

from tests.fixtures.sandbox import Sandbox
from tests.server.conftest import Live
from tests.server.whole import Person, refunds, signed_in

POLICY = "what is your refund policy?"


@pytest.fixture
async def jo(server: Live) -> Person:
    """Nobody knows who she is."""
    token = await server.customer()
    async with server.http(token) as http:
        thread = (await http.post("/threads", json={"metadata": {"page": "billing"}})).json()["thread_id"]
    return Person(token, thread, [server])


async def copied(person: Person) -> httpx.Response:
    async with person.at() as http:
        return await http.post(f"/threads/{person.thread}/copy")


async def refused(person: Person) -> str:
    before = await person.servers[0].services.ledger.count_threads()
    answer = await copied(person)
    assert 409 == answer.status_code
    assert before == await person.servers[0].services.ledger.count_threads()
    return str(answer.json()["detail"])


def told(lines: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(line["id"], line["role"], line["text"]) for line in lines]


async def test_what_was_said_is_there_and_each_goes_on_by_itself(server: Live, jo: Person) -> None:
    await jo.says(POLICY)
    made = (await copied(jo)).json()
    other = Person(jo.token, made["thread_id"], [server])

    assert ("billing", "idle") == (made["metadata"]["page"], made["status"])
    assert told(await jo.lines()) == told(await other.lines())
    sdk = server.sdk(jo.token)
    state: Any = await sdk.threads.get_state(other.thread)
    assert [line["text"] for line in await jo.lines()] == [one["content"] for one in state["values"]["messages"]]
    before = told(await jo.lines())
    assert await other.says("how long does a refund take?")
    assert before == told(await jo.lines())
    assert len(before) + 2 == len(await other.lines())


async def test_through_the_sdk_a_copy_is_made_for_its_owner_alone(server: Live, jo: Person) -> None:
    await jo.says(POLICY)
    await server.sdk(jo.token).threads.copy(jo.thread)
    assert 2 == await server.sdk(jo.token).threads.count()
    stranger = Person(await server.customer(), jo.thread, [server])
    assert 404 == (await copied(stranger)).status_code
    assert 403 == (await copied(Person(await server.agent(), jo.thread, [server]))).status_code


async def test_what_was_asked_last_is_not_asked_in_the_copy(server: Live, jo: Person) -> None:
    await jo.says("show me my invoices")
    graph = server.services.plugs.graphs["support"]
    asked = await graph.aget_state({"configurable": {"thread_id": jo.thread}})
    assert "email" == asked.values["asked"]
    made = (await copied(jo)).json()["thread_id"]
    state = await graph.aget_state({"configurable": {"thread_id": made}})
    assert {"version", "messages", "stage"} >= {name for name, value in state.values.items() if value}


async def test_who_is_known_is_not_copied_nor_what_was_told_to_them(server: Live) -> None:
    ada = await signed_in([server], "ada@example.com")
    await ada.says("show me my invoices")
    assert "knows who you are" in await refused(ada)


async def test_a_binding_that_is_over_counts_too(server: Live) -> None:
    """Her invoices stand in the words; who erases her finds this conversation by its binding, and not its copy."""
    ada = await signed_in([server], "ada@example.com")
    await ada.says("show me my invoices")
    await server.services.ledger.unbind_identity(ada.thread)
    assert "knows who you are" in await refused(ada)


async def test_a_proposal_is_not_there_twice(server: Live, sandbox: Sandbox) -> None:
    ada = await signed_in([server], "ada@example.com")
    await ada.says("i was charged twice this month")
    card = await ada.card()
    await refused(ada)
    await ada.presses(card)
    assert 1 == len(refunds(sandbox))


async def test_a_ticket_stays_where_it_is(server: Live, jo: Person) -> None:
    await jo.says(POLICY)
    async with jo.at() as http:
        assert 202 == (await http.post("/escalate", json={"thread_id": jo.thread})).status_code
    await jo.says("are you there?")
    assert "A colleague is part of this" in await refused(jo)
    assert 1 == len(await server.services.ledger.tickets())
