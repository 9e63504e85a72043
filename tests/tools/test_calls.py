"""What is noted of a call to a model or to Stripe."""

import asyncio

import pytest

from tools.calls import Call, ModelCall, StripeCall, gathering, note


def a_look(path: str) -> StripeCall:
    return StripeCall(method="GET", path=path, status=200, request="req_1", key=None)


def a_reply(model: str, *, given: int | None = 1_000_000, said: int | None = 1_000_000) -> ModelCall:
    return ModelCall(model=model, prompt="resolve@1", outcome="answered", input_tokens=given, output_tokens=said)


async def test_calls_of_tasks_begun_within_are_gathered_too_and_those_outside_are_not() -> None:
    async def look(path: str) -> None:
        note(a_look(path))

    note(a_look("/before"))
    with gathering() as calls:
        await asyncio.gather(look("/one"), look("/two"))
    note(a_look("/after"))

    assert {"/one", "/two"} == {call.path for call in calls if isinstance(call, StripeCall)}


async def test_two_pieces_of_work_at_once_do_not_hear_each_others_calls() -> None:
    async def work(path: str) -> list[Call]:
        with gathering() as calls:
            await asyncio.sleep(0)
            note(a_look(path))
            await asyncio.sleep(0)
        return calls

    assert [[a_look("/one")], [a_look("/two")]] == list(await asyncio.gather(work("/one"), work("/two")))


def test_a_model_with_a_list_price_has_a_cost() -> None:
    """OpenAI's list price of gpt-5-mini: $0.25 and $2.00 for a million tokens in and out."""
    assert 2_250_000 == a_reply("gpt-5-mini").cost_micro_usd


@pytest.mark.parametrize(
    "call", [a_reply("our-own-model"), a_reply("gpt-5-mini", said=None), a_reply("gpt-5-mini", given=None)]
)
def test_a_cost_that_nobody_knows_is_none_and_not_nothing(call: ModelCall) -> None:
    assert call.cost_micro_usd is None
