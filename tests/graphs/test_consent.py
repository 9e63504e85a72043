"""What a yes or a no comes to, said over real cases: carried out, overtaken by the facts, or no longer asked for."""

import uuid
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from graphs.cases import GraphCases
from nodes.consent import Answer, Settled, settle
from nodes.resolving.charges import refund_of
from nodes.resolving.matter import Matter
from tests.fixtures.sandbox import Sandbox
from tests.graphs.test_cases import refunds
from tools.billing.analysis import find_duplicates
from tools.billing.stripe_billing import StripeBilling
from tools.ledger.switches import AUTOMATIC
from tools.ledger.types import Action
from tools.policy.types import ActionRequest


@pytest.fixture
async def proposed(cases: GraphCases, billing: StripeBilling, request_of_ada: ActionRequest) -> Action:
    """Ada's duplicate, as the conversation puts it."""
    return await opened(cases, billing, request_of_ada)


async def opened(
    cases: GraphCases, billing: StripeBilling, request: ActionRequest, proposer: str = "assistant"
) -> Action:
    seen = await billing.picture(request.customer)
    [pair] = find_duplicates(seen)
    matter = Matter(goal="duplicate_charge", picture=seen, details={}, passages=(), now=datetime.now(UTC))
    found = refund_of(matter, pair.later, "duplicate", pair)
    await cases.context.ledger.create_thread("thread", "somebody", {})
    case = await cases.open(
        str(uuid.uuid4()), thread="thread", request=found.request, details=found.details, proposer=proposer
    )
    assert case.action is not None
    return case.action


async def answered(cases: GraphCases, action: Action, *, yes: bool = True, customer: str | None = None) -> Settled:
    context = SimpleNamespace(cases=cases, ledger=cases.context.ledger, now=lambda: datetime.now(UTC))
    answer = Answer(case=action.id, digest=action.digest, yes=yes)
    return await settle(answer, customer=customer or action.customer, context=cast("Any", context))


def given_back(sandbox: Sandbox, action: Action) -> None:
    """By a colleague, in Stripe."""
    sandbox.stripe().v1.refunds.create({"charge": action.target, "amount": 100})


async def test_a_yes_is_carried_out_and_looks_at_nothing_anew(
    cases: GraphCases, proposed: Action, sandbox: Sandbox
) -> None:
    settled = await answered(cases, proposed)

    assert "has been refunded" in settled.said.text
    assert ((), 1) == (settled.again, len(refunds(sandbox, proposed.target)))


async def test_when_the_facts_have_changed_the_wish_is_looked_at_anew(
    cases: GraphCases, proposed: Action, sandbox: Sandbox
) -> None:
    given_back(sandbox, proposed)

    settled = await answered(cases, proposed)

    assert "billing data changed" in settled.said.text
    assert ("duplicate_charge",) == settled.again
    assert 1 == len(refunds(sandbox, proposed.target))


async def test_what_a_colleague_proposed_is_not_proposed_anew_by_the_assistant(
    cases: GraphCases, billing: StripeBilling, request_of_ada: ActionRequest, sandbox: Sandbox
) -> None:
    theirs = await opened(cases, billing, request_of_ada, proposer="sam")
    given_back(sandbox, theirs)

    settled = await answered(cases, theirs)

    assert "billing data changed" in settled.said.text
    assert () == settled.again


async def test_a_proposal_that_is_too_old_is_told_apart_and_looked_at_anew(
    cases: GraphCases, proposed: Action, sandbox: Sandbox
) -> None:
    await cases.context.ledger.move_action(proposed.id, "expired", actor="code")

    settled = await answered(cases, proposed)

    assert "too old to go ahead" in settled.said.text
    assert (("duplicate_charge",), []) == (settled.again, refunds(sandbox, proposed.target))


@pytest.mark.parametrize("state", ["expired", "void"])
async def test_a_no_to_what_is_over_is_a_no(cases: GraphCases, proposed: Action, state: Any) -> None:
    await cases.context.ledger.move_action(proposed.id, state, actor="code")

    settled = await answered(cases, proposed, yes=False)

    assert "haven't changed anything" in settled.said.text
    assert () == settled.again


async def test_the_same_that_waits_already_is_told_as_waiting(
    cases: GraphCases, billing: StripeBilling, proposed: Action, request_of_ada: ActionRequest, sandbox: Sandbox
) -> None:
    second = await opened(cases, billing, request_of_ada)
    await cases.context.ledger.turn_switch(AUTOMATIC, on=False, actor="kim", reason="a drill")
    await answered(cases, proposed)

    settled = await answered(cases, second)

    assert "A colleague still has to approve your request for a refund of $49.00" in settled.said.text
    assert ((), []) == (settled.again, refunds(sandbox, proposed.target))


async def test_who_waits_for_a_person_hears_by_when(cases: GraphCases, proposed: Action) -> None:
    await cases.context.ledger.turn_switch(AUTOMATIC, on=False, actor="kim", reason="a drill")

    settled = await answered(cases, proposed)

    assert "I've asked a colleague to approve it" in settled.said.text
    assert "usually takes one business day, so expect it by" in settled.said.text


async def test_a_yes_of_somebody_else_changes_nothing(cases: GraphCases, proposed: Action, sandbox: Sandbox) -> None:
    settled = await answered(cases, proposed, customer="cus_other")

    assert "for another account" in settled.said.text
    assert ((), []) == (settled.again, refunds(sandbox, proposed.target))
