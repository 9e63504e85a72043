"""Instalments: charged on their day, once, never more than what is left; what is declined is told and tried again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import stripe
from babel.dates import format_date

from server.promises.attempts import ATTEMPTS, GAPS, Attempt, is_planned
from server.promises.instalments import _what_is_left
from server.promises.means import Means
from server.promises.sweep import look_after_due
from server.runs.payload import handover
from tests.fixtures.keys import KEYS
from tests.fixtures.sandbox import Sandbox
from tests.graphs.test_cases import Interrupting, Killed
from tests.server.keeping import DAY, THREAD, Keeping, keeping
from tools.billing.plans import instalments
from tools.business_days import opening
from tools.ledger.ledger import Ledger
from tools.ledger.switches import AUTOMATIC
from tools.ledger.types import Action
from tools.money import Money
from tools.policy.types import ActionRequest

PARTS = 3
PART = 40_000
"""Of the 1,200.00 that Linus owes."""


@pytest.fixture
async def kept(tmp_path: Path, redis_url: str, sandbox: Sandbox) -> AsyncIterator[Keeping]:
    async with keeping(f"sqlite:///{tmp_path / 'instalments.db'}", redis_url, sandbox) as opened:
        yield opened


@pytest.fixture
async def plan(kept: Keeping) -> Action:
    """From tomorrow on, on a Visa card."""
    return await planned(kept, "pm_card_visa")


async def planned(kept: Keeping, card: str | None) -> Action:
    [linus] = await kept.billing.find_by_email("linus@example.com")
    [owed] = (await kept.billing.picture(linus.id)).invoices
    request = ActionRequest(
        kind="payment_plan",
        ground="customer_request",
        customer=linus.id,
        target=owed.id,
        amount=owed.remaining,
        refundable=owed.remaining,
        disputed=False,
        charged_at=owed.created,
        instalments=PARTS,
    )
    dates = instalments(owed.remaining, PARTS, (kept.clock.now + DAY).date())
    details = {
        "number": owed.number,
        "schedule": [{"due": due.isoformat(), "amount": amount.amount} for due, amount in dates],
        "evidence_ids": [owed.id],
        **(attached(kept, linus.id, card) if card else {}),
    }
    return await kept.agreed(request, details)


def attached(kept: Keeping, customer: str, card: str) -> dict[str, str]:
    method = kept.sandbox.stripe().v1.payment_methods.attach(card, {"customer": customer})
    assert method.card is not None
    return {"payment_method": method.id, "brand": method.card.brand, "last4": method.card.last4}


def day_of(plan: Action, place: int) -> datetime:
    return opening(datetime.fromisoformat(plan.details["schedule"][place - 1]["due"]).date())


def invoice(kept: Keeping, plan: Action) -> stripe.Invoice:
    return kept.sandbox.stripe().v1.invoices.retrieve(plan.target)


def taken(kept: Keeping, plan: Action) -> list[int]:
    """What was really charged."""
    made = kept.sandbox.stripe().v1.payment_intents.list({"customer": plan.customer, "limit": 100}).data
    return [intent.amount for intent in made if intent.status == "succeeded"]


def decline(kept: Keeping, code: str = "insufficient_funds", count: int = 1) -> None:
    kept.sandbox.fault(method="POST", path="/confirm$", kind="decline", code=code, count=count)


async def test_nothing_is_charged_before_nine_on_its_day(kept: Keeping, plan: Action) -> None:
    assert [] == await kept.at(day_of(plan, 1) - timedelta(seconds=1))
    assert [] == taken(kept, plan)


async def test_each_is_charged_on_its_day_with_a_receipt_until_nothing_is_left(kept: Keeping, plan: Action) -> None:
    for place in range(1, PARTS + 1):
        told = await kept.at(day_of(plan, place))

    assert [PART] * PARTS == taken(kept, plan)
    assert ("paid", 0) == (invoice(kept, plan).status, invoice(kept, plan).amount_remaining)
    assert PARTS == len(told)
    assert "Instalment 1 of 3" in told[0]
    assert "$400.00 from your Visa card ending in 4242" in told[0]
    assert "$800.00 is left to pay" in told[0]
    assert "nothing is left to pay" in told[-1]
    assert {"kept"} == set((await kept.fates(plan.id)).values())
    parts = await kept.ledger.actions(target=plan.target, state="succeeded")
    by = {(one.proposer, (await kept.ledger.action_events(one.id))[1].actor) for one in parts if one.id != plan.id}
    assert {(f"plan {plan.id}", f"plan {plan.id}")} == by
    assert all([await kept.ledger.receipt_of(one.id) for one in parts])


async def test_many_servers_that_look_at_once_charge_once(kept: Keeping, plan: Action) -> None:
    kept.clock.now = day_of(plan, 1)
    for _ in range(3):
        await asyncio.gather(*(look_after_due(kept.means) for _ in range(4)))
        await kept.quiet()

    told = await kept.at(kept.clock.now)

    assert [PART] == taken(kept, plan)
    assert 1 == len(told)


async def test_on_postgresql_too(postgres_url: str, redis_url: str, sandbox: Sandbox) -> None:
    """Two processes, with connections of their own."""
    async with (
        keeping(postgres_url, redis_url, sandbox) as kept,
        Ledger.open(postgres_url, clock=kept.clock, keys=KEYS) as other,
    ):
        plan = await planned(kept, "pm_card_visa")
        queue = replace(kept.means.queue, ledger=other)
        context = replace(kept.cases.context, ledger=other)
        second = replace(kept.means, ledger=other, queue=queue, cases=replace(kept.cases, context=context))
        for place in (1, 2):
            kept.clock.now = day_of(plan, place)
            for _ in range(3):
                await asyncio.gather(*(look_after_due(means) for means in (kept.means, second) * 2))
                await kept.quiet()
            told = await kept.at(kept.clock.now)
            assert [PART] * place == taken(kept, plan)
            assert place == len(told)


async def test_a_conversation_that_a_person_has_hears_of_it_and_stays_with_them(kept: Keeping, plan: Action) -> None:
    await kept.means.queue.submit(THREAD, handover("asked for a person"))
    await kept.quiet()
    [ticket] = await kept.ledger.tickets(state="waiting")
    await kept.ledger.claim_ticket(ticket.id, "sam")

    told = await kept.at(day_of(plan, 1))

    assert [PART] == taken(kept, plan)
    assert [False, True] == ["Instalment 1 of 3" in one for one in told]
    assert ticket.id == (await kept.ledger.tickets(state="claimed"))[0].id


async def test_a_day_that_is_over_is_not_named_as_the_next(plan: Action) -> None:
    """The first is still tried again when the second is paid."""
    first, second = (Attempt(plan=plan, place=place) for place in (1, 2))

    said = _what_is_left(second, first, Money(2 * PART, "usd"))

    assert "instalment_left" == said["reply"]


class TestDeclined:
    async def test_the_customer_hears_why_and_when_it_is_tried_again(self, kept: Keeping, plan: Action) -> None:
        decline(kept)

        told = await kept.at(day_of(plan, 1))

        assert 1 == len(told)
        assert "could not be charged to your Visa card ending in 4242: there was not enough money" in told[0]
        assert told == await kept.at(day_of(plan, 1) + timedelta(hours=5))
        fates = await kept.fates(plan.id)
        assert ("overdue", "open") == (fates["instalment_1"], fates["instalment_1_try_2"])
        assert [] == taken(kept, plan)

    async def test_it_is_tried_again_on_the_day_that_was_named_and_kept_late(self, kept: Keeping, plan: Action) -> None:
        decline(kept)
        await kept.at(day_of(plan, 1))

        told = await kept.at(day_of(plan, 1) + GAPS[0] * DAY)

        assert [PART] == taken(kept, plan)
        assert "Instalment 1 of 3" in told[-1]
        assert "is paid" in told[-1]
        fates = await kept.fates(plan.id)
        assert ("kept", "kept") == (fates["instalment_1"], fates["instalment_1_try_2"])

    async def test_another_card_that_the_customer_has_set_since_is_tried_next(self, kept: Keeping) -> None:
        plan = await planned(kept, "pm_card_chargeCustomerFail")
        await kept.at(day_of(plan, 1))
        client = kept.sandbox.stripe()
        better = client.v1.payment_methods.attach("pm_card_mastercard", {"customer": plan.customer})
        client.v1.customers.update(plan.customer, {"invoice_settings": {"default_payment_method": better.id}})

        told = await kept.at(day_of(plan, 1) + GAPS[0] * DAY)

        assert [PART] == taken(kept, plan)
        assert "$400.00 from your saved payment method" in told[-1]

    async def test_after_five_attempts_it_counts_as_missed_and_the_plan_goes_on(
        self, kept: Keeping, plan: Action
    ) -> None:
        told = await missed(kept, plan, 1)

        assert ATTEMPTS == len(told)
        assert "That was the last of 5 attempts" in told[-1]
        await kept.at(day_of(plan, 2))
        assert [PART] == taken(kept, plan)
        assert [] == await kept.ledger.tickets()

    async def test_a_second_one_that_is_missed_ends_the_plan(self, kept: Keeping, plan: Action) -> None:
        await missed(kept, plan, 1)

        told = await missed(kept, plan, 2)

        assert 2 * ATTEMPTS == len(told)
        assert "your payment plan ends" in told[-1]
        assert "$1,200.00 is due now" in told[-1]
        assert invoice(kept, plan).auto_advance
        [ticket] = await kept.ledger.tickets(state="waiting")
        assert "two instalments were missed" in ticket.reason
        assert ticket.id in told[-1]
        assert {"kept", "dropped"} == set((await kept.fates(plan.id)).values())
        await kept.ledger.claim_ticket(ticket.id, "sam")
        assert told == await kept.at(day_of(plan, 3))
        assert [] == taken(kept, plan)

    async def test_what_is_left_when_the_dates_are_over_is_due(self, kept: Keeping, plan: Action) -> None:
        await missed(kept, plan, 1)
        await kept.at(day_of(plan, 2))

        told = await kept.at(day_of(plan, 3))

        assert [PART, PART] == taken(kept, plan)
        assert "That was the last date of your plan, and $400.00 is still open" in told[-1]
        assert invoice(kept, plan).auto_advance
        [ticket] = await kept.ledger.tickets(state="waiting")
        assert "something is left to pay" in ticket.reason

    async def test_without_a_card_the_customer_hears_so_and_one_that_is_set_later_is_charged(
        self, kept: Keeping
    ) -> None:
        plan = await planned(kept, None)
        [told] = await kept.at(day_of(plan, 1))
        assert "there is no card or account saved" in told
        client = kept.sandbox.stripe()
        card = client.v1.payment_methods.attach("pm_card_mastercard", {"customer": plan.customer})
        client.v1.customers.update(plan.customer, {"invoice_settings": {"default_payment_method": card.id}})

        await kept.at(day_of(plan, 1) + GAPS[0] * DAY)

        assert [PART] == taken(kept, plan)


async def missed(kept: Keeping, plan: Action, place: int) -> list[str]:
    """Every attempt at it is declined."""
    moment = day_of(plan, place)
    for gap in (*GAPS, 0):
        decline(kept)
        told = await kept.at(moment)
        moment += gap * DAY
    return told


class TestNothingMore:
    async def test_is_charged_when_the_customer_has_paid_it_off(self, kept: Keeping, plan: Action) -> None:
        kept.sandbox.stripe().v1.invoices.pay(plan.target, {"paid_out_of_band": True})

        assert [] == await kept.at(day_of(plan, 1))

        assert [] == taken(kept, plan)
        assert {"dropped"} == set((await kept.fates(plan.id)).values())

    async def test_is_charged_when_the_invoice_was_voided(self, kept: Keeping, plan: Action) -> None:
        kept.sandbox.stripe().v1.invoices.void_invoice(plan.target)

        assert [] == await kept.at(day_of(plan, 1))

        assert {"dropped"} == set((await kept.fates(plan.id)).values())

    async def test_is_charged_when_a_part_of_it_is_disputed_and_a_person_gets_it(
        self, kept: Keeping, plan: Action
    ) -> None:
        await kept.at(day_of(plan, 1))
        [charge] = (await kept.billing.invoice(plan.target)).charges
        kept.sandbox.open_dispute(charge)

        told = await kept.at(day_of(plan, 2))

        assert [PART] == taken(kept, plan)
        assert "I charge no more instalments" in told[-1]
        assert 1 == len(await kept.ledger.tickets(state="waiting"))
        assert {"kept", "dropped"} == set((await kept.fates(plan.id)).values())

    async def test_is_charged_than_what_is_left(self, kept: Keeping, plan: Action) -> None:
        kept.sandbox.stripe().v1.credit_notes.create({"invoice": plan.target, "amount": 95_000})

        told = await kept.at(day_of(plan, 1))

        assert [25_000] == taken(kept, plan)
        assert "$250.00 from your Visa card" in told[-1]
        assert "paid" == invoice(kept, plan).status
        assert "open" not in (await kept.fates(plan.id)).values()


class TestConsent:
    async def test_is_for_the_amount_of_the_place_and_less(self, kept: Keeping, plan: Action) -> None:
        first = Attempt(plan=plan, place=1)

        for amount, expected in ((PART, True), (1, True), (PART + 1, False), (0, False)):
            assert expected == await is_planned(first, Money(amount, "usd"), kept.ledger)
        assert not await is_planned(first, Money(PART, "eur"), kept.ledger)

    @pytest.mark.parametrize(
        "changes", [{"customer": "cus_other"}, {"amount": Money(1, "usd")}, {"state": "void"}, {"kind": "refund"}]
    )
    async def test_is_for_no_other_plan(self, kept: Keeping, plan: Action, changes: dict[str, Any]) -> None:
        other = Attempt(plan=replace(plan, **changes), place=1)

        assert not await is_planned(other, Money(PART, "usd"), kept.ledger)

    async def test_is_not_for_a_schedule_that_was_changed_since(self, kept: Keeping, plan: Action) -> None:
        schedule = [{**part, "amount": 2 * PART} for part in plan.details["schedule"]]
        other = Attempt(plan=replace(plan, details=plan.details | {"schedule": schedule}), place=1)

        assert not await is_planned(other, Money(PART, "usd"), kept.ledger)

    async def test_while_nothing_is_automatic_a_person_approves_it_and_it_is_told_once(
        self, kept: Keeping, plan: Action
    ) -> None:
        await kept.ledger.turn_switch(AUTOMATIC, on=False, actor="sam", reason="looking into something")

        assert [] == await kept.at(day_of(plan, 1))
        [part] = await kept.ledger.actions(state="awaiting_approval")
        assert [] == await kept.ledger.promises(action=part.id)
        await kept.cases.decide(part.id, digest=part.digest, approve=True, agent="sam", reason="as planned")
        told = await kept.at(day_of(plan, 1) + timedelta(hours=1))

        assert [PART] == taken(kept, plan)
        assert 1 == len(told)

    async def test_is_not_a_colleagues_who_refuses_one_and_the_rest_of_the_plan_goes_on(
        self, kept: Keeping, plan: Action
    ) -> None:
        await kept.ledger.turn_switch(AUTOMATIC, on=False, actor="sam", reason="looking into something")
        await kept.at(day_of(plan, 1))
        [part] = await kept.ledger.actions(state="awaiting_approval")
        await kept.cases.decide(part.id, digest=part.digest, approve=False, agent="sam", reason="they called us")
        await kept.ledger.turn_switch(AUTOMATIC, on=True, actor="sam", reason="done")

        second = (await kept.at(day_of(plan, 2)))[-1]
        third = (await kept.at(day_of(plan, 3)))[-1]

        assert [PART, PART] == taken(kept, plan)
        assert f"the next instalment of $400.00 is due on {format_date(day_of(plan, 3), 'long', 'en_US')}" in second
        assert "That was the last date of your plan, and $400.00 is still open" in third
        assert invoice(kept, plan).auto_advance


class TestKilledAnywhere:
    LEDGER = (
        "propose_action", "move_action", "begin_action", "conclude_action", "issue_receipt", "create_run",
        "keep_promise",
    )  # fmt: skip

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize("name", [*LEDGER, "pay_instalment"])
    async def test_it_is_charged_once_and_told_once(
        self, kept: Keeping, plan: Action, name: str, *, after: bool
    ) -> None:
        kept.clock.now = day_of(plan, 1)
        with pytest.raises(Killed):
            await sweeps(dying(kept.means, name, after=after), kept)

        told = await kept.at(day_of(plan, 1))

        assert [PART] == taken(kept, plan)
        assert 1 == len(told)
        assert "Instalment 1 of 3" in told[0]
        assert "kept" == (await kept.fates(plan.id))["instalment_1"]

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize("name", ["promise", "create_run", "miss_promise"])
    async def test_a_decline_is_told_once_and_tried_again(
        self, kept: Keeping, plan: Action, name: str, *, after: bool
    ) -> None:
        decline(kept)
        kept.clock.now = day_of(plan, 1)
        with pytest.raises(Killed):
            await sweeps(dying(kept.means, name, after=after), kept)

        told = await kept.at(day_of(plan, 1))
        again = await kept.at(day_of(plan, 1) + GAPS[0] * DAY)

        assert (1, 2) == (len(told), len(again))
        assert [PART] == taken(kept, plan)

    async def test_a_yes_to_what_was_left_before_is_none_to_what_is_left_now(self, kept: Keeping, plan: Action) -> None:
        """It was opened, its process died, and a credit note came in between."""
        kept.clock.now = day_of(plan, 1)
        with pytest.raises(Killed):
            await sweeps(dying(kept.means, "move_action", after=False), kept)
        kept.sandbox.stripe().v1.credit_notes.create({"invoice": plan.target, "amount": 95_000})

        told = await kept.at(kept.clock.now)

        assert [25_000] == taken(kept, plan)
        assert 1 == len(told)
        states = {part.state for part in await kept.ledger.actions(target=plan.target) if part.kind == "instalment"}
        assert {"void", "succeeded"} == states

    async def test_an_answer_that_never_came_is_found_out_and_told_once(self, kept: Keeping, plan: Action) -> None:
        kept.sandbox.fault(method="POST", path="/confirm$", count=1, kind="status_after_commit", status=500)

        told = await kept.at(day_of(plan, 1))

        assert [PART] == taken(kept, plan)
        assert 1 == len(told)


def dying(means: Means, name: str, *, after: bool) -> Means:
    """Means of a process that dies at that call, once."""
    context = means.cases.context
    if name == "pay_instalment":
        mover = cast("Any", Interrupting(context.mover, name, after=after))
        return replace(means, cases=replace(means.cases, context=replace(context, mover=mover)))
    ledger = cast("Ledger", Interrupting(means.ledger, name, after=after))
    cases = replace(means.cases, context=replace(context, ledger=ledger))
    return replace(means, ledger=ledger, cases=cases, queue=replace(means.queue, ledger=ledger))


async def sweeps(means: Means, kept: Keeping) -> None:
    for _ in range(3):
        await look_after_due(means)
        await kept.quiet()
