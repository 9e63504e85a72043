"""Instalments of a payment plan: charged on their day, tried again when declined, and told.

Each attempt is a case of its own, opened and confirmed in the name of the plan that the customer agreed to. Its id
follows from plan, place and attempt, so two servers that come at once open one case and charge once.
"""

from datetime import timedelta
from typing import Any

import structlog

from nodes.promising import OVER
from server.promises.attempts import ATTEMPTS, GAPS, Attempt, is_planned, missed_places
from server.promises.means import Fate, Means
from server.promises.plans import MOST_MISSED, drop_rest, end_plan, keep_place, stopped
from server.promises.reasons import reason_of
from server.promises.telling import part, tell
from tools.billing.types import Invoice
from tools.business_days import opening
from tools.errors import Conflict
from tools.ledger.types import Action, Promise
from tools.money import Money
from tools.policy.types import ActionRequest

log = structlog.get_logger()

Json = dict[str, Any]


async def charged(promise: Promise, plan: Action, means: Means) -> Fate:
    """One attempt, as far as it has come. It is told before the promise is marked."""
    if plan.state in OVER or not await _still_open(promise, means):
        return "dropped"
    attempt = Attempt.of(promise, plan)
    case = await attempt.case(means.ledger)
    if isinstance(case, str):
        invoice = await means.billing.invoice(plan.target)
        if await stopped(plan, invoice, means):
            return "dropped"
        return await _open(case, attempt, invoice, means)
    return await _go_on(case, attempt, means)


async def _still_open(promise: Promise, means: Means) -> bool:
    """The plan may have ended since the promise was read."""
    kept = await means.ledger.promises(action=promise.action)
    return any(one.id == promise.id and one.open for one in kept)


async def _open(case_id: str, attempt: Attempt, invoice: Invoice, means: Means) -> Fate:
    """Never for more than what remains."""
    plan = attempt.plan
    amount = min(attempt.amount, invoice.remaining, key=_units)
    request = ActionRequest(
        kind="instalment",
        ground="customer_request",
        customer=plan.customer,
        target=plan.target,
        amount=amount,
        refundable=amount,
        disputed=False,
        charged_at=invoice.created,
        planned=await is_planned(attempt, amount, means.ledger),
    )
    details = await _details(attempt, invoice, means)
    try:
        opened = await means.cases.open(
            case_id, thread=plan.thread, request=request, details=details, proposer=f"plan {plan.id}"
        )
    except Conflict:
        return "waits"  # another server has opened it, from what it read at Stripe before or after us
    if opened.action is None:
        log.error("instalment.denied", plan=plan.id, place=attempt.place, verdict=opened.verdict)
        return "overdue"
    return await _go_on(opened.action, attempt, means)


async def _details(attempt: Attempt, invoice: Invoice, means: Means) -> Json:
    """Another card than the agreed one is used only after that was declined, if the customer has set it since."""
    plan = attempt.plan
    card: Json = {name: plan.details.get(name) for name in ("payment_method", "brand", "last4")}
    if attempt.number > 1 or not card["payment_method"]:
        now = (await means.billing.customer(plan.customer)).payment_method
        if now and now != card["payment_method"]:
            card = {"payment_method": now, "brand": None, "last4": None}
    return {
        "number": invoice.number or invoice.id,
        "plan": plan.id,
        "place": attempt.place,
        "of": len(attempt.schedule),
        "attempt": attempt.number,
        "evidence_ids": [plan.target, plan.id],
        **card,
    }


async def _go_on(case: Action, attempt: Attempt, means: Means) -> Fate:
    if case.state == "proposed":
        case = await _confirm(case, attempt, means)
    match case.state:
        case "succeeded":
            return await _paid(case, attempt, means)
        case "failed":
            return await _declined(case, attempt, means)
        case "rejected" | "awaiting_approval":
            return "overdue"  # with a person now; it is looked at again from time to time
        case _:
            return "waits"


async def _confirm(case: Action, attempt: Attempt, means: Means) -> Action:
    """The plan's consent. Where another instalment of the invoice is under way, this one waits."""
    try:
        confirmed = await means.cases.confirm(case.id, digest=case.digest, actor=f"plan {attempt.plan.id}")
    except Conflict:
        return case
    return confirmed.action or case


async def _paid(case: Action, attempt: Attempt, means: Means) -> Fate:
    """With receipt, and what is left."""
    receipt = await means.ledger.receipt_of(case.id)
    if receipt is None:
        return "waits"
    invoice = await means.billing.invoice(case.target)
    said = [part("instalment_paid", amount=case.amount, receipt=receipt.number, **_which(attempt, case))]
    following = await _next(attempt, means)
    if invoice.remaining.amount and following is None:
        said.append(part("instalment_still_open", left=invoice.remaining))
        await end_plan(case, attempt, said, "its dates are over, and something is left to pay", means)
        return "kept"
    said.append(_what_is_left(attempt, following, invoice.remaining))
    if not await _told(receipt.number, case.thread, means):
        await tell(means.queue, case.thread, ("instalment", case.id), *said, about=case)
    await keep_place(attempt, means)
    if not invoice.remaining.amount:
        await drop_rest(attempt.plan, means)
    return "kept"


async def _told(receipt: str, thread: str, means: Means) -> bool:
    """By the desk's decision, say, when a person had to approve it."""
    told = await means.ledger.messages(thread)
    cards = [card for message in told for card in message.extra.get("cards", [])]
    return any(card.get("number") == receipt for card in cards)


def _what_is_left(attempt: Attempt, following: Attempt | None, left: Money) -> Json:
    if following is None or not left.amount:
        return part("instalment_paid_off")
    if following.place < attempt.place:
        return part("instalment_left", left=left)
    return part("instalment_next", left=left, amount=min(following.amount, left, key=_units), day=following.due)


async def _next(attempt: Attempt, means: Means) -> Attempt | None:
    """The place of the plan that is still to be charged: the first of those to come, else one that is tried again."""
    gone = await missed_places(attempt.plan, means.ledger)
    owed = [
        Attempt.of(promise, attempt.plan)
        for promise in await means.ledger.promises(action=attempt.plan.id)
        if promise.open and promise.kind.startswith("instalment_")
    ]
    left = [one for one in owed if one.place not in {attempt.place, *gone} and not await _is_refused(one, means)]
    return min(left, key=lambda one: (one.place < attempt.place, one.place), default=None)


async def _is_refused(attempt: Attempt, means: Means) -> bool:
    """A colleague did not let it be charged."""
    case = await attempt.case(means.ledger)
    return isinstance(case, Action) and case.state == "rejected"


async def _declined(case: Action, attempt: Attempt, means: Means) -> Fate:
    """Told with the reason, and with what comes next: another try, the next instalment, or the end of the plan."""
    invoice = await means.billing.invoice(case.target)
    if await stopped(attempt.plan, invoice, means):
        return "dropped"
    said = [await _why(case, attempt, means)]
    if attempt.number < ATTEMPTS:
        return await _try_again(case, attempt, said, means)
    if len(await missed_places(attempt.plan, means.ledger)) >= MOST_MISSED:
        said.append(part("instalment_plan_ended", left=invoice.remaining))
        await end_plan(case, attempt, said, "two instalments were missed", means)
        return "dropped"
    if await _next(attempt, means) is None:
        said.append(part("instalment_still_open", left=invoice.remaining))
        await end_plan(case, attempt, said, "the last instalment was missed", means)
        return "dropped"
    said.append(part("instalment_missed", tries=ATTEMPTS))
    await tell(means.queue, case.thread, ("instalment", case.id), *said, about=case)
    return "kept"


async def _why(case: Action, attempt: Attempt, means: Means) -> Json:
    if not case.details["payment_method"]:
        return part("instalment_no_method", amount=case.amount, **_which(attempt, case))
    reason = reason_of(await means.ledger.action_events(case.id))
    return part("instalment_declined", amount=case.amount, reason=reason, **_which(attempt, case))


async def _try_again(case: Action, attempt: Attempt, said: list[Json], means: Means) -> Fate:
    """That it is tried again is a promise of its own, and made before it is told."""
    following = Attempt(plan=attempt.plan, place=attempt.place, number=attempt.number + 1)
    due = opening(case.created.date() + timedelta(days=GAPS[attempt.number - 1]))
    text = f"instalment {attempt.place} is tried again"
    await means.ledger.promise(case.thread, following.kind, text, due, action=attempt.plan.id)
    said.append(part("instalment_again", day=due))
    await tell(means.queue, case.thread, ("instalment", case.id), *said, about=case)
    return "overdue" if attempt.number == 1 else "kept"


def _which(attempt: Attempt, case: Action) -> Json:
    return {"place": attempt.place, "of": len(attempt.schedule), "number": case.details["number"]}


def _units(money: Money) -> int:
    return money.amount
