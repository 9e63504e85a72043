"""Cases on real parts, step by step. Races, faults and random schedules of them are in `tests/chaos`."""

import asyncio
import uuid
from dataclasses import replace
from typing import Any, ClassVar

import pytest
import stripe
from redis.asyncio import Redis

from graphs.cases import GraphCases
from nodes.case.deeds.deed import idempotency_key
from tests.fixtures.sandbox import Sandbox
from tools.errors import IllegalTransition, NotFound, OutcomeUnknown, StaleDecision
from tools.ledger.types import Action
from tools.money import Money
from tools.policy.types import ActionRequest


class Killed(BaseException):
    """The process ends here."""


class Interrupting:
    """Passes everything on to `inner`, and dies right before or right after the named call, once."""

    def __init__(self, inner: Any, name: str, *, after: bool) -> None:
        self._inner, self._name, self._after = inner, name, after

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._inner, name)
        if name != self._name:
            return real

        async def dying(*args: Any, **kwargs: Any) -> Any:
            self._name = ""
            if self._after:
                await real(*args, **kwargs)
            raise Killed

        return dying


async def opened(cases: GraphCases, request: ActionRequest) -> Action:
    await cases.context.ledger.create_thread("thread", "somebody", {})
    case = await cases.open(str(uuid.uuid4()), thread="thread", request=request, details={"last4": "4242"})
    assert case.action is not None
    return case.action


def refunds(sandbox: Sandbox, charge: str) -> list[stripe.Refund]:
    return list(sandbox.stripe().v1.refunds.list({"charge": charge}).data)


async def test_a_confirmed_case_within_the_limits_is_carried_out_with_a_receipt(
    cases: GraphCases, request_of_ada: ActionRequest, sandbox: Sandbox
) -> None:
    proposed = await opened(cases, request_of_ada)
    assert ("proposed", "auto", []) == (proposed.state, proposed.outcome, refunds(sandbox, proposed.target))

    case = await cases.confirm(proposed.id, digest=proposed.digest)

    [refund] = refunds(sandbox, proposed.target)
    assert case.action is not None
    assert "succeeded" == case.action.state
    assert (4900, "duplicate", proposed.id) == (
        refund.amount,
        refund.reason,
        dict(refund.to_dict()["metadata"])["action_id"],
    )
    assert case.receipt is not None
    assert refund.id == case.receipt.body["stripe_id"]
    assert proposed.digest == case.receipt.body["action_digest"]


async def test_opening_again_finds_the_same_case(cases: GraphCases, request_of_ada: ActionRequest) -> None:
    first = await opened(cases, request_of_ada)

    again = await cases.open(first.id, thread="thread", request=request_of_ada, details={"last4": "4242"})

    assert first == again.action


async def test_a_denied_request_leaves_nothing_to_do(cases: GraphCases, request_of_ada: ActionRequest) -> None:
    too_much = replace(request_of_ada, amount=Money(5000, "usd"))

    case = await cases.open(str(uuid.uuid4()), thread="thread", request=too_much, details={})

    assert case.action is None
    assert case.verdict is not None
    assert "deny" == case.verdict.outcome


async def test_a_yes_to_another_digest_is_stale(cases: GraphCases, request_of_ada: ActionRequest) -> None:
    proposed = await opened(cases, request_of_ada)

    with pytest.raises(StaleDecision):
        await cases.confirm(proposed.id, digest="0" * 64)


async def test_above_the_limit_nothing_happens_before_a_person_approves(
    cases: GraphCases, request_of_grace: ActionRequest, sandbox: Sandbox
) -> None:
    proposed = await opened(cases, request_of_grace)
    waiting = await cases.confirm(proposed.id, digest=proposed.digest)
    assert waiting.action is not None
    assert ("awaiting_approval", []) == (waiting.action.state, refunds(sandbox, proposed.target))

    done = await cases.decide(proposed.id, digest=proposed.digest, approve=True, agent="sam", reason="first year")

    assert done.action is not None
    assert "succeeded" == done.action.state
    assert [48000] == [refund.amount for refund in refunds(sandbox, proposed.target)]


async def test_of_several_that_take_up_a_case_at_once_each_finds_it_done(
    cases: GraphCases, request_of_ada: ActionRequest, sandbox: Sandbox
) -> None:
    """Who came second was told of an illegal transition, and the customer of changed billing data."""
    ledger, proposed = cases.context.ledger, await opened(cases, request_of_ada)
    await ledger.move_action(proposed.id, "confirmed", actor="customer", digest=proposed.digest)
    await ledger.begin_action(proposed.id, idempotency_key(proposed))

    found = await asyncio.gather(*(cases.go_on(proposed.id) for _ in range(3)))

    assert ["succeeded"] * 3 == [case.action.state for case in found if case.action]
    assert 1 == len(refunds(sandbox, proposed.target))


async def test_a_rejection_is_final(cases: GraphCases, request_of_grace: ActionRequest, sandbox: Sandbox) -> None:
    proposed = await opened(cases, request_of_grace)
    await cases.confirm(proposed.id, digest=proposed.digest)
    await cases.decide(proposed.id, digest=proposed.digest, approve=False, agent="sam", reason="used in full")

    with pytest.raises(IllegalTransition):
        await cases.decide(proposed.id, digest=proposed.digest, approve=True, agent="kim", reason="ok")

    assert [] == refunds(sandbox, proposed.target)


async def test_a_case_goes_on_when_every_checkpoint_is_lost(
    cases: GraphCases, request_of_grace: ActionRequest, sandbox: Sandbox, redis_url: str
) -> None:
    proposed = await opened(cases, request_of_grace)
    await cases.confirm(proposed.id, digest=proposed.digest)
    async with Redis.from_url(redis_url) as redis:
        await redis.flushall()

    done = await cases.decide(proposed.id, digest=proposed.digest, approve=True, agent="sam", reason="ok")

    assert done.receipt is not None
    assert 1 == len(refunds(sandbox, proposed.target))


async def test_an_answer_that_never_came_is_unknown_and_then_found(
    cases: GraphCases, request_of_ada: ActionRequest, sandbox: Sandbox
) -> None:
    proposed = await opened(cases, request_of_ada)
    sandbox.fault(method="POST", path="/v1/refunds", count=100, kind="status_after_commit", status=500)

    unknown = await cases.confirm(proposed.id, digest=proposed.digest)
    assert unknown.action is not None
    assert "unknown" == unknown.action.state
    sandbox.clear_faults()

    found = await cases.go_on(proposed.id)

    assert found.receipt is not None
    assert 1 == len(refunds(sandbox, proposed.target))


async def test_a_refusal_by_stripe_is_a_failure_without_receipt(
    cases: GraphCases, request_of_ada: ActionRequest, sandbox: Sandbox
) -> None:
    proposed = await opened(cases, request_of_ada)
    sandbox.fault(method="POST", path="/v1/refunds", count=1, kind="status", status=402, code="card_declined")

    ended = await cases.confirm(proposed.id, digest=proposed.digest)

    assert ended.action is not None
    assert ("failed", None) == (ended.action.state, ended.receipt)


async def test_an_unknown_case_is_not_found(cases: GraphCases) -> None:
    with pytest.raises(NotFound):
        await cases.confirm("nothing", digest="0" * 64)


class TestKilledAnywhere:
    """The process dies right before or right after each call that leaves a mark; another one takes the case up."""

    LEDGER: ClassVar = ("move_action", "begin_action", "conclude_action", "issue_receipt", "promise")

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize("name", [*LEDGER, "refund"])
    async def test_one_effect_and_one_receipt(
        self, cases: GraphCases, request_of_ada: ActionRequest, sandbox: Sandbox, name: str, *, after: bool
    ) -> None:
        proposed = await opened(cases, request_of_ada)
        context = cases.context
        if name == "refund":
            dying = replace(context, mover=Interrupting(context.mover, name, after=after))
        else:
            dying = replace(context, ledger=Interrupting(context.ledger, name, after=after))  # type: ignore[arg-type]

        with pytest.raises(Killed):
            await replace(cases, context=dying).confirm(proposed.id, digest=proposed.digest)
        survivor = await cases.confirm(proposed.id, digest=proposed.digest)

        assert survivor.action is not None
        assert "succeeded" == survivor.action.state
        assert survivor.receipt is not None
        assert 1 == len(refunds(sandbox, proposed.target))

    async def test_no_answer_and_a_dead_process_together(
        self, cases: GraphCases, request_of_ada: ActionRequest, sandbox: Sandbox
    ) -> None:
        proposed = await opened(cases, request_of_ada)

        class NoAnswer:
            async def refund(self, **_: Any) -> Any:
                raise OutcomeUnknown

        lost = replace(cases.context, mover=NoAnswer())  # type: ignore[arg-type]
        await replace(cases, context=lost).confirm(proposed.id, digest=proposed.digest)

        found = await cases.go_on(proposed.id)

        assert found.receipt is not None
        assert 1 == len(refunds(sandbox, proposed.target))
