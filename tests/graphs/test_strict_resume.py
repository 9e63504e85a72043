"""A waiting case is woken by a word on its own digest, at the very interrupt that waits, and by nothing else."""

from typing import Any

import pytest
from langgraph._internal._constants import CONFIG_KEY_STRICT_RESUME
from langgraph.errors import UnknownInterruptError
from langgraph.types import Command
from pydantic import ValidationError

from graphs.cases import GraphCases, place_of
from tests.fixtures.sandbox import Sandbox
from tests.graphs.test_cases import opened, refunds
from tools.ledger.types import Action
from tools.policy.types import ActionRequest


async def resume(cases: GraphCases, action: Action, answer: Any, *, interrupt: str = "") -> None:
    """As a client would that got at the graph itself."""
    config: Any = {"configurable": {"thread_id": place_of(action.id), CONFIG_KEY_STRICT_RESUME: True}}
    parked = (await cases.graph.aget_state(config)).interrupts[0].id
    command: Command[Any] = Command(resume={interrupt or parked: answer})
    await cases.graph.ainvoke(command, config, context=cases.context, durability="sync", version="v2")


@pytest.fixture
async def waiting(cases: GraphCases, request_of_grace: ActionRequest) -> Action:
    proposed = await opened(cases, request_of_grace)
    case = await cases.confirm(proposed.id, digest=proposed.digest)
    assert case.action is not None
    return case.action


@pytest.mark.parametrize(
    "answer", [True, "approve", {}, {"digest": 5, "state": "approved"}, {"digest": "x", "state": "paid"}, None]
)
async def test_what_does_not_fit_the_schema_is_refused_and_it_goes_on_waiting(
    cases: GraphCases, waiting: Action, sandbox: Sandbox, answer: Any
) -> None:
    with pytest.raises(ValidationError):
        await resume(cases, waiting, answer)

    await assert_it_still_waits(cases, waiting, sandbox)


async def test_a_word_on_another_digest_is_refused_and_not_remembered(
    cases: GraphCases, waiting: Action, sandbox: Sandbox
) -> None:
    """Refused by the node itself it would have stayed with the checkpoint, and blocked the case for good."""
    with pytest.raises(ValidationError):
        await resume(cases, waiting, {"digest": "0" * 64, "state": "approved"})

    await assert_it_still_waits(cases, waiting, sandbox)


async def test_a_word_to_an_interrupt_that_does_not_wait_is_refused(
    cases: GraphCases, waiting: Action, sandbox: Sandbox
) -> None:
    with pytest.raises(UnknownInterruptError):
        await resume(cases, waiting, {"digest": waiting.digest, "state": "approved"}, interrupt="0" * 32)

    await assert_it_still_waits(cases, waiting, sandbox)


async def test_even_the_right_word_carries_nothing_out_that_the_ledger_does_not_know_of(
    cases: GraphCases, waiting: Action, sandbox: Sandbox
) -> None:
    """The graph is a place mark: it asks the ledger, and nobody approved."""
    await resume(cases, waiting, {"digest": waiting.digest, "state": "approved"})

    await assert_it_still_waits(cases, waiting, sandbox)


async def assert_it_still_waits(cases: GraphCases, waiting: Action, sandbox: Sandbox) -> None:
    """And a person can still approve it, once."""
    kept = await cases.context.ledger.action(waiting.id)
    assert kept == waiting
    assert [] == refunds(sandbox, waiting.target)
    done = await cases.decide(waiting.id, digest=waiting.digest, approve=True, agent="sam", reason="first year")
    assert done.receipt is not None
    assert 1 == len(refunds(sandbox, waiting.target))
