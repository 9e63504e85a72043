"""Cases that were left half way are taken up, each by itself."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from graphs.cases import GraphCases
from nodes.context import Case
from server.case_sweep import sweep_cases
from tests.fixtures.sandbox import Sandbox
from tests.server.keeping import REFUND, Keeping, keeping

LONG_AGO = timedelta(minutes=1)
A_MOMENT = timedelta(seconds=1)


@pytest.fixture
async def kept(tmp_path: Path, redis_url: str, sandbox: Sandbox) -> AsyncIterator[Keeping]:
    async with keeping(f"sqlite:///{tmp_path / 'cases.db'}", redis_url, sandbox) as opened:
        yield opened


async def test_one_that_always_fails_does_not_starve_those_after_it(kept: Keeping) -> None:
    kept.clock.now -= LONG_AGO
    stuck = await kept.propose(await kept.year_of_grace(), REFUND)
    other = await kept.propose(await kept.duplicate_of_ada(), REFUND)
    for action in (stuck, other):
        await kept.ledger.move_action(action.id, "confirmed", actor="customer", digest=action.digest)
        kept.clock.now += A_MOMENT

    assert [stuck.id, other.id] == [action.id for action in await kept.ledger.unfinished_actions()]

    class Cases:
        async def go_on(self, case_id: str) -> Case:
            if case_id == stuck.id:
                raise LookupError(case_id)
            return await kept.cases.go_on(case_id)

    sweep = asyncio.create_task(sweep_cases(cast("GraphCases", Cases()), kept.means.queue, every=60))
    try:
        async with asyncio.timeout(20):
            while await kept.ledger.receipt_of(other.id) is None:  # noqa: ASYNC110 - a row is no event
                await asyncio.sleep(0.02)
    finally:
        sweep.cancel()
    left: Any = await kept.ledger.action(stuck.id)
    assert "confirmed" == left.state
