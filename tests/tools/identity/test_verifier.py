"""A one-time code proves an address, once, to one thread, in three tries; then Stripe says whose it is."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.fixtures.keys import KEYS
from tests.fixtures.redis import free_port
from tests.tools.identity.conftest import PEPPER, World
from tests.tools.identity.fakes import Directory, Ledger, Post
from tools.errors import ConfigurationError, MailUnavailable, RateLimited, Unavailable, Unprocessable
from tools.identity.challenges import Standing
from tools.identity.types import Attempt, Session
from tools.identity.verifier import Verifier

ADA = "ada@example.com"


def anonymous(last: Attempt | None = None) -> Session:
    return Session(level=0, email=None, customer=None, challenge="none", address=None, tries_left=0, last=last)


async def everything_in(redis: Redis) -> str:
    read: dict[Any, Callable[[Any], Any]]
    read = {b"hash": redis.hgetall, b"set": redis.smembers, b"string": redis.get}
    keys = await redis.keys("*")
    return "\n".join([f"{key!r} {await read[await redis.type(key)](key)}" for key in keys])


async def test_the_right_code_binds_the_customer_at_level_two(world: World) -> None:
    await world.verifier.start("t", ADA)
    pending = await world.verifier.session("t")
    text = await world.verifier.take_code("t", f"it is {world.post.code}, thanks", message_id="m1")

    assert (pending.challenge, pending.address, pending.tries_left) == ("pending", ADA, 3)
    assert text == "it is [one-time code], thanks"
    assert Session(
        level=2,
        email=ADA,
        customer="cus_ada",
        challenge="none",
        address=None,
        tries_left=0,
        last=Attempt(message_id="m1", outcome="verified"),
        reachable=ADA,
    ) == await world.verifier.session("t")
    assert 1790 < world.ledger.ttls[0] <= 1800


async def test_three_wrong_codes_lock_and_the_right_one_is_then_worthless(world: World) -> None:
    await world.verifier.start("t", ADA)
    for tries_left in (2, 1):
        await world.verifier.take_code("t", world.wrong(), message_id=f"m{tries_left}")
        session = await world.verifier.session("t")
        assert ("pending", tries_left) == (session.challenge, session.tries_left)
        assert Attempt(message_id=f"m{tries_left}", outcome="wrong") == session.last

    await world.verifier.take_code("t", world.wrong(), message_id="m0")
    await world.verifier.take_code("t", world.post.code, message_id="m-late")

    session = await world.verifier.session("t")
    assert (session.level, session.challenge) == (0, "locked")
    assert Attempt(message_id="m0", outcome="locked") == session.last


async def test_after_a_lock_a_new_code_can_be_asked_for(world: World) -> None:
    await world.verifier.start("t", ADA)
    for number in range(3):
        await world.verifier.take_code("t", world.wrong(), message_id=f"m{number}")

    await world.verifier.start("t", ADA)
    assert (await world.verifier.session("t")).challenge == "pending"
    await world.verifier.take_code("t", world.post.code, message_id="m4")

    assert (await world.verifier.session("t")).level == 2


async def test_a_late_code_is_expired_and_still_kept_from_the_model(build: Callable[..., World]) -> None:
    world = build(code_ttl=60)
    await world.verifier.start("t", ADA)
    world.clock.advance(61)

    assert (await world.verifier.session("t")).challenge == "none"
    text = await world.verifier.take_code("t", world.post.code, message_id="m1")

    assert text == "[one-time code]"
    assert anonymous(Attempt(message_id="m1", outcome="expired")) == await world.verifier.session("t")


async def test_a_code_works_once(world: World) -> None:
    await world.verifier.start("t", ADA)
    await world.verifier.take_code("t", world.post.code, message_id="m1")
    await world.ledger.unbind_identity("t")

    await world.verifier.take_code("t", world.post.code, message_id="m2")

    assert (await world.verifier.session("t")).level == 0


async def test_a_code_of_another_thread_is_wrong(world: World) -> None:
    await world.verifier.start("theirs", ADA)
    theirs = world.post.code
    await world.verifier.start("mine", ADA)
    assert theirs != world.post.code

    await world.verifier.take_code("mine", theirs, message_id="m1")

    session = await world.verifier.session("mine")
    assert (0, 2, Attempt(message_id="m1", outcome="wrong")) == (session.level, session.tries_left, session.last)
    assert (await world.verifier.session("theirs")).tries_left == 3


@pytest.mark.parametrize("second", ["eve@example.com", ADA])
async def test_a_new_code_makes_the_one_before_worthless(world: World, second: str) -> None:
    await world.verifier.start("t", ADA)
    first = world.post.code
    await world.verifier.start("t", second)
    assert first != world.post.code

    await world.verifier.take_code("t", first, message_id="m1")

    session = await world.verifier.session("t")
    assert (0, second) == (session.level, session.address)
    assert Attempt(message_id="m1", outcome="wrong") == session.last


async def test_the_same_message_again_takes_no_second_try(world: World) -> None:
    await world.verifier.start("t", ADA)

    texts = {await world.verifier.take_code("t", f"is it {world.wrong()}?", message_id="m1") for _ in range(3)}

    assert {"is it [one-time code]?"} == texts
    assert (await world.verifier.session("t")).tries_left == 2


async def test_a_challenge_that_is_replaced_while_a_code_is_checked_costs_no_try(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.verifier.start("t", ADA)
    standing = world.verifier._challenges.standing
    stale = [await standing("t")] * 2
    await world.verifier.start("t", ADA)

    async def late(thread: str) -> Standing:
        return stale.pop() if stale else await standing(thread)

    monkeypatch.setattr(world.verifier._challenges, "standing", late)
    await world.verifier.take_code("t", world.post.code, message_id="m1")

    assert (await world.verifier.session("t")).level == 2


async def test_the_same_message_twice_at_once_takes_one_try(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ask whether it was taken before either takes it; the second is found out on the server."""
    await world.verifier.start("t", ADA)

    async def not_yet(_thread: str, _message_id: str) -> bool:
        return False

    monkeypatch.setattr(world.verifier._challenges, "was_taken", not_yet)
    for _ in range(2):
        await world.verifier.take_code("t", world.wrong(), message_id="m1")

    assert (await world.verifier.session("t")).tries_left == 2


async def test_ten_guesses_at_once_have_three_tries(world: World) -> None:
    await world.verifier.start("t", ADA)
    right = int(world.post.code)
    guesses = [f"{(right + number) % 1_000_000:06}" for number in range(1, 11)]

    texts = await asyncio.gather(*(world.verifier.take_code("t", guess, message_id=guess) for guess in guesses))

    met = [data["met"] for event, data in world.ledger.audited if event == "identity.code_taken"]
    assert {"[one-time code]"} == set(texts)
    assert (met.count("wrong"), met.count("locked")) == (2, 1)
    assert (await world.verifier.session("t")).challenge == "locked"
    await world.verifier.take_code("t", world.post.code, message_id="late")
    assert (await world.verifier.session("t")).level == 0


async def test_several_codes_in_one_message_are_taken_out_and_none_is_tried(world: World) -> None:
    await world.verifier.start("t", ADA)

    text = await world.verifier.take_code("t", f"{world.post.code} or {world.wrong()}?", message_id="m1")

    assert text == "[one-time code] or [one-time code]?"
    session = await world.verifier.session("t")
    assert (session.level, session.tries_left, session.last) == (0, 3, None)


async def test_without_a_challenge_six_digits_are_just_six_digits(world: World) -> None:
    assert await world.verifier.take_code("t", "order 123456", message_id="m1") == "order 123456"
    assert anonymous() == await world.verifier.session("t")


async def test_words_without_a_code_take_no_try(world: World) -> None:
    await world.verifier.start("t", ADA)

    assert await world.verifier.take_code("t", "where is it?", message_id="m1") == "where is it?"
    assert (await world.verifier.session("t")).tries_left == 3


async def test_no_code_is_in_redis_or_the_audit_log(world: World) -> None:
    await world.verifier.start("t", ADA)
    await world.verifier.take_code("t", world.wrong(), message_id="m1")

    stored = await everything_in(world.redis)
    assert ADA not in stored
    assert "sealed:1:" in stored
    for secret in (world.post.code, world.wrong()):
        assert secret not in stored
        assert secret not in str(world.ledger.audited)
    assert ADA not in str(world.ledger.audited)


async def test_every_key_expires(world: World) -> None:
    await world.verifier.start("t", ADA)
    await world.verifier.take_code("t", world.wrong(), message_id="m1")
    world.billing.down = True
    await world.verifier.take_code("t", world.post.code, message_id="m2")

    keys = await world.redis.keys("*")
    assert len(keys) == 5
    assert all([await world.redis.ttl(key) > 0 for key in keys])


async def test_somebody_without_an_account_gets_the_same_mail_and_the_same_session(world: World) -> None:
    await world.verifier.start("known", ADA)
    await world.verifier.start("unknown", "nobody@example.com")

    known, unknown = await world.verifier.session("known"), await world.verifier.session("unknown")

    (to_known, *mail_known), (to_unknown, *mail_unknown) = world.post.sent
    strip = str.maketrans("", "", "0123456789")
    assert [part.translate(strip) for part in mail_known] == [part.translate(strip) for part in mail_unknown]
    assert (to_known, to_unknown) == (ADA, "nobody@example.com")
    assert (known.level, known.challenge, known.tries_left) == (
        unknown.level,
        unknown.challenge,
        unknown.tries_left,
    )
    assert world.billing.asked == []


async def test_an_address_without_an_account_is_proved_and_gives_no_level(world: World) -> None:
    await world.verifier.start("t", "nobody@example.com")
    await world.verifier.take_code("t", world.post.code, message_id="m1")

    session = await world.verifier.session("t")
    assert (session.level, session.email, session.customer) == (0, "nobody@example.com", None)
    assert Attempt(message_id="m1", outcome="no_account") == session.last


async def test_of_several_accounts_that_nothing_tells_apart_none_is_chosen(world: World) -> None:
    await world.verifier.start("t", "grace@example.com")
    await world.verifier.take_code("t", world.post.code, message_id="m1")

    assert anonymous(Attempt(message_id="m1", outcome="ambiguous")) == await world.verifier.session("t")


@pytest.mark.parametrize("second", ["nobody@example.com", "grace@example.com"])
async def test_proving_another_address_ends_the_first_binding(world: World, second: str) -> None:
    await world.verifier.start("t", ADA)
    await world.verifier.take_code("t", world.post.code, message_id="m1")
    await world.verifier.start("t", second)
    await world.verifier.take_code("t", world.post.code, message_id="m2")

    session = await world.verifier.session("t")
    assert (session.level, session.customer) == (0, None)


async def test_while_stripe_is_down_the_proof_waits_and_is_then_bound(world: World) -> None:
    await world.verifier.start("t", ADA)
    world.billing.down = True
    await world.verifier.take_code("t", world.post.code, message_id="m1")

    waiting = await world.verifier.session("t")
    assert (waiting.level, waiting.email, waiting.customer) == (0, ADA, None)
    assert Attempt(message_id="m1", outcome="verified") == waiting.last

    world.billing.down = False
    session = await world.verifier.session("t")
    assert (session.level, session.email, session.customer) == (2, ADA, "cus_ada")
    assert Attempt(message_id="m1", outcome="verified") == session.last


async def test_while_a_proof_waits_nobody_keeps_the_rights_of_the_one_before(world: World) -> None:
    await world.verifier.sign_in("t", ADA)
    await world.verifier.start("t", "nobody@example.com")
    world.billing.down = True
    await world.verifier.take_code("t", world.post.code, message_id="m1")

    session = await world.verifier.session("t")
    assert (session.level, session.customer) == (0, None)


async def test_a_message_whose_binding_failed_is_taken_up_again_without_a_new_code(world: World) -> None:
    await world.verifier.start("t", ADA)
    world.ledger.down = True
    with pytest.raises(Unavailable):
        await world.verifier.take_code("t", world.post.code, message_id="m1")

    world.ledger.down = False
    text = await world.verifier.take_code("t", world.post.code, message_id="m1")

    assert text == "[one-time code]"
    assert world.ledger.bound["t"].customer == "cus_ada"


async def test_a_thread_gets_three_codes_an_hour(world: World) -> None:
    for number in range(3):
        await world.verifier.start("t", f"{number}@example.com")

    with pytest.raises(RateLimited) as refused:
        await world.verifier.start("t", ADA)

    assert len(world.post.sent) == 3
    assert 3590 < refused.value.retry_after <= 3600


async def test_an_address_gets_five_codes_an_hour_however_it_is_spelt(world: World) -> None:
    for number in range(5):
        await world.verifier.start(f"t{number}", ADA if number % 2 else ADA.upper())

    with pytest.raises(RateLimited):
        await world.verifier.start("t5", " Ada@Example.com ")

    assert len(world.post.sent) == 5


async def test_a_mail_that_could_not_be_sent_leaves_nothing_pending_and_does_not_count(world: World) -> None:
    world.post.down = True
    for _ in range(4):
        with pytest.raises(MailUnavailable):
            await world.verifier.start("t", ADA)
    assert anonymous() == await world.verifier.session("t")

    world.post.down = False
    await world.verifier.start("t", ADA)
    assert (await world.verifier.session("t")).challenge == "pending"


@pytest.mark.parametrize(
    "address", ["", "ada", "ada@", "a b@example.com", "ada@example.com\nBcc: x@y.example", "@" * 300]
)
async def test_what_is_no_address_is_refused_before_anything_happens(world: World, address: str) -> None:
    with pytest.raises(Unprocessable):
        await world.verifier.start("t", address)
    with pytest.raises(Unprocessable):
        await world.verifier.sign_in("t", address)

    assert await world.redis.keys("*") == []


async def test_signing_in_gives_level_one(world: World) -> None:
    await world.verifier.sign_in("t", ADA)

    session = await world.verifier.session("t")
    assert (session.level, session.email, session.customer, session.last) == (1, ADA, "cus_ada", None)


async def test_signing_in_again_does_not_lower_the_level_of_the_same_address(world: World) -> None:
    await world.verifier.start("t", ADA)
    await world.verifier.take_code("t", world.post.code, message_id="m1")

    await world.verifier.sign_in("t", "Ada@example.com")

    assert (await world.verifier.session("t")).level == 2


async def test_without_redis_nobody_is_verified() -> None:
    async with Redis.from_url(f"redis://127.0.0.1:{free_port()}", retry=None) as redis:
        verifier = Verifier(redis, Ledger(), Post(), Directory(), pepper=PEPPER, keys=KEYS)

        with pytest.raises(Unavailable):
            await verifier.start("t", ADA)
        with pytest.raises(Unavailable):
            await verifier.take_code("t", "123456", message_id="m1")
        with pytest.raises(Unavailable):
            await verifier.session("t")


async def test_a_short_pepper_is_refused(world: World) -> None:
    with pytest.raises(ConfigurationError):
        Verifier(world.redis, world.ledger, world.post, world.billing, pepper=b"short", keys=KEYS)
