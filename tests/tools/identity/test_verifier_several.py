"""An address with several accounts: after the code, something only one of their owners knows, in three tries."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.tools.identity.conftest import World
from tools.identity.types import Attempt, Session
from tools.money import Money

GRACE = "grace@example.com"
FIRST, SECOND = "cus_grace1", "cus_grace2"


@pytest.fixture
def two(world: World) -> World:
    world.billing.cards.update({FIRST: "4242", SECOND: "4444"})
    return world


async def code_given(world: World, message: str = "m1", thread: str = "t") -> Session:
    await world.verifier.start(thread, GRACE)
    await world.verifier.take_code(thread, world.post.code, message_id=message)
    return await world.verifier.session(thread)


async def answered(world: World, text: str, message: str, thread: str = "t") -> Session:
    await world.verifier.take_code(thread, text, message_id=message)
    return await world.verifier.session(thread)


async def test_the_right_code_binds_nobody_and_asks_something(two: World) -> None:
    session = await code_given(two)

    assert (0, None, None) == (session.level, session.customer, session.email)
    assert ("last4", 3, "none") == (session.question, session.tries_left, session.challenge)
    assert Attempt(message_id="m1", outcome="several") == session.last
    assert {} == two.ledger.bound


@pytest.mark.parametrize(("last4", "customer"), [("4242", FIRST), ("4444", SECOND)])
async def test_the_answer_binds_the_account_that_it_fits(two: World, last4: str, customer: str) -> None:
    await code_given(two)

    text = await two.verifier.take_code("t", f"it ends in {last4}, thanks", message_id="m2")

    session = await two.verifier.session("t")
    assert "it ends in [answer] thanks" == text
    assert (2, GRACE, customer, None) == (session.level, session.email, session.customer, session.question)
    assert Attempt(message_id="m2", outcome="verified") == session.last
    assert 1790 < two.ledger.ttls[-1] <= 1800


async def test_three_wrong_answers_end_it_and_the_right_one_is_then_worthless(two: World) -> None:
    await code_given(two)
    for number, left in enumerate((2, 1)):
        session = await answered(two, f"000{number}", f"wrong{number}")
        assert (left, "mismatch") == (session.tries_left, session.last and session.last.outcome)

    session = await answered(two, "0002", "wrong2")
    late = await answered(two, "4242", "late")

    assert (None, Attempt(message_id="wrong2", outcome="ambiguous")) == (session.question, session.last)
    assert (0, None) == (late.level, late.customer)


async def test_ten_answers_at_once_have_three_tries(two: World) -> None:
    await code_given(two)

    await asyncio.gather(*(two.verifier.take_code("t", f"{n:04}", message_id=f"a{n}") for n in range(10)))

    met = [data["met"] for event, data in two.ledger.audited if event == "identity.answer_taken"]
    assert (2, 1) == (met.count("mismatch"), met.count("ambiguous"))
    assert 0 == (await answered(two, "4242", "late")).level


async def test_the_same_answer_again_takes_no_second_try_and_is_taken_out_again(two: World) -> None:
    await code_given(two)

    told = {await two.verifier.take_code("t", "is it 0000?", message_id="m2") for _ in range(3)}

    assert {"is it [answer]"} == told
    assert 2 == (await two.verifier.session("t")).tries_left


async def test_a_question_cannot_be_answered_on_another_thread(two: World) -> None:
    await code_given(two)

    assert "4242" == await two.verifier.take_code("other", "4242", message_id="m2")
    assert (0, 3) == ((await two.verifier.session("other")).level, (await two.verifier.session("t")).tries_left)


async def test_another_address_ends_the_question(two: World) -> None:
    await code_given(two)
    await two.verifier.start("t", "ada@example.com")

    session = await answered(two, "4242", "m2")

    assert (0, None, "pending") == (session.level, session.question, session.challenge)


async def test_looking_again_gives_no_tries_anew(two: World) -> None:
    """Each look used to settle the proof once more."""
    await code_given(two)
    await answered(two, "0000", "m2")

    await asyncio.gather(*(two.verifier.session("t") for _ in range(5)))
    await two.verifier.sign_in("t", GRACE)

    assert 2 == (await two.verifier.session("t")).tries_left


async def test_what_no_answer_is_takes_no_try(two: World) -> None:
    await code_given(two)

    for number, text in enumerate(["I don't know", "4242 or 4444?", "why do you ask?"]):
        assert text == await two.verifier.take_code("t", text, message_id=f"m{number}x")

    assert 3 == (await two.verifier.session("t")).tries_left


async def test_shared_cards_are_not_asked_for(two: World) -> None:
    two.billing.cards[SECOND] = "4242"
    at = datetime.now(UTC)
    two.billing.payments = {FIRST: [(Money(1900, "usd"), at)], SECOND: [(Money(2900, "usd"), at)]}

    asked = await code_given(two)
    session = await answered(two, f"29.00 on {at.date().isoformat()}", "m2")

    assert ("payment", SECOND) == (asked.question, session.customer)


async def test_an_answer_that_fits_both_is_wrong(two: World) -> None:
    """A card that the second account got after the question was asked."""
    await code_given(two)
    two.billing.cards[SECOND] = "4242"

    session = await answered(two, "4242", "m2")

    assert (0, 2, "last4") == (session.level, session.tries_left, session.question)


async def test_while_stripe_is_down_an_answer_costs_no_try_and_may_be_given_again(two: World) -> None:
    await code_given(two)
    two.billing.down = True
    told = await two.verifier.take_code("t", "4242", message_id="m2")
    session = await two.verifier.session("t")
    assert ("[answer]", 3) == (told, session.tries_left)
    assert Attempt(message_id="m2", outcome="unchecked") == session.last

    two.billing.down = False
    assert FIRST == (await answered(two, "4242", "m3")).customer


async def test_a_right_answer_waits_for_a_stripe_that_went_down_behind_it(
    two: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await code_given(two)
    answer = two.verifier._challenges.answer

    async def then_down(*args: Any, **more: Any) -> Any:
        met = await answer(*args, **more)
        two.billing.down = True
        return met

    monkeypatch.setattr(two.verifier._challenges, "answer", then_down)
    waiting = await answered(two, "4444", "m2")
    two.billing.down = False

    assert (0, None) == (waiting.level, waiting.customer)
    assert SECOND == (await two.verifier.session("t")).customer


async def test_who_told_is_not_bound_to_the_other_account_when_theirs_is_gone(
    two: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await code_given(two)
    answer = two.verifier._challenges.answer

    async def then_deleted(*args: Any, **more: Any) -> Any:
        met = await answer(*args, **more)
        two.billing.customers = tuple(one for one in two.billing.customers if one.id != FIRST)
        return met

    monkeypatch.setattr(two.verifier._challenges, "answer", then_deleted)
    session = await answered(two, "4242", "m2")

    assert (0, None) == (session.level, session.customer)


async def test_a_fresh_code_for_who_is_still_known_asks_nothing_again(two: World) -> None:
    await code_given(two)
    await answered(two, "4444", "m2")

    session = await code_given(two, "m3")

    assert (2, SECOND, None) == (session.level, session.customer, session.question)


async def test_after_three_questions_a_day_about_an_address_a_person_has_to_tell(two: World) -> None:
    for number in range(3):
        assert "last4" == (await code_given(two, thread=f"t{number}")).question

    session = await code_given(two, thread="t3")

    assert (0, None) == (session.level, session.question)
    assert Attempt(message_id="m1", outcome="ambiguous") == session.last


async def test_whom_the_host_site_vouches_for_is_asked_after_a_code_only(two: World) -> None:
    await two.verifier.note_caller("t", network="127.0.0.1", signed_in_as=GRACE)
    await two.verifier.sign_in("t", GRACE)
    vouched = await two.verifier.session("t")

    asked = await code_given(two)

    assert (0, None, None, GRACE) == (vouched.level, vouched.customer, vouched.question, vouched.reachable)
    assert "last4" == asked.question


async def test_nothing_that_was_answered_is_kept(two: World) -> None:
    await code_given(two)
    await answered(two, "4242", "m2")

    values = [await two.redis.dump(key) for key in await two.redis.keys("*")]
    assert not any(b"4242" in (value or b"") or b"4444" in (value or b"") for value in values)
    assert "4242" not in str(two.ledger.audited)
    assert all([await two.redis.ttl(key) > 0 for key in await two.redis.keys("*")])
