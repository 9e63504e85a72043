"""A phone number finds the account, and neither words nor time say whether it did."""

import time

import pytest

from tests.tools.identity.conftest import World
from tools.errors import BillingUnavailable, RateLimited, Unprocessable
from tools.identity.types import Attempt

ADA = "+15550001"
NOBODY = "+15559999"


async def test_the_code_goes_to_the_address_on_file(world: World) -> None:
    await world.verifier.start_by_phone("t", ADA)
    await world.verifier.aclose()
    assert world.post.sent[0][0] == "ada@example.com"

    await world.verifier.take_code("t", world.post.code, message_id="m1")

    session = await world.verifier.session("t")
    assert (session.level, session.email, session.customer) == (2, "ada@example.com", "cus_ada")


@pytest.mark.parametrize("phone", [NOBODY, "+15550004", "+15550005"])
async def test_nobody_no_address_and_two_people_look_like_somebody(world: World, phone: str) -> None:
    """The address on file is not shown: the session names the number that was typed."""
    await world.verifier.start_by_phone("known", ADA)
    await world.verifier.start_by_phone("unknown", phone)
    await world.verifier.aclose()

    known, unknown = await world.verifier.session("known"), await world.verifier.session("unknown")

    assert len(world.post.sent) == 1
    assert (known.level, known.email, known.challenge, known.tries_left) == (
        unknown.level,
        unknown.email,
        unknown.challenge,
        unknown.tries_left,
    )
    assert (ADA, phone) == (known.address, unknown.address)


async def test_a_challenge_that_went_nowhere_counts_down_and_locks(world: World) -> None:
    await world.verifier.start_by_phone("t", NOBODY)

    for number in range(3):
        await world.verifier.take_code("t", f"00000{number}", message_id=f"m{number}")

    session = await world.verifier.session("t")
    assert (0, "locked", Attempt(message_id="m2", outcome="locked")) == (
        session.level,
        session.challenge,
        session.last,
    )


@pytest.mark.parametrize("phone", [ADA, NOBODY])
async def test_the_answer_does_not_wait_for_the_mail(world: World, phone: str) -> None:
    world.post.seconds = 0.5
    begun = time.monotonic()

    await world.verifier.start_by_phone("t", phone)

    assert time.monotonic() - begun < 0.4
    await world.verifier.aclose()


@pytest.mark.parametrize("phone", [ADA, NOBODY])
async def test_a_mail_server_that_is_down_does_not_tell_either(world: World, phone: str) -> None:
    world.post.down = True

    await world.verifier.start_by_phone("t", phone)
    await world.verifier.aclose()

    assert (await world.verifier.session("t")).challenge == "pending"


async def test_a_number_gets_five_codes_an_hour_however_it_is_written(world: World) -> None:
    for number in range(5):
        await world.verifier.start_by_phone(f"t{number}", NOBODY if number % 2 else "+1 (555) 9999")

    with pytest.raises(RateLimited):
        await world.verifier.start_by_phone("t5", "+1-555-9999")


async def test_a_stripe_that_is_down_is_said_to_everybody(world: World) -> None:
    world.billing.down = True
    for phone in (ADA, NOBODY):
        with pytest.raises(BillingUnavailable):
            await world.verifier.start_by_phone("t", phone)


async def test_what_is_no_number_is_refused(world: World) -> None:
    with pytest.raises(Unprocessable):
        await world.verifier.start_by_phone("t", "call me")
