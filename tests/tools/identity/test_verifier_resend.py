"""A code that is typed where none is awaited, and a code that is sent again."""

from collections.abc import Callable

import pytest

from tests.tools.identity.conftest import World
from tools.errors import MailUnavailable, RateLimited

ADA = "ada@example.com"


@pytest.mark.parametrize("text", ["{}", "my code is {}", "code: {}, thanks"])
async def test_a_code_in_another_tab_is_taken_out_and_not_tried(world: World, text: str) -> None:
    await world.verifier.start("t", ADA)
    code = world.post.code

    told = await world.verifier.take_code("other", text.format(code), message_id="m1")

    assert text.format("[one-time code]") == told
    assert 0 == (await world.verifier.session("other")).level
    assert 3 == (await world.verifier.session("t")).tries_left


async def test_a_code_after_a_lock_is_taken_out(world: World) -> None:
    await world.verifier.start("t", ADA)
    for number in range(3):
        await world.verifier.take_code("t", world.wrong(), message_id=f"m{number}")

    assert "[one-time code]" == await world.verifier.take_code("t", world.post.code, message_id="m4")
    assert 0 == (await world.verifier.session("t")).level


async def test_a_code_is_sent_again_and_makes_the_first_worthless(world: World) -> None:
    await world.verifier.start("t", ADA)
    first = world.post.code

    assert "email" == await world.verifier.resend("t")

    assert [ADA, ADA] == [to for to, _, _ in world.post.sent]
    assert first != world.post.code
    await world.verifier.take_code("t", world.post.code, message_id="m1")
    assert 2 == (await world.verifier.session("t")).level


async def test_with_nothing_asked_for_nothing_is_sent_again(world: World) -> None:
    assert not await world.verifier.resend("t")
    await world.verifier.start("t", ADA)
    assert not await world.verifier.resend("another")
    await world.verifier.take_code("t", world.post.code, message_id="m1")
    assert not await world.verifier.resend("t")
    assert 1 == len(world.post.sent)


async def test_after_a_lock_or_too_late_a_code_is_sent_again(build: Callable[..., World]) -> None:
    world = build(code_ttl=60, tries=1)
    await world.verifier.start("t", ADA)
    world.clock.advance(61)
    assert await world.verifier.resend("t")
    await world.verifier.take_code("t", world.wrong(), message_id="m1")
    assert "locked" == (await world.verifier.session("t")).challenge

    assert await world.verifier.resend("t")

    assert "pending" == (await world.verifier.session("t")).challenge


async def test_sending_again_has_the_limit_of_the_first_time(world: World) -> None:
    await world.verifier.start("t", ADA)
    for _ in range(2):
        await world.verifier.resend("t")

    with pytest.raises(RateLimited):
        await world.verifier.resend("t")

    assert 3 == len(world.post.sent)


async def test_a_mail_that_failed_can_be_asked_for_again(world: World) -> None:
    world.post.down = True
    with pytest.raises(MailUnavailable):
        await world.verifier.start("t", ADA)
    world.post.down = False

    assert await world.verifier.resend("t")
    assert [ADA] == [to for to, _, _ in world.post.sent]


@pytest.mark.parametrize(("phone", "mails"), [("+15550001", [ADA, ADA]), ("+15559999", [])])
async def test_by_phone_nothing_tells_whether_there_is_an_account(world: World, phone: str, mails: list[str]) -> None:
    await world.verifier.start_by_phone("t", phone)

    assert "phone" == await world.verifier.resend("t")
    await world.verifier.aclose()

    session = await world.verifier.session("t")
    assert ("pending", phone, 3) == (session.challenge, session.address, session.tries_left)
    assert mails == [to for to, _, _ in world.post.sent]
