"""How a payment plan comes to its end before its time."""

from contextlib import suppress
from typing import Any

import structlog

from server.promises.attempts import ATTEMPTS, Attempt
from server.promises.means import Means
from server.promises.telling import part, tell
from tools.billing.types import Invoice
from tools.errors import NotFound
from tools.ledger.types import Action

log = structlog.get_logger()

MOST_MISSED = 2
"""As `knowledge/payment-plans.md` has it."""
Json = dict[str, Any]


async def stopped(plan: Action, invoice: Invoice, means: Means) -> bool:
    """Whether nothing more is to be charged: it is paid, void, written off or disputed. Then the rest is dropped."""
    if invoice.status == "unknown":
        return False
    if invoice.status == "open" and invoice.remaining.amount:
        if not await _disputed(invoice, means):
            return False
        said = part("instalment_plan_disputed", number=invoice.number or invoice.id, left=invoice.remaining)
        why = f"invoice {invoice.id} is disputed, and its payment plan {plan.id} has stopped"
        await tell(means.queue, plan.thread, ("plan disputed", plan.id), said, about=plan, person=why)
    log.info("plan.stopped", plan=plan.id, invoice=invoice.id, status=invoice.status)
    await drop_rest(plan, means)
    return True


async def _disputed(invoice: Invoice, means: Means) -> bool:
    for charge in invoice.charges:
        with suppress(NotFound):
            if (await means.billing.charge(charge)).is_contested:
                return True
    return False


async def end_plan(case: Action, attempt: Attempt, said: list[Json], why: str, means: Means) -> None:
    """Stripe collects the rest by itself again, the customer knows, and a person has it."""
    plan = attempt.plan
    await means.collect_again(plan)
    because = f"payment plan {plan.id} for invoice {plan.target} has ended: {why}"
    await tell(means.queue, plan.thread, ("instalment", case.id), *said, about=case, person=because)
    if case.state == "succeeded":
        await keep_place(attempt, means)
    await drop_rest(plan, means)
    log.warning("plan.ended", plan=plan.id, why=why)


async def drop_rest(plan: Action, means: Means) -> None:
    """Nothing more of this plan will be charged."""
    for promise in await means.ledger.promises(action=plan.id):
        if promise.open and promise.kind.startswith("instalment_"):
            await means.ledger.drop_promise(promise.id)


async def keep_place(attempt: Attempt, means: Means) -> None:
    """The instalment itself, and every try at it."""
    kinds = {Attempt(plan=attempt.plan, place=attempt.place, number=number).kind for number in range(1, ATTEMPTS + 1)}
    for promise in await means.ledger.promises(action=attempt.plan.id):
        if promise.kind in kinds and promise.open:
            await means.ledger.keep_promise(promise.id)
