"""Promises are kept, dropped, or seen to be overdue and told: once, whoever looks, and wherever they are killed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from babel.dates import format_date

from server.case_sweep import expire_overdue
from server.promises.means import Means
from server.promises.sweep import look_after_due, look_after_overdue
from server.promises.telling import NotYet, part, tell
from server.runs.payload import agent_message, handover, notice, word
from server.runs.queue import named_run
from tests.fixtures.sandbox import Sandbox
from tests.graphs.test_cases import Interrupting, Killed
from tests.server.keeping import DAY, REFUND, THREAD, Keeping, fate, keeping
from tools.business_days import after_business_days, one_business_day_after
from tools.ledger.ledger import Ledger
from tools.ledger.types import Action, Ticket
from tools.money import Money
from tools.policy.types import ActionKind, ActionRequest


@pytest.fixture
async def kept(tmp_path: Path, redis_url: str, sandbox: Sandbox) -> AsyncIterator[Keeping]:
    async with keeping(f"sqlite:///{tmp_path / 'promises.db'}", redis_url, sandbox) as opened:
        yield opened


@pytest.fixture
async def refunded(kept: Keeping) -> Action:
    return await kept.agreed(await kept.duplicate_of_ada(), REFUND)


@pytest.fixture
async def waiting(kept: Keeping) -> Action:
    return await kept.agreed(await kept.year_of_grace(), REFUND)


class TestRefunds:
    async def test_it_is_promised_for_ten_business_days_after_the_receipt(
        self, kept: Keeping, refunded: Action
    ) -> None:
        promise = await kept.promise(refunded.id)

        assert ("refund_arrives", after_business_days(refunded.updated, 10)) == (promise.kind, promise.due)

    async def test_what_was_paid_out_is_kept_in_silence_when_its_time_comes_and_not_before(
        self, kept: Keeping, refunded: Action
    ) -> None:
        promise = await kept.promise(refunded.id)
        await kept.at(promise.due - DAY)
        assert "open" == fate(await kept.promise(refunded.id))

        assert [] == await kept.at(promise.due)

        assert "kept" == fate(await kept.promise(refunded.id))

    async def test_one_that_is_still_under_way_is_told_with_its_reference_and_goes_to_a_person(
        self, kept: Keeping
    ) -> None:
        refunded = await kept.agreed(await kept.charge_of_ada("pm_card_pendingRefund"), REFUND)
        promise = await kept.promise(refunded.id)

        [told] = await kept.at(promise.due)

        assert "Your refund of $49.00 to your Visa card ending in 4242" in told
        assert "5–10 business days" in told
        assert "overdue" == fate(await kept.promise(refunded.id))
        [ticket] = await kept.ledger.tickets(state="waiting")
        assert "$49.00 is still pending" in ticket.reason
        assert ticket.id in told

        kept.sandbox.advance(30 * 24 * 3600)
        await kept.at(promise.due + DAY)
        assert "kept" == fate(await kept.promise(refunded.id))


class TestDecisions:
    async def test_one_is_promised_within_a_business_day_of_the_customers_yes(
        self, kept: Keeping, waiting: Action
    ) -> None:
        promise = await kept.promise(waiting.id)

        assert ("answer_by", one_business_day_after(kept.clock.now)) == (promise.kind, promise.due)

    async def test_a_late_one_is_told_once_and_the_conversation_stays_with_the_assistant(
        self, kept: Keeping, waiting: Action
    ) -> None:
        promise = await kept.promise(waiting.id)

        [told] = await kept.at(promise.due)
        await kept.at(promise.due + DAY)

        assert "refund of $480.00 that you confirmed" in told
        assert [told] == await kept.said()
        assert "overdue" == fate(await kept.promise(waiting.id))
        assert [] == await kept.ledger.tickets()

    async def test_one_that_nobody_made_lapses_and_the_customer_hears_so_once(
        self, kept: Keeping, waiting: Action
    ) -> None:
        assert waiting.deadline is not None
        told = await kept.at(waiting.deadline)
        again = await kept.at(waiting.deadline + DAY)

        assert "lapsed" in told[-1]
        assert told == again
        assert "dropped" == fate(await kept.promise(waiting.id))

    async def test_a_decision_keeps_it_at_once(self, kept: Keeping, waiting: Action) -> None:
        await kept.cases.decide(waiting.id, digest=waiting.digest, approve=False, agent="sam", reason="used in full")
        await kept.means.queue.submit(THREAD, notice(waiting.id))
        await kept.quiet()

        assert "kept" == fate(await kept.promise(waiting.id))
        assert 1 == len(await kept.said())

    async def test_a_decision_that_could_not_be_told_keeps_it_at_the_next_sweep(
        self, kept: Keeping, waiting: Action
    ) -> None:
        promise = await kept.promise(waiting.id)
        await kept.cases.decide(waiting.id, digest=waiting.digest, approve=True, agent="sam", reason="first year")

        assert [] == await kept.at(promise.due)

        assert {"answer_by": "kept", "refund_arrives": "open"} == await kept.fates(waiting.id)

    async def test_a_late_decision_still_keeps_it(self, kept: Keeping, waiting: Action) -> None:
        promise = await kept.promise(waiting.id)
        await kept.at(promise.due)
        await kept.cases.decide(waiting.id, digest=waiting.digest, approve=False, agent="sam", reason="used in full")

        await kept.at(promise.due + DAY)

        assert "kept" == fate(await kept.promise(waiting.id))

    async def test_a_request_that_was_taken_back_owes_no_decision(self, kept: Keeping, waiting: Action) -> None:
        promise = await kept.promise(waiting.id)
        await kept.cases.withdraw(waiting.id, digest=waiting.digest, why="withdrawn by the customer")

        assert [] == await kept.at(promise.due)

        assert "dropped" == fate(await kept.promise(waiting.id))

    async def test_a_proposal_that_nobody_answered_ends_in_silence(self, kept: Keeping) -> None:
        proposed = await kept.propose(await kept.duplicate_of_ada(), REFUND)
        assert proposed.deadline is not None

        assert [] == await kept.at(proposed.deadline)

        ended = await kept.ledger.action(proposed.id)
        assert ended is not None
        assert "expired" == ended.state

    async def test_what_the_desk_asked_for_itself_promises_the_customer_nothing(self, kept: Keeping) -> None:
        proposed = await kept.propose(await kept.year_of_grace(), REFUND)
        await kept.cases.confirm(proposed.id, digest=proposed.digest, actor="sam")

        assert [] == await kept.ledger.promises(action=proposed.id)


class TestConversations:
    @pytest.fixture
    async def ticket(self, kept: Keeping) -> Ticket:
        await kept.means.queue.submit(THREAD, handover("asked for a person"))
        await kept.quiet()
        [ticket] = await kept.ledger.tickets(state="waiting")
        return ticket

    async def test_handing_over_names_the_time(self, kept: Keeping, ticket: Ticket) -> None:
        promise = await kept.promise()

        [said] = await kept.said()

        assert one_business_day_after(ticket.created) == promise.due
        assert f"A colleague answers here by {day(promise.due)}, {promise.due:%H:%M} UTC." in said

    async def test_nobody_came_and_the_customer_hears_so_once(self, kept: Keeping, ticket: Ticket) -> None:
        promise = await kept.promise()

        told = await kept.at(promise.due)

        assert 2 == len(told)
        assert f"Ticket {ticket.id} is still open" in told[-1]
        assert told == await kept.at(promise.due + DAY)
        assert "overdue" == fate(await kept.promise())

    async def test_an_answer_keeps_it_at_once(self, kept: Keeping, ticket: Ticket) -> None:
        await kept.ledger.claim_ticket(ticket.id, "sam")
        await kept.means.queue.submit(THREAD, agent_message("message", "Hello, Sam here.", "Sam"))
        await kept.quiet()

        assert "kept" == fate(await kept.promise())

    @pytest.mark.parametrize("late", [False, True])
    async def test_taking_the_ticket_keeps_it(self, kept: Keeping, ticket: Ticket, *, late: bool) -> None:
        promise = await kept.promise()
        if late:
            await kept.at(promise.due)
        await kept.ledger.claim_ticket(ticket.id, "sam")

        await kept.at(promise.due + DAY)

        assert "kept" == fate(await kept.promise())

    async def test_a_deleted_conversation_waits_for_nobody(self, kept: Keeping, ticket: Ticket) -> None:
        promise = await kept.promise()
        await kept.ledger.delete_thread(ticket.thread)

        await kept.at(promise.due)

        assert "dropped" == fate(await kept.promise())


class TestUndone:
    async def test_a_failure_of_which_no_event_came_is_told_when_its_time_comes(self, kept: Keeping) -> None:
        made = await kept.agreed(await kept.charge_of_ada("pm_card_refundFail"), REFUND)
        kept.sandbox.advance(30 * 24 * 3600)
        promise = await kept.promise(made.id)

        [told] = await kept.at(promise.due)

        assert "did not go through" in told
        assert "dropped" == fate(await kept.promise(made.id))
        [ticket] = await kept.ledger.tickets()
        assert f"$49.00 is still owed to {made.customer}" in ticket.reason
        assert [told] == await kept.at(promise.due + DAY)

    async def test_an_event_drops_the_promise_at_once(self, kept: Keeping, refunded: Action) -> None:
        [refund] = kept.sandbox.stripe().v1.refunds.list({"charge": refunded.target}).data
        kept.sandbox.post("refunds", refund=refund.id, status="failed")

        with pytest.raises(NotYet):
            await kept.means.reactions.refund_changed(refund.id)
        await kept.quiet()
        await kept.means.reactions.refund_changed(refund.id)

        assert "dropped" == fate(await kept.promise(refunded.id))
        assert 1 == len(await kept.said())

    async def test_without_a_conversation_a_person_hears_what_is_owed(self, kept: Keeping, refunded: Action) -> None:
        [refund] = kept.sandbox.stripe().v1.refunds.list({"charge": refunded.target}).data
        kept.sandbox.post("refunds", refund=refund.id, status="failed")
        promise = await kept.promise(refunded.id)
        await kept.ledger.delete_thread(THREAD)

        await kept.at(promise.due)

        [ticket] = await kept.ledger.tickets(state="waiting")
        assert "$49.00 is still owed" in ticket.reason
        assert "dropped" == fate(await kept.promise(refunded.id))


class TestMoreTime:
    @pytest.fixture
    async def extended(self, kept: Keeping) -> Action:
        """Linus has a week more to pay 1,200.00."""
        [linus] = await kept.billing.find_by_email("linus@example.com")
        [owed] = (await kept.billing.picture(linus.id)).invoices
        asked = replace(anything("extend_due_date", linus.id, owed.id, owed.remaining), extension_days=7)
        new_due = (kept.clock.now + 7 * DAY).date().isoformat()
        return await approved(kept, asked, {"number": owed.number, "due": None, "new_due": new_due})

    async def test_what_is_paid_in_time_is_kept_in_silence(self, kept: Keeping, extended: Action) -> None:
        promise = await kept.promise(extended.id, "payment_due")
        kept.sandbox.stripe().v1.invoices.pay(extended.target, {"paid_out_of_band": True})

        assert [] == await kept.at(promise.due)

        assert "kept" == fate(await kept.promise(extended.id, "payment_due"))

    async def test_what_is_not_is_collected_again_and_the_customer_hears_so_once(
        self, kept: Keeping, extended: Action
    ) -> None:
        promise = await kept.promise(extended.id, "payment_due")
        client = kept.sandbox.stripe()
        assert not client.v1.invoices.retrieve(extended.target).auto_advance

        [told] = await kept.at(promise.due)

        assert f"You had until {day(promise.due)} to pay" in told
        assert "$1,200.00 of it is still open" in told
        assert client.v1.invoices.retrieve(extended.target).auto_advance
        assert "overdue" == fate(await kept.promise(extended.id, "payment_due"))
        client.v1.invoices.pay(extended.target, {"paid_out_of_band": True})
        assert [told] == await kept.at(promise.due + DAY)
        assert "kept" == fate(await kept.promise(extended.id, "payment_due"))

    async def test_a_payment_plan_that_was_agreed_to_since_takes_its_place(
        self, kept: Keeping, extended: Action
    ) -> None:
        kept.clock.now += DAY
        owed = await kept.billing.invoice(extended.target)
        asked = anything("payment_plan", extended.customer, extended.target, owed.remaining)
        start = (kept.clock.now + 60 * DAY).date().isoformat()
        schedule = [{"due": start, "amount": owed.remaining.amount}]
        await approved(kept, replace(asked, instalments=2), {"number": owed.number, "schedule": schedule})
        promise = await kept.promise(extended.id, "payment_due")

        assert [] == await kept.at(promise.due)

        assert "dropped" == fate(await kept.promise(extended.id, "payment_due"))
        assert not kept.sandbox.stripe().v1.invoices.retrieve(extended.target).auto_advance


class TestPauses:
    @pytest.fixture
    async def paused(self, kept: Keeping) -> Action:
        [ada] = await kept.billing.find_by_email("ada@example.com")
        [plan] = (await kept.billing.picture(ada.id)).subscriptions
        asked = replace(anything("pause_subscription", ada.id, plan.id, plan.price), pause_months=1)
        resumes = (kept.clock.now + 30 * DAY).replace(microsecond=0).isoformat()
        details = {"plan": plan.plan, "interval": plan.interval, "months": 1, "resumes": resumes}
        return await approved(kept, asked, details)

    async def test_one_that_ends_by_itself_is_kept_in_silence(self, kept: Keeping, paused: Action) -> None:
        kept.sandbox.advance(31 * 24 * 3600)
        promise = await kept.promise(paused.id, "resumes")

        assert [] == await kept.at(promise.due + DAY)

        assert "kept" == fate(await kept.promise(paused.id, "resumes"))

    async def test_one_that_does_not_is_told_and_goes_to_a_person(self, kept: Keeping, paused: Action) -> None:
        promise = await kept.promise(paused.id, "resumes")
        assert [] == await kept.at(promise.due + timedelta(minutes=59))

        [told] = await kept.at(promise.due + timedelta(hours=1))

        assert f"was to go on by itself on {day(promise.due)}" in told
        [ticket] = await kept.ledger.tickets(state="waiting")
        assert "still paused" in ticket.reason
        kept.sandbox.stripe().v1.subscriptions.update(paused.target, {"pause_collection": ""})
        await kept.at(promise.due + timedelta(hours=2))
        assert "kept" == fate(await kept.promise(paused.id, "resumes"))


class TestOnce:
    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize("name", ["create_run", "miss_promise"])
    async def test_killed_around_telling_and_marking_it_is_told_once(
        self, kept: Keeping, waiting: Action, name: str, *, after: bool
    ) -> None:
        promise = await kept.promise(waiting.id)
        kept.clock.now = promise.due
        dying = cast("Ledger", Interrupting(kept.ledger, name, after=after))
        killed = replace(kept.means, ledger=dying, queue=replace(kept.means.queue, ledger=dying))
        with pytest.raises(Killed):
            await sweeps(killed, kept)

        [told] = await kept.at(promise.due)

        assert "It takes longer than that" in told
        assert "overdue" == fate(await kept.promise(waiting.id))

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize("name", ["move_action", "create_run", "drop_promise"])
    async def test_killed_while_a_request_lapses_it_is_told_once(
        self, kept: Keeping, waiting: Action, name: str, *, after: bool
    ) -> None:
        assert waiting.deadline is not None
        await kept.at((await kept.promise(waiting.id)).due)
        kept.clock.now = waiting.deadline
        dying = cast("Ledger", Interrupting(kept.ledger, name, after=after))
        killed = replace(kept.means, ledger=dying, queue=replace(kept.means.queue, ledger=dying))
        with pytest.raises(Killed):
            await sweeps(killed, kept)

        told = await kept.at(waiting.deadline)

        assert [False, True] == ["lapsed" in one for one in told]
        assert "dropped" == fate(await kept.promise(waiting.id))

    async def test_many_servers_that_look_at_once_say_it_once(self, kept: Keeping, waiting: Action) -> None:
        promise = await kept.promise(waiting.id)
        kept.clock.now = promise.due
        for _ in range(3):
            await asyncio.gather(*(look_after_due(kept.means) for _ in range(5)))
            await kept.quiet()

        assert 1 == len(await kept.said())
        overdue = [entry for entry in await kept.ledger.audit_entries(limit=1000) if entry.event == "promise.overdue"]
        assert 1 == len(overdue)

    async def test_a_run_that_failed_after_it_spoke_is_not_repeated(self, kept: Keeping, waiting: Action) -> None:
        """Its words stay in the conversation: another run would say them again."""
        with pytest.raises(NotYet):
            await tell(kept.means.queue, THREAD, ("late",), part("promise_approval_expired"), about=waiting)
        await kept.quiet()
        await kept.ledger.set_run(named_run("late", "0"), "error", "internal: it stumbled after its words were out")

        await tell(kept.means.queue, THREAD, ("late",), part("promise_approval_expired"), about=waiting)

        assert 1 == len(await kept.said())

    async def test_a_run_that_was_stopped_before_it_spoke_is_given_again(self, kept: Keeping, waiting: Action) -> None:
        said = part("promise_approval_expired")
        payload = word([said], case_id=waiting.id)
        await kept.ledger.create_run(named_run("late", "0"), THREAD, "support", payload)
        await kept.ledger.set_run(named_run("late", "0"), "interrupted")

        with pytest.raises(NotYet):
            await tell(kept.means.queue, THREAD, ("late",), said, about=waiting)
        await kept.quiet()

        assert 1 == len(await kept.said())

    async def test_stripes_silence_puts_it_off_and_nothing_else(
        self, kept: Keeping, refunded: Action, waiting: Action
    ) -> None:
        kept.sandbox.fault(method="GET", path="/v1/refunds/.*", count=1000, kind="status", status=500)
        promise = await kept.promise(refunded.id)

        told = await kept.at(promise.due)

        assert "open" == fate(await kept.promise(refunded.id))
        assert "dropped" == fate(await kept.promise(waiting.id))
        assert 1 == len(told)
        kept.sandbox.clear_faults()
        await kept.at(promise.due)
        assert "kept" == fate(await kept.promise(refunded.id))


async def test_what_is_overdue_is_counted(kept: Keeping, waiting: Action) -> None:
    promise = await kept.promise(waiting.id)
    await kept.at(promise.due + DAY)

    registry = kept.means.metrics.registry
    assert 1 == registry.get_sample_value("counterfoil_promises_overdue")
    assert 1 == registry.get_sample_value("counterfoil_promises_total", {"kind": "answer_by", "fate": "overdue"})


def anything(kind: ActionKind, customer: str, target: str, amount: Money) -> ActionRequest:
    return ActionRequest(
        kind=kind,
        ground="customer_request",
        customer=customer,
        target=target,
        amount=amount,
        refundable=amount,
        disputed=False,
        charged_at=datetime.now(UTC),
        interval="month",
    )


async def approved(kept: Keeping, request: ActionRequest, details: dict[str, Any]) -> Action:
    """Agreed to, and by a colleague as well where policy wants that."""
    made = await kept.agreed(request, {**details, "evidence_ids": [request.target]})
    if made.state == "awaiting_approval":
        await kept.cases.decide(made.id, digest=made.digest, approve=True, agent="sam", role="lead", reason="fine")
    ended = await kept.ledger.action(made.id)
    assert ended is not None
    assert "succeeded" == ended.state
    return ended


async def sweeps(means: Means, kept: Keeping) -> None:
    for _ in range(3):
        await expire_overdue(means.cases, means.queue)
        await look_after_due(means)
        await look_after_overdue(means)
        await kept.quiet()


def day(moment: datetime) -> str:
    return format_date(moment, "long", "en_US")
