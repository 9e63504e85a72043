import asyncio

import pytest

from tests.tools.ledger.builders import START
from tools.errors import NotFound, Unprocessable
from tools.ledger.ledger import Ledger
from tools.ledger.types import Message


@pytest.fixture(autouse=True)
async def thread(ledger: Ledger) -> None:
    await ledger.create_thread("t", "owner", {})


async def test_a_message_keeps_all_that_was_said(ledger: Ledger) -> None:
    said = await ledger.record_message(
        "t", "m", "assistant", "counterfoil", "5–10 days 👍", run="r", extra={"cites": ["doc"]}
    )
    expected = Message(
        id="m",
        thread="t",
        sequence=1,
        role="assistant",
        author="counterfoil",
        text="5–10 days 👍",
        run="r",
        extra={"cites": ["doc"]},
        created=START,
    )
    assert expected == said
    assert [expected] == await ledger.messages("t")


async def test_saying_a_message_again_gives_back_the_first_telling(ledger: Ledger) -> None:
    first = await ledger.record_message("t", "m", "customer", "owner", "hello")
    assert first == await ledger.record_message("t", "m", "customer", "owner", "hello again")
    assert [first] == await ledger.messages("t")


async def test_the_same_id_on_another_thread_is_another_message(ledger: Ledger) -> None:
    await ledger.create_thread("u", "owner", {})
    await ledger.record_message("t", "m", "customer", "owner", "one")
    await ledger.record_message("u", "m", "customer", "owner", "two")
    assert [message.text for message in await ledger.messages("t")] == ["one"]
    assert [message.text for message in await ledger.messages("u")] == ["two"]


async def test_many_at_once_are_numbered_without_gap_or_twin(ledger: Ledger) -> None:
    said = (
        ledger.record_message("t", f"m{n // 2}", "customer", "owner", "x")  # each id twice
        for n in range(24)
    )
    await asyncio.gather(*said)
    assert list(range(1, 13)) == [message.sequence for message in await ledger.messages("t")]


async def test_reading_goes_on_after_a_sequence(ledger: Ledger) -> None:
    for number in range(4):
        await ledger.record_message("t", f"m{number}", "customer", "owner", str(number))
    assert [message.text for message in await ledger.messages("t", after=2)] == ["2", "3"]


async def test_a_message_needs_its_thread(ledger: Ledger) -> None:
    with pytest.raises(NotFound):
        await ledger.record_message("nobody", "m", "customer", "owner", "hello")


async def test_a_role_outside_the_contract_is_refused_by_the_database(ledger: Ledger) -> None:
    with pytest.raises(Unprocessable):
        await ledger.record_message("t", "m", "root", "owner", "hello")  # type: ignore[arg-type]


async def test_half_a_character_is_refused_in_words_of_ours(ledger: Ledger) -> None:
    with pytest.raises(Unprocessable):
        await ledger.record_message("t", "m", "customer", "owner", "half of \ud83d")
    with pytest.raises(Unprocessable):
        await ledger.record_message("t", "n", "customer", "owner", "hi", extra={"a": "\ud83d"})


async def test_the_end_of_a_conversation_can_be_had_alone(ledger: Ledger) -> None:
    for name in "abcde":
        await ledger.record_message("t", name, "customer", "owner", name)
    assert ["d", "e"] == [message.id for message in await ledger.messages("t", last=2)]
    assert ["e"] == [message.id for message in await ledger.messages("t", after=4, last=2)]
    assert list("abcde") == [message.id for message in await ledger.messages("t", last=9)]


async def test_ids_that_are_taken_are_told_from_those_that_are_free(ledger: Ledger) -> None:
    await ledger.create_thread("other", "owner", {})
    await ledger.record_message("t", "mine", "customer", "owner", "hello")
    await ledger.record_message("other", "theirs", "customer", "owner", "hello")
    assert {"mine"} == await ledger.recorded("t", ["mine", "theirs", "nobody's"])
    assert set() == await ledger.recorded("t", [])
