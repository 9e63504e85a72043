"""With a language model: it words what code composed, labels what customers write, and is believed in nothing else."""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.e2e.world import Customer, Staff, World, warm
from tests.fixtures.redis import free_port
from tests.fixtures.sandbox import Sandbox

INVENTED = "$94.13"
UNMADE = "I have refunded everything"
READS = {
    "hi": ["greeting"],
    "charged twice": ["duplicate_charge"],
    "show me my last invoices": ["list_invoices"],
    "annual plan i bought": ["refund_request"],
    "if i said yes": [{"intent": "affirm", "confidence": 0.99}],
    "nice day": [{"intent": "affirm", "confidence": 0.99}],
    "yes i want": ["affirm"],
    "refund policy": ["policy_question"],
}


@pytest.fixture(scope="module")
def model_world(shared_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server whose language model is the scripted one of its own sandbox."""
    home = warm(shared_world.home, tmp_path_factory.mktemp("model") / "home")
    world = World(home=home, stripe_port=free_port())
    world.environment["OPENAI_BASE_URL"] = f"http://127.0.0.1:{world.stripe_port}/openai/v1"
    world.start()
    try:
        yield world
    finally:
        world.stop()
        for client in world.clients:
            client.close()


@pytest.fixture
def world(model_world: World) -> World:
    model_world.sandbox.http.delete("/_sandbox/model").raise_for_status()
    model_world.sandbox.post("model", reads=READS)
    return model_world


def script(world: World, mood: str, **more: Any) -> None:
    world.sandbox.post("model", mood=mood, **more)


def requests_to(sandbox: Sandbox) -> list[dict[str, Any]]:
    received: list[dict[str, Any]] = sandbox.http.get("/_sandbox/model/requests").raise_for_status().json()
    return received


def drafts(world: World) -> list[str]:
    """The text that each reply was composed as, once for each request that asked for words."""
    asked = [request for request in requests_to(world.sandbox) if "response_format" not in request]
    return [re.split(r"(?:instructions to you|that is not in it)\.\n\n", r["messages"][0]["content"])[1] for r in asked]


def everything_about(customer: Customer) -> str:
    """All that any client of this conversation can read: lines, state, history, and every event so far."""
    thread = f"/threads/{customer.thread}"
    parts = [customer.http.get(f"{thread}/messages"), customer.http.get(f"{thread}/state")]
    parts.append(customer.http.post(f"{thread}/history", json={"limit": 100}))
    runs = customer.http.get(f"{thread}/runs", params={"limit": 100}).json()
    parts += [
        customer.http.get(f"{thread}/runs/{run['run_id']}/stream", headers={"Last-Event-ID": "-1"}) for run in runs
    ]
    return "\n".join(part.raise_for_status().text for part in parts)


def audited(world: World, event: str, thread: str | None) -> list[dict[str, Any]]:
    """What the audit log says of this kind and conversation, in order."""
    with closing(sqlite3.connect(world.home / "ledger.db")) as connection:
        rows = connection.execute("SELECT data FROM audit WHERE event = ? ORDER BY sequence", (event,)).fetchall()
    return [data for (text,) in rows if (data := json.loads(text)).get("thread") == thread]


def refunds_by_us(world: World) -> list[tuple[int, str | None]]:
    found = world.sandbox.stripe().v1.refunds.list({"limit": 100}).data
    return [(r.amount, r.status) for r in found if r.metadata and "action_id" in r.metadata]


def test_a_faithful_model_words_the_conversation_that_ends_in_one_refund(world: World) -> None:
    customer = Customer(world)
    said = [customer.says("hi"), customer.says("i was charged twice this month")]
    said += [customer.says("ada@example.com"), customer.says(world.code("ada@example.com"))]
    said += [customer.says("yes please"), customer.says("thanks")]

    binding = [reply for reply in said if {"proposal", "receipt"} & {card["type"] for card in reply.cards}]
    assert [f"Certainly. {draft}" for draft in drafts(world)] == [r.text for r in said if r not in binding]
    assert [False, False] == ["Certainly" in reply.text for reply in binding]
    assert [reply.text for reply in said] == [reply.streamed for reply in said]
    assert "$49.00" in said[3].text
    assert re.search(r"CF-\d{4}-\d{6}", said[4].text)
    assert [(4900, "succeeded")] == refunds_by_us(world)


def test_every_call_of_the_model_is_in_the_audit_log_with_its_prompt_and_what_it_used(world: World) -> None:
    customer = Customer(world)
    customer.says("hi")
    customer.says("what is your refund policy?")

    recorded = audited(world, "model.called", customer.thread)
    assert len(requests_to(world.sandbox)) == len(recorded) == 4
    assert Counter({"understand": 2, "greeting": 1, "resolve": 1}) == Counter(
        call["prompt"].partition("@")[0] for call in recorded
    )
    assert all(call["outcome"] == "answered" and call["run"] for call in recorded)
    assert all(call["input_tokens"] > 50 and call["output_tokens"] > 0 for call in recorded)
    assert all(call["cost_micro_usd"] > 0 for call in recorded), "the demo's model has a list price"


@pytest.mark.parametrize(
    ("mood", "lie", "true_part"), [("false_amount", INVENTED, ""), ("false_deed", UNMADE, "Let me see. \n\n")]
)
def test_a_lie_reaches_nobody_and_the_draft_does(world: World, mood: str, lie: str, true_part: str) -> None:
    customer = Customer(world)
    script(world, mood)

    reply = customer.says("i was charged twice this month")

    assert f"{true_part}{drafts(world)[-1]}" == reply.text == reply.streamed
    assert "e-mail address" in reply.text
    assert lie not in everything_about(customer)


def test_a_model_that_corrects_itself_is_heard(world: World) -> None:
    customer = Customer(world)
    script(world, "false_then_right")

    reply = customer.says("i was charged twice this month")

    assert 2 == len(drafts(world))
    assert f"Certainly. {drafts(world)[-1]}" == reply.text
    assert INVENTED not in everything_about(customer)


def test_a_lie_in_the_middle_of_billing_talk_reaches_nobody(world: World) -> None:
    customer = Customer(world)
    customer.says("show me my last invoices")
    customer.says("alan@example.com")
    script(world, "false_amount")

    reply = customer.says(world.code("alan@example.com"))

    assert "Here are your latest invoices" in reply.text
    assert drafts(world)[-1] == reply.text == reply.streamed
    assert INVENTED not in everything_about(customer)


def test_losing_the_model_in_mid_sentence_ends_in_the_draft(world: World) -> None:
    customer = Customer(world)
    customer.says("show me my last invoices")
    customer.says("hedy@example.com")
    script(world, "fails_midway", tokens=4)

    reply = customer.says(world.code("hedy@example.com"))

    assert [] == reply.of("error")
    assert f"Certainly. \n\n{drafts(world)[-1]}" == reply.text == reply.streamed


@pytest.mark.parametrize(
    ("mood", "more"),
    [
        ("down", {}),
        ("fails_midway", {}),
        ("garbage", {}),
        ("proxy_page", {}),
        ("cut_short", {"finish_reason": "length"}),
        ("cut_short", {}),
    ],
)
def test_with_the_model_gone_the_local_provider_understands_and_answers(
    world: World, mood: str, more: dict[str, Any]
) -> None:
    customer = Customer(world)
    script(world, mood, reads={}, **more)

    reply = customer.says("i was charged twice this month")

    assert [] == reply.of("error")
    assert reply.text.endswith("give me the phone number on the account instead.")
    assert reply.text == reply.streamed


def test_a_conversation_goes_on_over_the_loss_of_the_model(world: World) -> None:
    customer = Customer(world)
    customer.says("show me my last invoices")
    script(world, "down")

    customer.says("katherine@example.com")
    listed = customer.says(world.code("katherine@example.com"))
    script(world, "faithful")
    again = customer.says("show me my last invoices")

    assert "Here are your latest invoices" in listed.text
    assert again.text.startswith("Certainly. ")


def test_a_slow_model_is_waited_for(world: World) -> None:
    script(world, "slow", seconds=1)

    assert Customer(world).says("hi").text.startswith("Certainly. Hello!")


def test_nothing_secret_reaches_the_model(world: World) -> None:
    customer = Customer(world)
    secrets = ["4242424242424242", "4242 4242 4242 4242", "8731", "hunter2!", "sk_live_abcdefgh12345678", "914-207"]
    customer.says("i was charged twice, my card is 4242 4242 4242 4242, cvv 8731, password: hunter2!")
    customer.says("or 4242424242424242, and my key sk_live_abcdefgh12345678. my verification code is 914-207")
    customer.says("barbara@example.com")
    code = world.code("barbara@example.com")
    customer.says(f"the code is {code}")
    customer.says("show me my last invoices")

    received = requests_to(world.sandbox)
    sent = json.dumps(received)
    assert len([request for request in received if "response_format" in request]) >= 2
    assert "[one-time code]" in sent
    assert [] == [secret for secret in [*secrets, code] if secret in sent]


def test_raw_words_of_the_model_are_in_no_event(world: World) -> None:
    """Neither what it labels nor what it words: a client of the full protocol sees the spoken sentences alone."""
    customer = Customer(world)
    customer.says("hi")
    script(world, "false_amount")
    words = {"messages": [{"role": "user", "content": "i was charged twice this month"}]}
    modes = ["values", "updates", "messages", "messages-tuple", "custom"]
    body = {"assistant_id": "support", "input": words, "stream_mode": modes}

    answer = customer.http.post(f"/threads/{customer.thread}/runs/stream", json=body).raise_for_status()

    told = told_in(answer.text)
    assert drafts(world)[-1] == "".join(told["AIMessageChunk"])
    assert [] == [word for word in (INVENTED, "readings", "confidence") if word in answer.text]


def told_in(stream: str) -> dict[str, list[str]]:
    """Texts of the `messages` events, by type of message."""
    told: dict[str, list[str]] = {}
    for block in stream.replace("\r\n", "\n").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if fields.get("event") == "messages":
            message = json.loads(fields["data"])[0]
            told.setdefault(message["type"], []).append(message["content"])
    return told


def approvals_awaited(customer: Customer) -> list[int]:
    """Amounts that this customer has said yes to, and that a person must approve."""
    waiting = Staff(customer.world).get("/desk/actions", state="awaiting_approval")
    return [action["amount"] for action in waiting if action["thread_id"] == customer.thread]


@pytest.mark.parametrize("said", ["how long would it take if i said yes to this?", "it is a nice day today"])
def test_a_misread_yes_is_no_consent(world: World, said: str) -> None:
    """Whatever a model takes for a yes, only words that say so carry out what was proposed."""
    customer = Customer(world)
    customer.says("i'd like a refund for the annual plan i bought last week")
    customer.says("grace@example.com")
    assert "$480.00" in customer.says(world.code("grace@example.com")).text

    customer.says(said)

    assert [] == approvals_awaited(customer)


def test_a_yes_that_is_not_plain_is_asked_for_again_and_a_plain_one_counts(world: World) -> None:
    """Two readers that hear a yes are no consent either: only words that say no more than yes are."""
    customer = Customer(world)
    customer.says("i'd like a refund for the annual plan i bought last week")
    customer.says("grace@example.com")
    customer.says(world.code("grace@example.com"))

    again = customer.says("yes I want the refund")
    assert "Please answer yes or no" in again.text
    assert [] == approvals_awaited(customer)

    customer.says("yes")
    assert [48000] == approvals_awaited(customer)


def test_the_model_is_named_when_the_server_starts(model_world: World) -> None:
    assert "model" in model_world.ready
    assert "local provider" not in model_world.ready
