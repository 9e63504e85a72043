import pytest

from tests.tools.ledger.builders import Clock
from tools.errors import NotFound, Unprocessable
from tools.ledger.ledger import Ledger
from tools.ledger.types import Feedback


async def test_the_latest_word_on_a_thread_counts(ledger: Ledger, clock: Clock) -> None:
    for thread in ("t", "u"):
        await ledger.create_thread(thread, "owner", {})
        await ledger.record_feedback(thread, 1, "slow")
        clock.forward(seconds=1)
    later = clock.now
    await ledger.record_feedback("t", 5, "thanks!")
    feedback = await ledger.feedback()
    assert Feedback(thread="t", rating=5, comment="thanks!", at=later) == feedback[0]
    assert [(said.thread, said.rating) for said in feedback] == [("t", 5), ("u", 1)]
    assert len(await ledger.feedback(limit=1)) == 1


@pytest.mark.parametrize("rating", [0, 6, -1, 2.5])
async def test_a_rating_is_one_to_five(ledger: Ledger, rating: int) -> None:
    await ledger.create_thread("t", "owner", {})
    with pytest.raises(Unprocessable):
        await ledger.record_feedback("t", rating, "")
    assert await ledger.feedback() == []


async def test_feedback_needs_its_thread(ledger: Ledger) -> None:
    with pytest.raises(NotFound):
        await ledger.record_feedback("nobody", 5, "")
