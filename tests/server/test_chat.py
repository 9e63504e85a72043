"""The plain door, as curl sees it."""

import asyncio

import httpx

from tests.server.conftest import Live, new_id
from tests.server.graph import CARD, STUMBLES
from tests.server.sse import all_of, names


async def test_a_chat_tells_its_ids_then_status_then_tokens_then_the_message_then_the_end(
    client: httpx.AsyncClient,
) -> None:
    events = await all_of(client, "POST", "/chat", json={"message": "hello there"})
    assert names(events)[:2] == ["metadata", "status"]
    assert names(events)[-2:] == ["message", "end"]
    assert {"token"} == set(names(events)[2:-2])
    assert "".join(event.data["text"] for event in events if event.event == "token") == "You said: hello there"


async def test_the_message_of_a_chat_has_author_cards_and_citations(client: httpx.AsyncClient) -> None:
    events = await all_of(client, "POST", "/chat", json={"message": "hello"})
    message = next(event.data for event in events if event.event == "message")
    assert message["text"] == "You said: hello"
    assert (message["role"], message["author"]) == ("assistant", "Acme assistant")
    assert (message["cards"], message["citations"]) == ([CARD], [])
    assert {"id", "role", "author", "text", "cards", "citations"} == set(message)


async def test_status_lines_reach_the_customer_and_other_custom_events_do_not(client: httpx.AsyncClient) -> None:
    events = await all_of(client, "POST", "/chat", json={"message": "hello"})
    said = [event.data for event in events if event.event == "status"]
    assert said == [{"text": "Reading your invoices"}]


async def test_a_chat_goes_on_where_it_was(client: httpx.AsyncClient) -> None:
    first = await all_of(client, "POST", "/chat", json={"message": "one"})
    thread = first[0].data["thread_id"]
    await all_of(client, "POST", "/chat", json={"message": "two", "thread_id": thread})
    kept = (await client.get(f"/threads/{thread}/messages")).json()
    expected = ["one", "You said: one", "two", "You said: two"]
    assert expected == [message["text"] for message in kept]
    assert [message["role"] for message in kept] == ["customer", "assistant"] * 2


async def test_a_failing_run_says_so_in_a_sentence_and_ends(client: httpx.AsyncClient) -> None:
    events = await all_of(client, "POST", "/chat", json={"message": "fail"})
    assert names(events)[-2:] == ["error", "end"]
    assert {"code", "message"} == set(events[-2].data)
    assert "hunter2" not in str(events)


async def test_an_outage_is_named_by_its_code(client: httpx.AsyncClient) -> None:
    events = await all_of(client, "POST", "/chat", json={"message": "no billing"})
    expected = {"code": "billing_unavailable", "message": "Billing data cannot be reached right now."}
    assert expected == events[-2].data


async def test_card_numbers_are_masked_before_anything_keeps_them(live: Live, client: httpx.AsyncClient) -> None:
    events = await all_of(client, "POST", "/chat", json={"message": "my card is 4242 4242 4242 4242"})
    thread = events[0].data["thread_id"]
    runs = await live.services.ledger.runs(thread)
    log = await live.services.events.read(thread, "0-0")
    state = (await client.get(f"/threads/{thread}/state")).text
    assert "4242 4242" not in str(runs) + str(log) + state + str(events)
    assert runs[0].payload["masked"] == ["card"]


async def test_a_one_time_code_is_taken_at_the_door(live: Live, client: httpx.AsyncClient) -> None:
    thread = (await client.post("/threads", json={})).json()["thread_id"]
    await live.services.plugs.verifier.start(thread, "jo@example.com")
    code = next(word.strip(".") for word in live.outside.mails[0][1].split() if word.strip(".").isdecimal())
    events = await all_of(client, "POST", "/chat", json={"message": f"it is {code}", "thread_id": thread})
    assert code not in str(events) + str(await live.services.ledger.runs(thread))
    assert len(live.outside.mails) == 1


async def test_two_messages_at_once_are_answered_in_order(client: httpx.AsyncClient, thread: str) -> None:
    first = asyncio.create_task(all_of(client, "POST", "/chat", json={"message": "slowly one", "thread_id": thread}))
    await asyncio.sleep(0.2)
    second = await all_of(client, "POST", "/chat", json={"message": "two", "thread_id": thread})
    assert (await first)[-1].event == "end"
    assert next(event.data["text"] for event in second if event.event == "message") == "You said: two"
    kept = (await client.get(f"/threads/{thread}/messages")).json()
    expected = ["slowly one", "You said: slowly one", "two", "You said: two"]
    assert expected == [message["text"] for message in kept]


async def test_asking_for_a_person_parks_the_conversation(client: httpx.AsyncClient, thread: str) -> None:
    answer = await client.post("/escalate", json={"thread_id": thread, "reason": "I would like a person"})
    assert answer.status_code == 202
    joined = await client.get(f"/threads/{thread}/runs/{answer.json()['run_id']}/join")
    assert joined.json()["ticket"]["position"] == 1
    again = await client.post("/escalate", json={"thread_id": thread})
    await client.get(f"/threads/{thread}/runs/{again.json()['run_id']}/join")
    assert (await client.get(f"/threads/{thread}")).json()["status"] == "interrupted"


async def test_who_waits_for_a_person_is_told_their_place_in_the_queue(live: Live, client: httpx.AsyncClient) -> None:
    """While a conversation waited, each message of the customer was met with silence."""
    await live.services.ledger.create_thread("earlier", "somebody", {})
    await live.services.ledger.open_ticket("earlier", "asked for a person", {})
    thread = await parked(client)
    events = await all_of(client, "POST", "/chat", json={"message": "are you there?", "thread_id": thread})
    assert names(events) == ["metadata", "status", "end"]
    assert events[1].data == {"text": "You are number 2 in the queue. A colleague will answer here."}
    assert (events[1].id, events[2].id is None) == (None, False)


async def test_who_has_a_person_is_told_that_this_person_was_told(live: Live, client: httpx.AsyncClient) -> None:
    thread = await parked(client)
    ticket = await live.services.ledger.ticket_of(thread)
    assert ticket
    async with live.http(await live.agent("Ana")) as ana:
        await ana.post(f"/desk/tickets/{ticket.id}/claim")
        assert await statuses(client, thread, "hello?") == ["Your colleague has been told."]
        said = (await ana.post(f"/desk/tickets/{ticket.id}/messages", json={"text": "Hello, Ana here."})).json()
        await ana.get(f"/threads/{thread}/runs/{said['run_id']}/join")
        assert await statuses(client, thread, "thank you") == ["Ana has been told."]


async def test_a_message_to_a_person_that_failed_is_not_said_to_be_told(client: httpx.AsyncClient) -> None:
    thread = await parked(client)
    STUMBLES.append("hello?")
    events = await all_of(client, "POST", "/chat", json={"message": "hello?", "thread_id": thread})
    assert names(events) == ["metadata", "error", "end"]


async def parked(client: httpx.AsyncClient) -> str:
    events = await all_of(client, "POST", "/chat", json={"message": "person please"})
    return str(events[0].data["thread_id"])


async def statuses(client: httpx.AsyncClient, thread: str, text: str) -> list[str]:
    events = await all_of(client, "POST", "/chat", json={"message": text, "thread_id": thread})
    return [event.data["text"] for event in events if event.event == "status"]


async def test_feedback_is_one_to_five(live: Live, client: httpx.AsyncClient, thread: str) -> None:
    good = await client.post("/feedback", json={"thread_id": thread, "rating": 5, "comment": "quick"})
    bad = await client.post("/feedback", json={"thread_id": thread, "rating": 6})
    assert (good.status_code, bad.status_code) == (201, 422)
    assert [one.rating for one in await live.services.ledger.feedback()] == [5]


async def test_feedback_on_a_thread_of_somebody_else_finds_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.post("/feedback", json={"thread_id": new_id(), "rating": 1})
    assert answer.status_code == 404
