import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from langchain_openai import ChatOpenAI
from structlog.testing import capture_logs

from tools.errors import ModelUnavailable
from tools.nlu.openai import FallbackUnderstander, OpenAIUnderstander
from tools.nlu.types import Reading, Understanding

Handler = Callable[[httpx.Request], httpx.Response]


def completion(content: str) -> httpx.Response:
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = {"id": "c1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
    return httpx.Response(200, json=body)


def readings(*pairs: tuple[str, float]) -> str:
    return json.dumps({"readings": [{"intent": intent, "confidence": confidence} for intent, confidence in pairs]})


@asynccontextmanager
async def answering(handler: Handler) -> AsyncIterator[OpenAIUnderstander]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
        model = ChatOpenAI(
            model="m", api_key="test", base_url="http://model.test", max_retries=0, http_async_client=client
        )
        yield OpenAIUnderstander(model, instructions="Label.", prompt="understand@1")


async def test_the_model_names_intents_and_our_parsers_read_values() -> None:
    asked: list[dict[str, Any]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return completion(readings(("cancel_subscription", 0.6), ("refund_request", 0.9)))

    async with answering(handler) as understander:
        got = await understander.understand("refund $49 of ABCD1234-0001 and cancel", history=("earlier words",))
    assert ["refund_request", "cancel_subscription"] == [reading.intent for reading in got.readings]
    assert (4900, "usd", "ABCD1234-0001") == (got.slots.amount, got.slots.currency, got.slots.invoice_number)
    assert "earlier words" in json.dumps(asked[0]["messages"])
    assert "duplicate_charge" in json.dumps(asked[0]["response_format"])


async def test_at_most_three_readings_each_intent_once() -> None:
    several = [("greeting", 0.1), ("greeting", 0.2), ("thanks", 0.3), ("goodbye", 0.4), ("dispute", 0.5)]
    async with answering(lambda _: completion(readings(*several))) as understander:
        got = await understander.understand("whatever this may mean")
    assert [("dispute", 0.5), ("goodbye", 0.4), ("thanks", 0.3)] == [(r.intent, r.confidence) for r in got.readings]


async def test_a_model_cannot_read_a_yes_into_a_condition_nor_an_address_into_nothing() -> None:
    async with answering(lambda _: completion(readings(("affirm", 0.99), ("give_email", 0.9)))) as understander:
        got = await understander.understand("yes but first tell me the amount")
    assert [("out_of_scope", 0.0)] == [(r.intent, r.confidence) for r in got.readings]


async def test_a_plain_yes_never_reaches_the_model() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request.url)

    async with answering(handler) as understander:
        assert "affirm" == (await understander.understand("yes please")).top.intent


@pytest.mark.parametrize(
    "handler",
    [
        lambda _: httpx.Response(500, json={"error": {"message": "down"}}),
        lambda _: httpx.Response(401, json={"error": {"message": "who?"}}),
        lambda _: completion("I would rather chat"),
        lambda _: completion(readings(("buy_shoes", 0.9))),
        lambda _: completion(readings(("greeting", 7.0))),
        lambda _: completion('{"readings": []}'),
    ],
)
async def test_whatever_goes_wrong_is_model_unavailable(handler: Handler) -> None:
    async with answering(handler) as understander:
        with pytest.raises(ModelUnavailable):
            await understander.understand("where did my money go")


async def test_a_lost_connection_is_model_unavailable() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    async with answering(handler) as understander:
        with pytest.raises(ModelUnavailable):
            await understander.understand("where did my money go")


class Fixed:
    def __init__(self, answer: Understanding | ModelUnavailable) -> None:
        self.answer = answer

    async def understand(self, text: str, *, history: tuple[str, ...] = ()) -> Understanding:  # noqa: ARG002 - the protocol's
        if isinstance(self.answer, ModelUnavailable):
            raise self.answer
        return self.answer


ONE = Understanding(readings=(Reading(intent="greeting", confidence=0.9),))
TWO = Understanding(readings=(Reading(intent="thanks", confidence=0.9),))


async def test_the_second_reads_when_the_first_is_unavailable_and_it_is_said() -> None:
    with capture_logs() as logs:
        assert TWO == await FallbackUnderstander(Fixed(ModelUnavailable()), Fixed(TWO)).understand("hello")
    assert ["nlu.degraded"] == [entry["event"] for entry in logs]


async def test_the_second_is_silent_while_the_first_answers() -> None:
    with capture_logs() as logs:
        assert ONE == await FallbackUnderstander(Fixed(ONE), Fixed(TWO)).understand("hello")
    assert [] == logs


async def test_a_wish_beside_a_code_is_asked_about_and_the_code_alone_is_not() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content)["messages"][-1]["content"])
        return completion(readings(("cancel_subscription", 1.0)))

    async with answering(handler) as understander:
        alone = await understander.understand("my code is [one-time code]")
        both = await understander.understand("my code is [one-time code] and also cancel my subscription")

    assert ["give_code"] == [reading.intent for reading in alone.readings]
    assert ["give_code", "cancel_subscription"] == [reading.intent for reading in both.readings]
    assert ["cancel my subscription"] == [text.rsplit("\n", 1)[-1] for text in asked]


async def test_a_refused_wish_is_not_taken_from_the_model() -> None:
    async with answering(lambda _: completion(readings(("refund_request", 0.9), ("decline", 0.8)))) as understander:
        read = await understander.understand("please don't refund me")

    assert ["decline"] == [reading.intent for reading in read.readings]
