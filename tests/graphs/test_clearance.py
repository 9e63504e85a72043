"""What a case needs right before it is carried out, whatever was said when it was proposed."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from graphs.cases import GraphCases
from tests.fixtures.sandbox import Sandbox
from tests.graphs.test_cases import opened, refunds
from tools.billing.stripe_billing import StripeBilling
from tools.errors import Conflict, IllegalTransition, OutcomeUnknown
from tools.ledger.switches import AUTOMATIC
from tools.ledger.types import Action, ActionState
from tools.money import Money
from tools.policy.types import ActionRequest


def later(cases: GraphCases, **passed: float) -> GraphCases:
    """The same cases, as they are after that time."""
    moved = datetime.now(UTC) + timedelta(**passed)
    return replace(cases, context=replace(cases.context, now=lambda: moved))


async def state_of(cases: GraphCases, action: Action) -> ActionState:
    kept = await cases.context.ledger.action(action.id)
    assert kept is not None
    return kept.state


async def turn(cases: GraphCases, *, on: bool) -> None:
    await cases.context.ledger.turn_switch(AUTOMATIC, on=on, actor="kim", reason="a drill")


class TestKillSwitch:
    async def test_turned_off_before_the_yes_a_person_decides_and_then_it_is_carried_out(
        self, cases: GraphCases, request_of_ada: ActionRequest, sandbox: Sandbox
    ) -> None:
        proposed = await opened(cases, request_of_ada)
        await turn(cases, on=False)

        waiting = await cases.confirm(proposed.id, digest=proposed.digest)
        assert waiting.action is not None
        assert ("awaiting_approval", []) == (waiting.action.state, refunds(sandbox, proposed.target))

        done = await cases.decide(proposed.id, digest=proposed.digest, approve=True, agent="sam", reason="genuine")
        assert done.receipt is not None
        assert ["sam"] == [said["agent"] for said in done.receipt.body["approved_by"]]
        assert 1 == len(refunds(sandbox, proposed.target))

    async def test_turned_off_in_the_last_moment_it_still_holds(
        self, cases: GraphCases, request_of_ada: ActionRequest, sandbox: Sandbox
    ) -> None:
        """Between policy's second look and the first write."""
        proposed = await opened(cases, request_of_ada)
        ledger = cases.context.ledger
        begin = ledger.begin_action

        async def too_late(*args: Any) -> Action:
            await turn(cases, on=False)
            return await begin(*args)

        class Late:
            begin_action = staticmethod(too_late)

            def __getattr__(self, name: str) -> Any:
                return getattr(ledger, name)

        hooked = replace(cases, context=replace(cases.context, ledger=Late()))  # type: ignore[arg-type]
        await hooked.confirm(proposed.id, digest=proposed.digest)

        assert ("awaiting_approval", []) == (await state_of(cases, proposed), refunds(sandbox, proposed.target))

    async def test_an_unknown_outcome_is_looked_for_but_not_sent_again(
        self, cases: GraphCases, request_of_ada: ActionRequest, sandbox: Sandbox
    ) -> None:
        proposed = await opened(cases, request_of_ada)
        await replace(cases, context=replace(cases.context, mover=Silent())).confirm(  # type: ignore[arg-type]
            proposed.id, digest=proposed.digest
        )
        await turn(cases, on=False)
        await cases.go_on(proposed.id)
        assert ("unknown", []) == (await state_of(cases, proposed), refunds(sandbox, proposed.target))

        await turn(cases, on=True)
        assert (await cases.go_on(proposed.id)).receipt is not None
        assert 1 == len(refunds(sandbox, proposed.target))


class Silent:
    """Stripe does not answer, and nothing happens."""

    async def refund(self, **_: Any) -> Any:
        raise OutcomeUnknown

    undo_cancel = refund


async def test_a_policy_that_became_stricter_meanwhile_sends_it_to_a_person(
    cases: GraphCases, request_of_ada: ActionRequest, sandbox: Sandbox
) -> None:
    proposed = await opened(cases, request_of_ada)
    rules = cases.context.policy.rules
    limit = rules.refund.automatic_limit.model_copy(update={"limits": {"usd": 100}})
    stricter = type(cases.context.policy)(
        rules.model_copy(update={"refund": rules.refund.model_copy(update={"automatic_limit": limit})})
    )

    await replace(cases, context=replace(cases.context, policy=stricter)).confirm(proposed.id, digest=proposed.digest)

    assert ("awaiting_approval", []) == (await state_of(cases, proposed), refunds(sandbox, proposed.target))
    assert ["auto", "needs_approval"] == [one.outcome for one in await cases.context.ledger.assessments_of(proposed.id)]


async def test_the_day_it_was_asked_for_counts_and_not_the_day_of_the_approval(
    cases: GraphCases, request_of_grace: ActionRequest, sandbox: Sandbox
) -> None:
    """Within 30 days when the customer asked; the desk took four more."""
    asked_late = replace(request_of_grace, charged_at=datetime.now(UTC) - timedelta(days=29, hours=23))
    proposed = await opened(cases, asked_late)
    await cases.confirm(proposed.id, digest=proposed.digest)

    done = await later(cases, days=4).decide(
        proposed.id, digest=proposed.digest, approve=True, agent="sam", reason="asked in time"
    )

    assert done.receipt is not None


async def test_two_requests_at_once_cannot_both_pass_under_the_daily_limit(
    cases: GraphCases, billing: StripeBilling, sandbox: Sandbox
) -> None:
    """Each alone is within 100 USD and the day's 200; the third makes 270."""
    customer = sandbox.stripe().v1.customers.create({"email": "big@example.com"}).id
    actions = []
    for number in range(3):
        intent = sandbox.stripe().v1.payment_intents.create(
            {
                "amount": 9000,
                "currency": "usd",
                "customer": customer,
                "payment_method": "pm_card_visa",
                "confirm": True,
                "off_session": True,
                "description": f"order {number}",
            }
        )
        charge = await billing.charge(str(intent.latest_charge))
        request = ActionRequest(
            kind="refund",
            ground="within_window",
            customer=customer,
            target=charge.id,
            amount=charge.refundable,
            refundable=charge.refundable,
            disputed=False,
            charged_at=charge.created,
        )
        case = await cases.open(str(uuid.uuid4()), thread="thread", request=request, details={})
        assert case.action is not None
        actions.append(case.action)
    assert ["auto"] * 3 == [action.outcome for action in actions]

    for action in actions:
        await cases.confirm(action.id, digest=action.digest)

    assert ["succeeded", "succeeded", "awaiting_approval"] == [await state_of(cases, action) for action in actions]


async def test_what_was_never_weighed_on_record_is_asked_for_anew(
    cases: GraphCases, request_of_ada: ActionRequest, sandbox: Sandbox
) -> None:
    """Agreed to under a release that kept no record of it; it came to a stop for good."""
    proposed = await opened(cases, request_of_ada)
    ledger = cases.context.ledger

    class Forgetful:
        async def assessments_of(self, _case: str) -> list[Any]:
            return []

        def __getattr__(self, name: str) -> Any:
            return getattr(ledger, name)

    hooked = replace(cases, context=replace(cases.context, ledger=Forgetful()))  # type: ignore[arg-type]
    await hooked.confirm(proposed.id, digest=proposed.digest)

    assert ("void", []) == (await state_of(cases, proposed), refunds(sandbox, proposed.target))


class TestPeople:
    async def test_above_the_limit_of_one_two_people_approve(
        self, cases: GraphCases, request_of_grace: ActionRequest, sandbox: Sandbox
    ) -> None:
        rules = cases.context.policy.rules
        two = rules.approval.two_people.model_copy(update={"above": {"usd": 10_000}})
        approval = rules.approval.model_copy(update={"two_people": two})
        careful = replace(
            cases,
            context=replace(
                cases.context, policy=type(cases.context.policy)(rules.model_copy(update={"approval": approval}))
            ),
        )
        proposed = await opened(careful, request_of_grace)
        assert 2 == proposed.approvals_needed
        await careful.confirm(proposed.id, digest=proposed.digest)

        for _ in range(2):
            one = await careful.decide(proposed.id, digest=proposed.digest, approve=True, agent="sam", reason="right")
            assert one.action is not None
            assert ("awaiting_approval", []) == (one.action.state, refunds(sandbox, proposed.target))

        both = await careful.decide(proposed.id, digest=proposed.digest, approve=True, agent="kim", reason="right too")
        assert both.receipt is not None
        assert {"sam", "kim"} == {said["agent"] for said in both.receipt.body["approved_by"]}

    async def test_nobody_approves_what_they_proposed(self, cases: GraphCases, request_of_grace: ActionRequest) -> None:
        request = replace(request_of_grace, by_staff=True)
        case = await cases.open(str(uuid.uuid4()), thread="thread", request=request, details={}, proposer="sam")
        assert case.action is not None
        await cases.confirm(case.action.id, digest=case.action.digest)

        with pytest.raises(Conflict, match="another person"):
            await cases.decide(case.action.id, digest=case.action.digest, approve=True, agent="sam", reason="mine")

        done = await cases.decide(case.action.id, digest=case.action.digest, approve=True, agent="kim", reason="fine")
        assert done.receipt is not None
        assert "sam" == done.receipt.body["proposed_by"]

    async def test_an_approval_that_nobody_gave_in_time_expires(
        self, cases: GraphCases, request_of_grace: ActionRequest, sandbox: Sandbox
    ) -> None:
        proposed = await opened(cases, request_of_grace)
        past = replace(cases, context=replace(cases.context, now=lambda: datetime.now(UTC) - timedelta(days=60)))
        await past.confirm(proposed.id, digest=proposed.digest)

        with pytest.raises(IllegalTransition, match="time"):
            await cases.decide(proposed.id, digest=proposed.digest, approve=True, agent="sam", reason="late")

        assert [proposed.id] == [action.id for action in await cases.context.ledger.overdue_actions()]
        assert [] == refunds(sandbox, proposed.target)


class TestBreaker:
    async def test_unusually_many_automatic_refunds_stop_the_next_until_a_person_says_go(
        self, cases: GraphCases, request_of_ada: ActionRequest
    ) -> None:
        rules = cases.context.policy.rules
        breaker = rules.breaker.model_copy(update={"at_least": 1})
        nervous = replace(
            cases,
            context=replace(
                cases.context, policy=type(cases.context.policy)(rules.model_copy(update={"breaker": breaker}))
            ),
        )
        first = await opened(nervous, replace(request_of_ada, amount=Money(100, "usd")))
        assert (await nervous.confirm(first.id, digest=first.digest)).receipt is not None

        second = await opened(nervous, replace(request_of_ada, amount=Money(200, "usd")))
        assert "needs_approval" == second.outcome
        switch = await cases.context.ledger.switch(AUTOMATIC)
        assert switch is not None
        assert (False, "breaker") == (switch.on, switch.actor)

        await turn(cases, on=True)
        third = await opened(nervous, replace(request_of_ada, amount=Money(300, "usd")))
        assert (await nervous.confirm(third.id, digest=third.digest)).receipt is not None


class TestUnknown:
    async def test_what_changed_meanwhile_is_not_sent_again_and_ends_when_nothing_can_come_any_more(
        self, cases: GraphCases, request_of_ada: ActionRequest, sandbox: Sandbox
    ) -> None:
        proposed = await opened(cases, request_of_ada)
        await replace(cases, context=replace(cases.context, mover=Silent())).confirm(  # type: ignore[arg-type]
            proposed.id, digest=proposed.digest
        )
        sandbox.stripe().v1.refunds.create({"charge": proposed.target, "amount": 4900})

        await cases.go_on(proposed.id)
        assert "unknown" == await state_of(cases, proposed)

        ended = await later(cases, minutes=6).go_on(proposed.id)
        assert ended.action is not None
        assert ("failed", "billing data changed", None) == (ended.action.state, ended.reason, ended.receipt)
        assert 1 == len(refunds(sandbox, proposed.target))

    async def test_after_the_key_is_forgotten_nothing_is_sent_again(
        self, cases: GraphCases, request_of_ada: ActionRequest, sandbox: Sandbox
    ) -> None:
        proposed = await opened(cases, request_of_ada)
        await replace(cases, context=replace(cases.context, mover=Silent())).confirm(  # type: ignore[arg-type]
            proposed.id, digest=proposed.digest
        )

        ended = await later(cases, hours=24).go_on(proposed.id)

        assert ended.action is not None
        assert ("failed", "it never happened", []) == (
            ended.action.state,
            ended.reason,
            refunds(sandbox, proposed.target),
        )

    async def test_what_a_colleague_did_meanwhile_is_not_done_once_more(
        self, cases: GraphCases, billing: StripeBilling, sandbox: Sandbox
    ) -> None:
        """Taking an end back may need two requests; with none of ours there, what changed was somebody else's doing."""
        [alan] = await billing.find_by_email("alan@example.com")
        [plan] = (await billing.picture(alan.id)).subscriptions
        v1 = sandbox.stripe().v1
        v1.subscriptions.update(plan.id, {"cancel_at_period_end": True})
        request = ActionRequest(
            kind="undo_cancel",
            ground="customer_request",
            customer=alan.id,
            target=plan.id,
            amount=plan.price,
            refundable=plan.price,
            disputed=False,
            charged_at=datetime.now(UTC),
            interval="month",
        )
        proposed = await opened(cases, request)
        await replace(cases, context=replace(cases.context, mover=Silent())).confirm(  # type: ignore[arg-type]
            proposed.id, digest=proposed.digest
        )
        v1.subscriptions.update(plan.id, {"cancel_at_period_end": False})

        ended = await later(cases, minutes=6).go_on(proposed.id)

        assert ended.action is not None
        assert ("failed", "billing data changed") == (ended.action.state, ended.reason)
        assert () == (await billing.subscription(plan.id)).actions
