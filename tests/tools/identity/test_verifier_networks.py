"""A network gets so many codes an hour, whoever asks there and whatever for; and where a code may go unasked."""

import pytest

from tests.tools.identity.conftest import World
from tools.errors import MailUnavailable, RateLimited

ADA, NOBODY = "ada@example.com", "nobody@example.com"
HERE, THERE = "203.0.113.7", "198.51.100.9"


async def note(world: World, thread: str, network: str = HERE) -> None:
    await world.verifier.note_caller(thread, network=network)


async def use_up(world: World, network: str = HERE) -> None:
    for number in range(20):
        await note(world, f"t{number}", network)
        await world.verifier.start(f"t{number}", f"{number}@example.com")


@pytest.mark.parametrize("address", [ADA, NOBODY])
async def test_a_network_gets_twenty_codes_an_hour_for_whatever_addresses(world: World, address: str) -> None:
    await use_up(world)
    await note(world, "late")

    with pytest.raises(RateLimited) as refused:
        await world.verifier.start("late", address)

    assert 20 == len(world.post.sent)
    assert 3590 < refused.value.retry_after <= 3600


@pytest.mark.parametrize("phone", ["+15550001", "+15559999"])
async def test_phone_numbers_and_codes_sent_again_count_too(world: World, phone: str) -> None:
    await note(world, "t")
    await world.verifier.start_by_phone("t", phone)
    await world.verifier.resend("t")
    for number in range(18):
        await note(world, f"t{number}")
        await world.verifier.start(f"t{number}", f"{number}@example.com")

    with pytest.raises(RateLimited):
        await world.verifier.resend("t")
    await note(world, "late")
    with pytest.raises(RateLimited):
        await world.verifier.start_by_phone("late", phone)


async def test_another_network_is_another_matter(world: World) -> None:
    await use_up(world)
    await note(world, "late", THERE)

    await world.verifier.start("late", ADA)

    assert 21 == len(world.post.sent)


async def test_a_network_that_has_had_its_share_uses_up_nobodys_address(world: World) -> None:
    await use_up(world)
    for number in range(10):
        await note(world, f"late{number}")
        with pytest.raises(RateLimited):
            await world.verifier.start(f"late{number}", ADA)

    await note(world, "ada", THERE)
    await world.verifier.start("ada", ADA)

    assert ADA == world.post.sent[-1][0]


async def test_a_mail_that_could_not_be_sent_does_not_count_for_the_network(world: World) -> None:
    world.post.down = True
    for number in range(25):
        await note(world, f"down{number}")
        with pytest.raises(MailUnavailable):
            await world.verifier.start(f"down{number}", ADA)
    world.post.down = False

    await use_up(world)

    assert 20 == len(world.post.sent)


async def test_no_address_of_a_network_is_kept_and_every_key_expires(world: World) -> None:
    await note(world, "t")
    await world.verifier.start("t", ADA)

    keys = await world.redis.keys("*")
    kept = [(key, await world.redis.dump(key)) for key in keys]
    assert HERE not in str(kept)
    assert all([await world.redis.ttl(key) > 0 for key in keys])


async def test_a_code_may_go_unasked_where_the_host_site_says_and_to_a_proved_address_first(world: World) -> None:
    assert (await world.verifier.session("t")).reachable is None
    await world.verifier.note_caller("t", network=HERE, signed_in_as=ADA)
    vouched = (await world.verifier.session("t")).reachable

    await world.verifier.start("t", "alan@example.com")
    await world.verifier.take_code("t", world.post.code, message_id="m1")
    proved = (await world.verifier.session("t")).reachable

    assert (ADA, "alan@example.com") == (vouched, proved)


async def test_a_vouched_address_without_an_account_is_not_tried_again_and_again(world: World) -> None:
    await world.verifier.note_caller("t", network=HERE, signed_in_as=NOBODY)
    await world.verifier.sign_in("t", NOBODY)

    assert (await world.verifier.session("t")).reachable is None
