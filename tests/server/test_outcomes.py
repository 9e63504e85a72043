"""However an action ended, its customer hears it once: whoever ended it, and wherever that process died."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from nodes.promising import OUTCOME, promise_outcome, settle_promises
from server.promises.sweep import look_after_due
from server.runs.payload import notice
from server.runs.queue import named_run
from tests.fixtures.sandbox import Sandbox
from tests.server.keeping import REFUND, THREAD, Keeping, fate, keeping
from tools.ledger.types import Action


@pytest.fixture
async def kept(tmp_path: Path, redis_url: str, sandbox: Sandbox) -> AsyncIterator[Keeping]:
    async with keeping(f"sqlite:///{tmp_path / 'promises.db'}", redis_url, sandbox) as opened:
        yield opened


@pytest.fixture
async def waiting(kept: Keeping) -> Action:
    """The customer was told that they hear here how it ends."""
    action = await kept.agreed(await kept.year_of_grace(), REFUND)
    await promise_outcome(action, kept.ledger, kept.clock())
    return action


async def approved_and_killed(kept: Keeping, action: Action) -> None:
    """The desk's server carried it out, and died before it could say so."""
    await kept.cases.decide(action.id, digest=action.digest, approve=True, agent="sam", reason="first year")


async def test_who_died_before_telling_leaves_somebody_who_does(kept: Keeping, waiting: Action) -> None:
    await approved_and_killed(kept, waiting)

    [said] = await kept.at(kept.clock())

    assert "a colleague has approved your request" in said
    assert "CF-" in said
    assert "kept" == fate(await kept.promise(waiting.id, OUTCOME))


async def test_it_is_said_once_however_often_and_whoever_looks(kept: Keeping, waiting: Action) -> None:
    await approved_and_killed(kept, waiting)
    told = await kept.at(kept.clock())

    run = await kept.means.queue.submit(THREAD, notice(waiting.id), run_id=named_run("succeeded", waiting.id))

    assert "success" == run.status
    assert told == await kept.at(kept.clock() + timedelta(days=1))


async def test_while_it_waits_nothing_is_said_and_nothing_is_due(kept: Keeping, waiting: Action) -> None:
    assert [] == await kept.at(kept.clock())
    assert waiting.deadline == (await kept.promise(waiting.id, OUTCOME)).due


async def test_a_rejection_is_told_too(kept: Keeping, waiting: Action) -> None:
    await kept.cases.decide(waiting.id, digest=waiting.digest, approve=False, agent="sam", reason="it was used in full")

    [said] = await kept.at(kept.clock())

    assert "it was used in full" in said


async def test_an_end_that_the_conversation_told_itself_is_not_told_again(kept: Keeping, waiting: Action) -> None:
    await approved_and_killed(kept, waiting)
    done = await kept.ledger.action(waiting.id)
    assert done is not None
    await settle_promises(done, kept.ledger)

    assert [] == await kept.at(kept.clock())


async def test_nothing_is_promised_of_what_is_at_its_end(kept: Keeping) -> None:
    action = await kept.agreed(await kept.duplicate_of_ada(), REFUND)

    await promise_outcome(action, kept.ledger, kept.clock())

    assert OUTCOME not in await kept.fates(action.id)


async def test_of_a_deleted_conversation_nobody_can_be_told(kept: Keeping, waiting: Action) -> None:
    await approved_and_killed(kept, waiting)
    await kept.ledger.delete_thread(THREAD)

    await look_after_due(kept.means)

    assert "dropped" == fate(await kept.promise(waiting.id, OUTCOME))
