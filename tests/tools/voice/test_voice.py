"""Whatever a model says, customers hear only what is true."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGenerationChunk

from tools.calls import ModelCall, gathering
from tools.safety.types import Facts
from tools.voice.voice import Speaker, Voice

DRAFT = "I can refund the charge of $49.00. Shall I do that?"
FACTS = Facts(amounts=frozenset({(4900, "usd")}))
HISTORY: list[BaseMessage] = [HumanMessage("i was charged twice")]


class Failing(GenericFakeChatModel):
    """Says a few words, then the connection is gone."""

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        async for chunk in super()._astream(messages, stop, run_manager, **kwargs):
            yield chunk
        raise ConnectionError("gone")


def says(*replies: str, model: type[GenericFakeChatModel] = GenericFakeChatModel) -> Speaker:
    """A speaker whose model gives these replies, one for each call."""
    fake = model(messages=iter([AIMessage(reply) for reply in replies]))
    return Voice(model=fake).speaker(prompt="resolve@1", instructions="Be brief.", draft=DRAFT, facts=FACTS)


async def spoken(speaker: Speaker) -> str:
    return "".join([str(chunk.text) async for chunk in speaker.astream(HISTORY)])


async def test_with_no_model_the_draft_is_spoken_word_by_word() -> None:
    speaker = Voice().speaker(prompt="resolve@1", instructions="", draft=DRAFT, facts=FACTS)

    pieces = [str(chunk.text) async for chunk in speaker.astream(HISTORY) if chunk.text]

    assert DRAFT == "".join(pieces)
    assert len(DRAFT.split()) == len(pieces)


async def test_true_sentences_of_a_model_are_let_out() -> None:
    assert "Sure! Your $49.00 can come back. Shall I?" == await spoken(
        says("Sure! Your $49.00 can come back. Shall I?")
    )


async def test_a_false_amount_is_asked_for_again_and_then_the_draft_is_spoken() -> None:
    assert DRAFT == await spoken(says("I will refund $94.00.", "All right: $490.00 it is."))


async def test_a_corrected_second_try_is_let_out() -> None:
    assert "I can refund $49.00." == await spoken(says("I will refund $94.00.", "I can refund $49.00."))


async def test_a_false_sentence_after_a_true_one_is_dropped_and_the_draft_follows() -> None:
    said = await spoken(says("I looked at it. I have refunded $49.00. Bye now."))

    assert f"I looked at it. \n\n{DRAFT}" == said


@pytest.mark.parametrize("reply", ["I have refunded $49.00.", "Your plan was cancelled."])
async def test_a_deed_that_was_not_done_is_never_claimed(reply: str) -> None:
    assert DRAFT == await spoken(says(reply, reply))


async def test_a_model_that_fails_in_mid_sentence_degrades_to_the_draft() -> None:
    said = await spoken(says("Let me see. You will get", model=Failing))

    assert f"Let me see. \n\n{DRAFT}" == said


async def test_a_model_that_says_nothing_degrades_to_the_draft() -> None:
    assert DRAFT == await spoken(says(""))


async def test_invoking_gives_the_same_words_as_streaming() -> None:
    reply = await Voice().speaker(prompt="resolve@1", instructions="", draft=DRAFT, facts=FACTS).ainvoke(HISTORY)

    assert DRAFT == reply.text


@pytest.mark.parametrize(
    ("speaker", "outcomes"),
    [
        (says("I can refund $49.00."), ["answered"]),
        (says("I will refund $94.00.", "I can refund $49.00."), ["refused", "answered"]),
        (says("Let me see. You will get", model=Failing), ["failed"]),
        (Voice().speaker(prompt="resolve@1", instructions="", draft=DRAFT, facts=FACTS), []),
    ],
)
async def test_each_call_is_noted_with_its_prompt_and_how_it_went(speaker: Speaker, outcomes: list[str]) -> None:
    with gathering() as calls:
        await spoken(speaker)

    noted = [call for call in calls if isinstance(call, ModelCall)]
    assert outcomes == [call.outcome for call in noted]
    assert {"resolve@1"} >= {call.prompt for call in noted}


def test_the_voice_says_what_it_is() -> None:
    assert "local" == Voice().name
