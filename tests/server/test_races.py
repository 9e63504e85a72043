"""Two servers on one Redis and one ledger, and people who press their buttons at the same moment."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fixtures.sandbox import Sandbox
from tests.server.conftest import Live
from tests.server.whole import Person, action_at, big_refund, refunds, signed_in, whole_server, whole_settings


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
async def servers(trained: Path, sandbox: Sandbox, redis_url: str, database_url: str) -> AsyncIterator[list[Live]]:
    settings = whole_settings(trained, sandbox, redis_url, database_url)
    async with whole_server(settings) as one, whole_server(settings) as other:
        yield [one, other]


@pytest.fixture
async def waiting(servers: list[Live]) -> tuple[Person, dict[str, Any]]:
    """Grace has agreed to 480.00 back, and a person has to approve it."""
    grace, card = await big_refund(servers)
    await grace.presses(card)
    return grace, card


async def decision(live: Live, agent: str, card: dict[str, Any], *, approve: bool = True) -> httpx.Response:
    async with live.http(await live.agent(agent)) as desk:
        said = {"digest": card["digest"], "approve": approve, "reason": "first year, in the window"}
        return await desk.post(f"/desk/actions/{card['id']}/decision", json=said)


async def quiet(servers: list[Live], thread: str) -> None:
    """Until every run of the thread has ended."""
    while await servers[0].services.ledger.unfinished_runs(thread):  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(0.05)


async def test_of_two_desks_that_approve_at_once_one_is_the_first_and_one_refund_is_made(
    servers: list[Live], waiting: tuple[Person, dict[str, Any]], sandbox: Sandbox
) -> None:
    grace, card = waiting
    answers = await asyncio.gather(
        *(decision(live, who, card) for live, who in zip(servers, ["Ana", "Ben"], strict=True))
    )
    await quiet(servers, grace.thread)
    assert [200, 409] == sorted(answer.status_code for answer in answers)
    [refused] = [answer.json() for answer in answers if answer.status_code == 409]
    assert "approved by" in refused["detail"]
    assert [48000] == [refund.amount for refund in refunds(sandbox)]
    told = [line["text"] for line in await grace.lines() if "a colleague has approved" in line["text"]]
    assert 1 == len(told)


async def test_a_double_click_on_two_servers_is_one_run_one_line_and_one_request(
    servers: list[Live], sandbox: Sandbox
) -> None:
    grace, card = await big_refund(servers)
    said = {"digest": card["digest"], "confirm": True}
    async with grace.at(0) as one, grace.at(1) as other:
        clicks = await asyncio.gather(
            *(at.post(f"/actions/{card['id']}/confirmation", json=said) for at in (one, other))
        )
    await quiet(servers, grace.thread)
    assert [202, 202] == [click.status_code for click in clicks]
    assert 1 == len({click.json()["run_id"] for click in clicks})
    lines = await grace.lines()
    assert 1 == sum(line["text"] == "Yes, do it." for line in lines)
    assert 1 == sum("asked a colleague to approve" in line["text"] for line in lines)
    assert "awaiting_approval" == (await action_at(servers[0], card["id"])).state


async def test_a_yes_and_a_no_at_once_come_to_one_of_the_two(servers: list[Live], sandbox: Sandbox) -> None:
    ada = await signed_in(servers, "ada@example.com")
    await ada.says("i was charged twice this month")
    card = await ada.card()
    path = f"/actions/{card['id']}/confirmation"
    async with ada.at(0) as one, ada.at(1) as other:
        await asyncio.gather(
            one.post(path, json={"digest": card["digest"], "confirm": True}),
            other.post(path, json={"digest": card["digest"], "confirm": False}),
        )
    await quiet(servers, ada.thread)
    state = (await action_at(servers[0], card["id"])).state
    assert state in {"succeeded", "declined"}
    assert (1 if state == "succeeded" else 0) == len(refunds(sandbox))


@pytest.mark.parametrize("turn", [1, 2])
async def test_taken_back_while_it_is_approved_it_is_one_or_the_other(
    servers: list[Live], waiting: tuple[Person, dict[str, Any]], sandbox: Sandbox, turn: int
) -> None:
    grace, card = waiting
    async with grace.at(0) as http:
        back, approved = await asyncio.gather(
            http.post(f"/actions/{card['id']}/withdrawal", json={"digest": card["digest"]}),
            decision(servers[1], "Ana", card),
        )
    await quiet(servers, grace.thread)
    state = (await action_at(servers[0], card["id"])).state
    told = [line["text"] for line in await grace.lines()]
    if back.status_code == 200:
        assert ("void", []) == (state, refunds(sandbox))
        assert any("withdrawn your request" in text for text in told)
        assert not any("CF-" in text for text in told)
    else:
        assert (409, 200, "succeeded") == (back.status_code, approved.status_code, state)
        assert [48000] == [refund.amount for refund in refunds(sandbox)]
        assert 1 == sum("a colleague has approved" in text for text in told)


async def test_words_to_two_servers_are_one_conversation(servers: list[Live]) -> None:
    """Each server gets five messages of one thread at once: each is answered once, by one writer at a time."""
    linus = await signed_in(servers, "linus@example.com")
    said = [(f"show me my last invoices, number {number}", number % 2) for number in range(10)]
    answers = await asyncio.gather(*(linus.says(text, place=place) for text, place in said))
    lines = await linus.lines()
    assert all("Here are your latest invoices" in answer for answer in answers)
    assert Counter({text: 1 for text, _ in said}) == Counter(
        line["text"] for line in lines if line["role"] == "customer"
    )
    assert 20 == len(lines)
    assert ["customer", "assistant"] * 10 == [line["role"] for line in lines]
